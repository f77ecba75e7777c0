"""The actor in which a session lives; Ray starts it again when its process dies."""

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import ray

from flows.runtime.cluster.end_guard import EndGuard
from flows.runtime.cluster.join import DETACHED, serve_left_as_found
from flows.runtime.metrics.endpoint import metrics_endpoint
from flows.runtime.ray_cluster import exporter_address
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session import Session
from flows.runtime.session_start import Hosting, held_home, open_serving_model
from flows.stream.analysis.status import CameraStatus
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ClusterError, StreetloopError
from streetloop.host.structured_log import begin_json_log, bind_ids
from streetloop.settings import Settings

_log = logging.getLogger(__name__)

_SENTENCES = 1000
_AGAIN_S = 3.0


class ControlState(StrEnum):
    """What a control plane is at."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ControlSpec:
    """What a control plane runs; it is the same after each of its deaths.

    Attributes:
        cameras: Cameras of the camera file.
        settings: The settings of the run; ``home`` is absolute.
        options: What the run is asked for.
        run: Name of the run.
        began_at: When it was first started, in seconds since 1970.
    """

    cameras: Sequence[Camera]
    settings: Settings
    options: RunOptions
    run: str
    began_at: float


@dataclass(frozen=True, slots=True)
class ControlLook:
    """What a control plane says of itself.

    Attributes:
        state: What it is at.
        process: Id of its process, which changes when it dies.
        statuses: The state of all cameras, by id.
        said: Sentences for people that were said after those the caller knows.
        heard: How many sentences were said by this process; to be given with the next look.
        summary: What the run came to, once it has ended.
        failure: Why it ended, if it could not run.
    """

    state: ControlState
    process: int
    statuses: Mapping[str, CameraStatus]
    said: Sequence[str]
    heard: int
    summary: RunSummary | None = None
    failure: StreetloopError | None = None


class ControlPlane:
    """Runs a session on a thread, and answers those who watch.

    Args:
        spec: What it runs.
    """

    def __init__(self, spec: ControlSpec) -> None:
        if spec.settings.log_format == "json":
            begin_json_log()
            bind_ids(run=spec.run, worker=DETACHED)
        self._spec = spec
        self._is_resumed = ray.get_runtime_context().was_current_actor_reconstructed
        self._state, self._stop = ControlState.STARTING, threading.Event()
        self._statuses: Mapping[str, CameraStatus] = {}
        self._said: deque[tuple[int, str]] = deque(maxlen=_SENTENCES)
        self._heard = 0
        self._summary: RunSummary | None = None
        self._failure: StreetloopError | None = None
        threading.Thread(target=self._run, name="session", daemon=True).start()

    def look(self, process: int = 0, heard: int = 0) -> ControlLook:
        """What it is at.

        Args:
            process: Of the look before; another process has other sentences.
            heard: Of the look before.
        """
        known = heard if process == os.getpid() else 0
        said = [sentence for number, sentence in list(self._said) if number >= known]
        return ControlLook(
            self._state, os.getpid(), self._statuses, said, self._heard, self._summary, self._failure
        )

    def stop(self) -> None:
        """End the session; `look` says when it has ended."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            try:
                self._summary = self._run_session()
            except StreetloopError as error:
                if not self._is_resumed:
                    self._failure = error
                    break
                # The cameras run: whoever looks after them must come back.
                self._say(f"{error}; trying again in {_AGAIN_S:g} s")
                if not self._stop.wait(_AGAIN_S):
                    continue
            except Exception:  # noqa: BLE001
                # The boundary of a process.
                _log.exception("the session ended by an error of its own")
                if self._is_resumed:
                    self._stop.wait(_AGAIN_S)
                    os._exit(1)  # Ray starts another in its place
                self._failure = ClusterError("the session ended by an error; the log of its actor has it")
            break
        self._state = ControlState.ENDED

    def _run_session(self) -> RunSummary:
        spec = self._spec
        with (
            held_home(spec.settings) as lease,
            metrics_endpoint(spec.settings, spec.options.metrics_port) as metrics,
            serve_left_as_found(is_resumed=self._is_resumed),
        ):
            hosting = Hosting(spec.run, lease, self._stops, True, self._is_resumed, spec.began_at)
            model = open_serving_model(spec.cameras, spec.settings, self._say)
            session = Session(spec.cameras, spec.settings, spec.options, model, metrics, self._say, hosting)
            metrics.ray_address = exporter_address()
            return session.run(self._show, EndGuard(lambda: None))

    @contextmanager
    def _stops(self) -> Iterator[threading.Event]:
        yield self._stop

    def _show(self, statuses: Mapping[str, CameraStatus]) -> None:
        self._statuses, self._state = statuses, ControlState.RUNNING

    def _say(self, sentence: str) -> None:
        self._said.append((self._heard, sentence))
        self._heard += 1
