"""``streetloop run``: wires the parts of a run together, and runs them."""

import dataclasses
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.event_sinks.deliveries import EventDeliveries
from flows.runtime.archive_keeper import archive_keeper
from flows.runtime.cluster.end_guard import EndGuard, guarded_end
from flows.runtime.cluster.open_ray import open_ray
from flows.runtime.cluster.ray_address import find_ray
from flows.runtime.cluster.ray_life import RayLife
from flows.runtime.cluster.ray_processes import kill_marked
from flows.runtime.controllers import Controllers
from flows.runtime.metrics.endpoint import MetricsEndpoint, metrics_endpoint
from flows.runtime.metrics.metrics_source import MetricsSource
from flows.runtime.metrics.readings import MeteredObserver
from flows.runtime.observers.observer_thread import ObserverThread
from flows.runtime.observers.observers import Observers
from flows.runtime.ray_cluster import exporter_address
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session_loop import SessionLoop
from flows.runtime.signals import stop_on_signals
from flows.runtime.workers.planner import Planner
from flows.runtime.workers.supervisor import Supervisor
from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import open_source, refuse_bad_source
from serve.rollout.control.champions import city_champions, serving_model
from serve.web.access.addresses import refuse_bad_address
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.cameras.camera_set import CameraSetWatcher
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home
from streetloop.host.proxies import refuse_socks
from streetloop.host.structured_log import bind_ids
from streetloop.host.tracing import start_tracing, stop_tracing
from streetloop.ledger import open_ledger
from streetloop.settings import BASELINE, Settings
from streetloop.storage.local_state import local_state
from streetloop.storage.open import open_store
from train.model.find_model import find_model
from train.model.model_file import ModelFile

if TYPE_CHECKING:
    from flows.runtime.web_publisher import WebPublisher
    from serve.detector.applications import ServeApplications

_JOIN_S = 10.0


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
        ConfigError: A recording cannot be played, the settings contradict each other, another
            process runs in the home, or the Ray of the options cannot be joined.
        ModelError: The model cannot be used.
        LedgerError: The ledger cannot be opened.
        ClusterError: Ray did not start.
        DetectorError: The detector or the app did not start.
        ProcessDied: A worker did not start.
    """
    options = dataclasses.replace(options, app=options.app and settings.app_port != 0)
    with lock_home(settings.home):
        _refuse_what_cannot_run(cameras, settings, options)
        joined = find_ray(options.address, os.environ, say)
        with metrics_endpoint(settings, options.metrics_port) as metrics:
            model = _open_model(cameras, settings, say)
            session = _Session(cameras, settings, options, model, metrics, say)
            say("starting Ray on this machine" if joined is None else f"joining the Ray at {joined.text}")
            with (
                guarded_end(kill_marked) as guard,
                open_ray(
                    joined, serves=True, dashboard=options.dashboard, patience_s=guard.patience_s
                ) as shown_at,
            ):
                if shown_at is not None:
                    say(f"the Ray dashboard: {shown_at} (token: `ray get-auth-token`)")
                if joined is not None:
                    _prepare_nodes(settings, cameras, say)
                metrics.ray_address = exporter_address()
                summary = session.run(show, guard)
    show(summary.cameras)
    return summary


class _Session:
    """The parts of one run.

    Args:
        file: Cameras of the camera file.
        settings: The settings of the run.
        options: What this run is asked for.
        model: The model that serves from the start.
        metrics: Answers Prometheus.
        say: Called with a sentence for people.
    """

    def __init__(
        self,
        file: Sequence[Camera],
        settings: Settings,
        options: RunOptions,
        model: ModelFile,
        metrics: MetricsEndpoint,
        say: Callable[[str], None],
    ) -> None:
        self._file, self._settings, self._options = file, settings, options
        self._model, self._metrics, self._say = model, metrics, say
        self._watcher = CameraSetWatcher(file, open_ledger(settings.ledger))
        self._watcher.poll()
        refuse_uncountable(self._watcher.current.cameras, settings.classes, model.names)
        self._observers = Observers(self._watcher.current.ids, settings, model, say)
        self._deliveries = EventDeliveries(
            options.sinks, options.mutes, settings.ledger, settings.timezone, say
        )
        self._run = _run_name()
        bind_ids(run=self._run)
        start_tracing(settings.otlp_url, run=self._run)

    def run(self, show: Callable[[Mapping[str, CameraStatus]], None], guard: EndGuard) -> RunSummary:
        """Deploy, wire and run; Ray has started.

        Args:
            show: Called twice a second with the state of the cameras.
            guard: Ends the process if its end hangs.
        """
        from flows.runtime.error_metrics import errors_counted
        from flows.runtime.workers.worker import RayWorker
        from serve.detector.applications import ServeApplications

        life = RayLife(guard)
        life.watch.start()
        description = self._deploy()
        applications = ServeApplications(self._settings)
        champions = self._deploy_for_cities(applications)
        planner = self._planner()
        thread = ObserverThread(self._observers)
        observer = MeteredObserver(thread, self._observers.nearest_drift)
        plans = planner.plan(self._watcher.current.cameras)
        supervisor = Supervisor(plans, RayWorker, self._settings.replicas_min)
        loop = SessionLoop(
            self._watcher,
            supervisor,
            observer,
            self._web_publisher(),
            planner.plan,
            lambda camera: open_source(camera, SystemClock(), self._settings),
            self._say,
        )
        controllers = self._controllers(supervisor, applications, champions)
        keeper = archive_keeper(self._settings, lambda: self._watcher.current.cameras, self._say)
        with errors_counted() as errors, stop_on_signals() as stop:
            self._say("starting the cameras")
            supervisor.start()
            self._deliveries.start()
            self._observers.start()
            thread.start()
            controllers.start()
            keeper.start()
            source = self._metrics_source(observer, errors.counts)
            source.start(self._metrics)
            began = time.monotonic()
            life.on_death(stop.set)
            loop.run(stop, self._options.duration_s, self._options.until, show)
            life.watch.look()
            life.end(controllers.close)
            keeper.close(_JOIN_S)
            last = supervisor.close(life.left_s)
            guard.step()
            seconds = time.monotonic() - began
            observer.observe(last)
            thread.close()
            source.close()
            self._observers.close()
            life.watch.close()
            guard.step()
            self._deliveries.close()  # the last: it sends the ends of events, too
            stop_tracing()
        return self._summary(last.statuses, description, seconds, life.death)

    def _summary(
        self,
        statuses: Mapping[str, CameraStatus],
        model: Mapping[str, Any],
        seconds: float,
        ray_died: str | None,
    ) -> RunSummary:
        ids = self._watcher.current.ids
        store = open_store(self._settings)
        log, frames = (store.uri(f"{name}/run={self._run}") for name in ("detections", "frames"))
        ordered, removed = _in_order(ids, statuses), statuses.keys() - set(ids)
        summary = RunSummary(ordered, log, frames, model, seconds, removed=removed, ray_died=ray_died)
        return self._observers.add_to(summary)

    def _planner(self) -> Planner:
        contract, options = self._model.contract, self._options
        return Planner(
            self._settings, self._run, contract.names, options.annotate, contract.input, options.sinks
        )

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

    def _metrics_source(self, observer: MeteredObserver, errors: Mapping[str, int]) -> MetricsSource:
        return MetricsSource(self._settings, self._run, observer, lambda: self._watcher.current.ids, errors)

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
        refuse_bad_source(camera, clock, settings)
    if options.app:
        refuse_socks(os.environ)
        refuse_bad_address(settings)
    if options.annotate is not None:
        try:
            options.annotate.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{options.annotate}: cannot be made: {error.strerror}") from error


def _prepare_nodes(settings: Settings, cameras: Sequence[Camera], say: Callable[[str], None]) -> None:
    """Refuse nodes that cannot reach the state, and say which cameras run elsewhere than asked."""
    from train.ray_placement import live_nodes, live_sites

    count, here = len(live_nodes()), local_state(settings)
    if count > 1 and here:
        moves = "; ".join(f"set {variable} {where}" for variable, where in here.items())
        raise ConfigError(f"this Ray has {count} nodes, and what they share is kept on this machine: {moves}")
    for site in sorted({camera.site for camera in cameras if camera.site} - live_sites()):
        say(f"no node has the resource site:{site}; its cameras run on others")


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
