"""``streetloop run``: cameras in, detections out."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.champions import city_champions, serving_model
from flows.cluster import local_ray
from flows.controls import Controls
from flows.listeners import Listeners
from flows.models import find_model
from flows.signals import stop_on_signals
from flows.stream.sources import open_source
from flows.stream.status import CameraStatus
from flows.summary import Summary
from serve.rollout.policy import Policy
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, SourceError
from streetloop.settings import BASELINE, Settings
from streetloop.stores import open_store
from train.model import ModelFile
from train.recipe import Progress

if TYPE_CHECKING:
    from flows.actors import WorkerPlan
    from serve.slots import ServeSlots

_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run is asked for.

    Attributes:
        duration_s: When to end; None to go on until every camera ends or someone stops it.
        annotate: Folder for annotated videos, or None.
        metrics_port: Where Prometheus finds the metrics, or None for a free port.
        policy: What a rollout that nobody asked for by hand must show.
        until: Asked twice a second; True ends the run.
        progress: Told how far a training is.
    """

    duration_s: float | None = None
    annotate: Path | None = None
    metrics_port: int | None = None
    policy: Policy = field(default_factory=Policy)
    until: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None


def run_streams(
    cameras: Sequence[Camera],
    settings: Settings,
    options: RunOptions,
    show: Callable[[Mapping[str, CameraStatus]], None],
    say: Callable[[str], None],
) -> Summary:
    """Read the cameras until the time is up, all have ended, or the process is told to stop.

    Args:
        cameras: Which cameras.
        settings: As given at the roof.
        options: What this run is asked for.
        show: Called twice a second with the state of the cameras.
        say: Called with what is being done, and with drift and faults that begin or end.

    Raises:
        ConfigError: A recording cannot be played.
        ModelError: The model cannot be used.
        DetectorError: The detector did not start.
    """
    refuse_bad_clips(cameras)
    if settings.model == BASELINE and any(c.uri.scheme != "sim" for c in cameras):
        say("the baseline knows the simulated city alone; for a real street give --model")
    if options.annotate is not None:
        _make_folder(options.annotate)
    say(f"opening the model {settings.model}")
    model = serving_model(settings)
    listeners = Listeners(cameras, settings, model, say)
    say("starting Ray on this machine")
    with local_ray(options.metrics_port):
        import ray.serve

        from flows.supervisor import Supervisor
        from serve.detector import deploy
        from serve.slots import ServeSlots

        ray.serve.start(proxy_location="Disabled")
        say(f"loading {model.version}")
        description = deploy(model, settings)
        slots = ServeSlots(settings)
        homes = _deploy_for_cities(settings, cameras, slots, say)
        log_prefix = f"detections/run={_run_name()}"
        supervisor = Supervisor(plan(cameras, settings, log_prefix, model, options.annotate))
        controls = Controls(
            cameras, settings, model.names, supervisor, slots, homes, options.policy, say,
            options.progress,
        )  # fmt: skip
        with stop_on_signals() as stop:
            say("starting the cameras")
            supervisor.start()
            listeners.start()
            controls.start()
            began = time.monotonic()

            def poll() -> Mapping[str, CameraStatus]:
                listeners.listen(supervisor)
                return supervisor.poll()

            def is_over() -> bool:
                return supervisor.finished or options.until()

            _watch(poll, is_over, stop, options.duration_s, show)
            controls.close()
            statuses = supervisor.close()
            seconds = time.monotonic() - began
            listeners.listen(supervisor)  # what ended since the last poll
            listeners.close()
        show(statuses)
    log = open_store(settings).uri(log_prefix)
    return listeners.add_to(Summary(_in_order(cameras, statuses), log, description, seconds))


def _deploy_for_cities(
    settings: Settings, cameras: Sequence[Camera], slots: "ServeSlots", say: Callable[[str], None]
) -> dict[str, str]:
    """Start the champions that cities have of their own; application by camera."""
    homes = city_champions(settings, cameras)
    for city, home in homes.items():
        say(f"loading the champion of {city}")
        slots.deploy(home, find_model(home, settings))
    return {camera.id: homes[camera.city] for camera in cameras if camera.city in homes}


def refuse_bad_clips(cameras: Sequence[Camera]) -> None:
    """Look into every recording before anything is started.

    A network camera may come up later; a file that cannot be played now is a mistake.

    Raises:
        ConfigError: Names the camera and what is wrong.
    """
    clock = SystemClock()
    for camera in cameras:
        source = open_source(camera, clock)
        if camera.uri.scheme == "file":
            try:
                source.probe()
            except SourceError as error:
                raise ConfigError(f"camera {camera.id!r}: {error}") from error


def plan(
    cameras: Sequence[Camera],
    settings: Settings,
    log_prefix: str,
    model: ModelFile,
    annotate: Path | None,
) -> list["WorkerPlan"]:
    """Deal the cameras out to as few workers as hold them."""
    from flows.actors import WorkerPlan

    settings = settings.model_copy(update={"home": settings.home.absolute()})
    size = settings.cameras_per_worker
    groups = [list(cameras[start : start + size]) for start in range(0, len(cameras), size)]
    folder = None if annotate is None else annotate.absolute()
    return [
        WorkerPlan(f"worker{i}", group, settings, log_prefix, model.names, folder)
        for i, group in enumerate(groups)
    ]


def _watch(
    poll: Callable[[], Mapping[str, CameraStatus]],
    finished: Callable[[], bool],
    stop: threading.Event,
    duration_s: float | None,
    show: Callable[[Mapping[str, CameraStatus]], None],
) -> None:
    end = None if duration_s is None else time.monotonic() + duration_s
    while not stop.is_set():
        show(poll())
        left = _POLL_S if end is None else min(_POLL_S, end - time.monotonic())
        if finished() or left <= 0:
            return
        stop.wait(left)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error.strerror}") from error


def _run_name() -> str:
    """Sorts by time and is not used twice."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def _in_order(
    cameras: Sequence[Camera], statuses: Mapping[str, CameraStatus]
) -> dict[str, CameraStatus]:
    return {camera.id: statuses[camera.id] for camera in cameras}
