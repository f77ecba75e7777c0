"""``streetloop run``: wires the parts of a run together, and runs them."""

import dataclasses
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.runtime.controllers import Controllers
from flows.runtime.observers.observer_thread import ObserverThread
from flows.runtime.observers.observers import Observers
from flows.runtime.planner import Planner
from flows.runtime.ray_cluster import local_ray
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session_loop import SessionLoop
from flows.runtime.signals import stop_on_signals
from flows.runtime.supervisor import Supervisor
from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import open_source, refuse_bad_source
from serve.rollout.control.champions import city_champions, serving_model
from serve.web.access import refuse_bad_address
from streetloop.camera_set import CameraSetWatcher
from streetloop.cameras import Camera, refuse_uncountable
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from streetloop.home import lock_home
from streetloop.ledger import open_ledger
from streetloop.proxies import refuse_socks
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from train.model.find_model import find_model
from train.model.model_file import ModelFile

if TYPE_CHECKING:
    from flows.runtime.web_publisher import WebPublisher
    from serve.detector.applications import ServeApplications


def run_streams(
    cameras: Sequence[Camera],
    settings: Settings,
    options: RunOptions,
    show: Callable[[Mapping[str, CameraStatus]], None],
    say: Callable[[str], None],
) -> RunSummary:
    """Read the cameras until the time is up, all have ended, or the process is told to stop.

    Args:
        cameras: Cameras of the camera file; the ledger has what was changed since.
        settings: The settings of the run.
        options: What this run is asked for.
        show: Called twice a second with the state of the cameras.
        say: Called with what is being done, and with drift and faults that begin or end.

    Raises:
        ConfigError: A recording cannot be played, the settings contradict each other, or another
            process runs in the home.
        ModelError: The model cannot be used.
        LedgerError: The ledger cannot be opened.
        ClusterError: Ray did not start.
        DetectorError: The detector or the app did not start.
        ProcessDied: A worker did not start.
    """
    options = dataclasses.replace(options, app=options.app and settings.app_port != 0)
    with lock_home(settings.home):
        _refuse_what_cannot_run(cameras, settings, options)
        session = _Session(cameras, settings, options, _open_model(cameras, settings, say), say)
        say("starting Ray on this machine")
        with local_ray(options.metrics_port):
            summary = session.run(show)
    show(summary.cameras)
    return summary


class _Session:
    """The parts of one run.

    Args:
        file: Cameras of the camera file.
        settings: The settings of the run.
        options: What this run is asked for.
        model: The model that serves from the start.
        say: Called with a sentence for people.
    """

    def __init__(
        self,
        file: Sequence[Camera],
        settings: Settings,
        options: RunOptions,
        model: ModelFile,
        say: Callable[[str], None],
    ) -> None:
        self._file, self._settings, self._options = file, settings, options
        self._model, self._say = model, say
        self._watcher = CameraSetWatcher(file, open_ledger(settings.ledger))
        self._watcher.poll()
        refuse_uncountable(self._watcher.current.cameras, settings.classes, model.names)
        self._observers = Observers(self._watcher.current.ids, settings, model, say)
        self._run = _run_name()

    def run(self, show: Callable[[Mapping[str, CameraStatus]], None]) -> RunSummary:
        """Deploy, wire and run; Ray has started."""
        from flows.runtime.error_metrics import errors_counted
        from flows.runtime.worker import RayWorker
        from serve.detector.applications import ServeApplications

        description = self._deploy()
        applications = ServeApplications(self._settings)
        champions = self._deploy_for_cities(applications)
        contract = self._model.contract
        planner = Planner(self._settings, self._run, contract.names, self._options.annotate, contract.input)
        observer = ObserverThread(self._observers)
        supervisor = Supervisor(planner.plan(self._watcher.current.cameras), RayWorker)
        loop = SessionLoop(
            self._watcher,
            supervisor,
            observer,
            self._web_publisher(),
            planner.plan,
            lambda camera: open_source(camera, SystemClock()),
            self._say,
        )
        controllers = self._controllers(supervisor, applications, champions)
        with errors_counted(), stop_on_signals() as stop:
            self._say("starting the cameras")
            supervisor.start()
            self._observers.start()
            observer.start()
            controllers.start()
            began = time.monotonic()
            loop.run(stop, self._options.duration_s, self._options.until, show)
            controllers.close()
            last = supervisor.close()
            seconds = time.monotonic() - began
            observer.observe(last)
            observer.close()
            self._observers.close()
        ids = self._watcher.current.ids
        statuses, removed = _in_order(ids, last.statuses), last.statuses.keys() - set(ids)
        store = open_store(self._settings)
        log, frames = (store.uri(f"{name}/run={self._run}") for name in ("detections", "frames"))
        summary = RunSummary(statuses, log, frames, description, seconds, removed=removed)
        return self._observers.add_to(summary)

    def _deploy(self) -> dict[str, Any]:
        """Start Serve and the champion; what the champion says of itself."""
        from serve.detector.deployment import deploy

        start_serve(self._settings, with_app=self._options.app)
        self._say(f"loading {self._model.version}")
        return deploy(self._model, self._settings)

    def _deploy_for_cities(self, applications: "ServeApplications") -> dict[str, str]:
        """Start the champions that cities have of their own; application by city."""
        champions = city_champions(self._settings, self._watcher.current.cameras)
        for city, application in champions.items():
            self._say(f"loading the champion of {city}")
            applications.deploy(application, find_model(application, self._settings))
        return champions

    def _web_publisher(self) -> "WebPublisher | None":
        if not self._options.app:
            return None
        from flows.runtime.web_publisher import WebPublisher

        self._say("starting the app")
        settings = self._settings
        publisher = WebPublisher(settings, self._file, self._options.policy, self._model.names)
        host = "localhost" if settings.app_host == "127.0.0.1" else settings.app_host
        self._say(f"the app: http://{host}:{settings.app_port}/app (API: /docs)")
        return publisher

    def _controllers(
        self, fleet: Supervisor, applications: "ServeApplications", champions: Mapping[str, str]
    ) -> Controllers:
        return Controllers(
            lambda: self._watcher.current.cameras,
            self._settings,
            self._model.names,
            fleet,
            applications,
            champions,
            self._options.policy,
            self._say,
            self._options.progress,
        )


def _refuse_what_cannot_run(cameras: Sequence[Camera], settings: Settings, options: RunOptions) -> None:
    clock = SystemClock()
    for camera in cameras:
        refuse_bad_source(camera, clock)
    if options.app:
        refuse_socks(os.environ)
        refuse_bad_address(settings)
    if options.annotate is not None:
        try:
            options.annotate.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{options.annotate}: cannot be made: {error.strerror}") from error


def _open_model(cameras: Sequence[Camera], settings: Settings, say: Callable[[str], None]) -> ModelFile:
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


def _run_name() -> str:
    """Sorts by time and is not used twice."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def _in_order(ids: Sequence[str], statuses: Mapping[str, CameraStatus]) -> dict[str, CameraStatus]:
    running = {name: statuses[name] for name in ids if name in statuses}
    return {**running, **statuses}
