"""``streetloop run``: cameras in, detections out."""

import dataclasses
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runtime.controllers import Controllers
from flows.runtime.observers import Observers
from flows.runtime.ray_cluster import local_ray
from flows.runtime.session_loop import SessionLoop
from flows.runtime.signals import stop_on_signals
from flows.runtime.summary import Summary
from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import refuse_bad_source
from serve.rollout.champions import city_champions, serving_model
from serve.rollout.policy import Policy
from serve.web.access import refuse_bad_address
from streetloop.camera_set import CameraSetWatcher
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from streetloop.ledger import open_ledger
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from train.fine_tuning.recipe import Progress
from train.model.find_model import find_model
from train.model.model_file import ModelFile

if TYPE_CHECKING:
    from flows.runtime.web_publisher import WebPublisher
    from flows.runtime.worker import WorkerPlan
    from serve.detector.applications import ServeApplications

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
        app: Whether the app and the API are served meanwhile.
    """

    duration_s: float | None = None
    annotate: Path | None = None
    metrics_port: int | None = None
    policy: Policy = field(default_factory=Policy)
    until: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    app: bool = False


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
    options = dataclasses.replace(options, app=options.app and settings.app_port != 0)
    _refuse_what_cannot_run(cameras, settings, options)
    if settings.model == BASELINE and any(c.uri.scheme != "sim" for c in cameras):
        say("the baseline knows the simulated city alone; for a real street give --model")
    say(f"opening the model {settings.model}")
    model = serving_model(settings)
    book = CameraSetWatcher(cameras, open_ledger(settings.ledger))
    book.look()
    observers = Observers(book.cameras, settings, model, say)
    say("starting Ray on this machine")
    with local_ray(options.metrics_port):
        from flows.runtime.error_metrics import errors_counted
        from flows.runtime.supervisor import Supervisor
        from serve.detector.applications import ServeApplications
        from serve.detector.deployment import deploy

        start_serve(settings, with_app=options.app)
        say(f"loading {model.version}")
        description = deploy(model, settings)
        applications = ServeApplications(settings)
        champion_applications = _deploy_for_cities(settings, book.cameras, applications, say)
        log_prefix = f"detections/run={_run_name()}"
        planner = Planner(settings, log_prefix, model, options.annotate)
        supervisor = Supervisor(planner.plan(book.cameras))
        web_publisher = _web_publisher(cameras, settings, options, model, say)
        running = SessionLoop(book, supervisor, observers, web_publisher, planner.plan, say)
        controllers = Controllers(
            lambda: book.cameras,
            settings,
            model.names,
            supervisor,
            applications,
            champion_applications,
            options.policy,
            say,
            options.progress,
        )
        with errors_counted(), stop_on_signals() as stop:
            say("starting the cameras")
            supervisor.start()
            observers.start()
            controllers.start()
            began = time.monotonic()

            def is_over() -> bool:
                return running.finished or options.until()

            _watch(running.look, is_over, stop, options.duration_s, show)
            controllers.close()
            statuses = supervisor.close()
            seconds = time.monotonic() - began
            observers.observe(supervisor)  # what ended since the last poll
            observers.close()
        show(statuses)
    log = open_store(settings).uri(log_prefix)
    return observers.add_to(Summary(_in_order(book.cameras, statuses), log, description, seconds))


def _refuse_what_cannot_run(cameras: Sequence[Camera], settings: Settings, options: RunOptions) -> None:
    clock = SystemClock()
    for camera in cameras:
        refuse_bad_source(camera, clock)
    if options.app:
        refuse_bad_address(settings)
    if options.annotate is not None:
        _make_folder(options.annotate)


def _deploy_for_cities(
    settings: Settings,
    cameras: Sequence[Camera],
    applications: "ServeApplications",
    say: Callable[[str], None],
) -> dict[str, str]:
    """Start the champions that cities have of their own; application by city."""
    champion_applications = city_champions(settings, cameras)
    for city, home in champion_applications.items():
        say(f"loading the champion of {city}")
        applications.deploy(home, find_model(home, settings))
    return champion_applications


def start_serve(settings: Settings, *, with_app: bool) -> None:
    """Start Serve, which listens only for the app."""
    import ray.serve

    if not with_app:
        ray.serve.start(proxy_location="Disabled")
        return
    where = {"host": settings.app_host, "port": settings.app_port, "access_log": False}
    ray.serve.start(proxy_location="HeadOnly", http_options=where)


def _web_publisher(
    cameras: Sequence[Camera],
    settings: Settings,
    options: RunOptions,
    model: ModelFile,
    say: Callable[[str], None],
) -> "WebPublisher | None":
    if not options.app:
        return None
    from flows.runtime.web_publisher import WebPublisher

    say("starting the app")
    web_publisher = WebPublisher(settings, cameras, options.policy, model.names)
    host = "localhost" if settings.app_host == "127.0.0.1" else settings.app_host
    say(f"the app: http://{host}:{settings.app_port}/app (API: /docs)")
    return web_publisher


class Planner:
    """Deals cameras out to workers.

    Args:
        settings: As given at the roof.
        log_prefix: Key of the detection log in the object store.
        model: What serves.
        annotate: Folder for annotated videos, or None.
    """

    def __init__(self, settings: Settings, log_prefix: str, model: ModelFile, annotate: Path | None) -> None:
        self._settings = settings.model_copy(update={"home": settings.home.absolute()})
        self._log_prefix, self._names = log_prefix, model.names
        self._annotate = None if annotate is None else annotate.absolute()
        self._count = 0

    def plan(self, cameras: Sequence[Camera]) -> list["WorkerPlan"]:
        """As few workers as hold the cameras; none of them bears the name of another."""
        from flows.runtime.worker import WorkerPlan

        size = self._settings.cameras_per_worker
        groups = [list(cameras[start : start + size]) for start in range(0, len(cameras), size)]
        first, self._count = self._count, self._count + len(groups)
        return [
            WorkerPlan(
                f"worker{first + i}", group, self._settings, self._log_prefix, self._names, self._annotate
            )
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


def _in_order(cameras: Sequence[Camera], statuses: Mapping[str, CameraStatus]) -> dict[str, CameraStatus]:
    running = {camera.id: statuses[camera.id] for camera in cameras if camera.id in statuses}
    return {**running, **statuses}
