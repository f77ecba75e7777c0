"""What a session needs before it runs: the home, the lease of the ledger, and what is refused."""

import contextlib
import dataclasses
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flows.runtime.run_values import RunOptions
from flows.stream.sources.registry import refuse_bad_source
from serve.rollout.control.champions import serving_model
from serve.web.access.addresses import refuse_bad_address
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home
from streetloop.host.proxies import require_http_client
from streetloop.ledger import open_ledger
from streetloop.ledger.service.lease import Lease, hold_lease
from streetloop.settings import BASELINE, Settings
from streetloop.storage.local_state import local_state
from train.model.model_file import ModelFile


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where a session runs: in the process of a command, or in an actor that outlives it.

    Attributes:
        run: Name of the run, as in ``detections/run=NAME`` of the object store.
        lease: That of the ledger; the session ends when it is lost.
        stops: Makes the event that ends the session.
        is_detached: Whether workers outlive the process.
        is_resumed: Whether workers and detectors may run already.
        began_at: When the first process of the session began, in seconds since 1970.
    """

    run: str
    lease: Lease
    stops: Callable[[], AbstractContextManager[threading.Event]]
    is_detached: bool = False
    is_resumed: bool = False
    began_at: float = field(default_factory=time.time)


class HeldSentences:
    """Keeps what a command says until it can no longer be refused: a refusal is said alone.

    Args:
        say: Gets the sentences once they are released, and all later ones at once.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._held: list[str] | None = []

    def __call__(self, sentence: str) -> None:
        """Say a sentence, now or later."""
        if self._held is None:
            self._say(sentence)
        else:
            self._held.append(sentence)

    def release(self) -> None:
        """Nothing will be refused any more."""
        held, self._held = self._held or [], None
        for sentence in held:
            self._say(sentence)


@contextlib.contextmanager
def held_home(settings: Settings) -> Iterator[Lease]:
    """The right to run in a home, and the lease of its ledger, for the ``with`` block.

    Raises:
        ConfigError: Another process runs in the home, or holds the lease.
        LedgerError: The ledger cannot be opened.
    """
    with (
        lock_home(settings.home),
        contextlib.closing(open_ledger(settings.ledger)) as ledger,
        hold_lease(ledger) as lease,
    ):
        yield lease


def with_app_of(settings: Settings, options: RunOptions) -> RunOptions:
    """The options, without the app where the settings turn it off."""
    return dataclasses.replace(options, app=options.app and settings.app_port != 0)


def refuse_what_cannot_run(cameras: Sequence[Camera], settings: Settings, options: RunOptions) -> None:
    """Refuse sources, addresses and folders that cannot be used, before Ray starts.

    Raises:
        ConfigError: One of them; the message names it.
    """
    clock = SystemClock()
    for camera in cameras:
        refuse_bad_source(camera, clock, settings)
    if options.app:
        require_http_client(os.environ)
        refuse_bad_address(settings)
    if options.annotate is not None:
        try:
            options.annotate.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{options.annotate}: cannot be made: {error.strerror}") from error


def refuse_no_camera(cameras: Sequence[Camera], options: RunOptions) -> None:
    """Refuse a run that nobody could give a camera: there is none, and no app that adds one.

    Args:
        cameras: Of the camera file and of the ledger.
        options: Of the run, see `with_app_of`.

    Raises:
        ConfigError: It is such a run.
    """
    if not cameras and not options.app:
        raise ConfigError(
            "there is no camera, and no app that could add one: list one in the camera file, "
            "or add one by `streetloop camera add ID URI`"
        )


def prepare_nodes(settings: Settings, cameras: Sequence[Camera], say: Callable[[str], None]) -> None:
    """Refuse nodes that cannot reach the state, and say which cameras run elsewhere than asked."""
    from train.ray_placement import live_nodes, live_sites

    count, here = len(live_nodes()), local_state(settings)
    if count > 1 and here:
        moves = "; ".join(f"set {variable} {where}" for variable, where in here.items())
        raise ConfigError(f"this Ray has {count} nodes, and what they share is kept on this machine: {moves}")
    for site in sorted({camera.site for camera in cameras if camera.site} - live_sites()):
        say(f"no node has the resource site:{site}; its cameras run on others")


def open_serving_model(
    cameras: Sequence[Camera], settings: Settings, say: Callable[[str], None]
) -> ModelFile:
    """The model that serves from the start.

    Raises:
        ModelError: It cannot be used.
    """
    if settings.model == BASELINE and any(c.uri.scheme != "sim" for c in cameras):
        say("the baseline knows the simulated city alone; for a real street give --model")
    say(f"opening the model {settings.model}")
    return serving_model(settings)


def start_serve(settings: Settings, *, with_app: bool) -> None:
    """Start Ray Serve, which listens only if the app is served."""
    import ray.serve

    if not with_app:
        ray.serve.start(proxy_location="Disabled")
        return
    where = {"host": settings.app_host, "port": settings.app_port, "access_log": False}
    ray.serve.start(proxy_location="HeadOnly", http_options=where)


def run_name() -> str:
    """A name for a run. Sorts by time and is not used twice."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
