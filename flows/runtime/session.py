"""The session: wires the parts of a run together, and runs them."""

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
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
from flows.runtime.ray_cluster import exporter_address, refuse_bad_temporary_folder
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session_loop import SessionLoop
from flows.runtime.session_start import (
    HeldSentences,
    Hosting,
    held_home,
    open_serving_model,
    prepare_nodes,
    refuse_no_camera,
    refuse_what_cannot_run,
    run_name,
    start_serve,
    with_app_of,
)
from flows.runtime.signals import stop_on_signals
from flows.runtime.workers.planner import NAME, Planner
from flows.runtime.workers.stream_fleet import CONTROL_RESTARTED, Restart
from flows.runtime.workers.supervisor import Supervisor
from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import open_source
from serve.rollout.control.champions import city_champions
from serve.rollout.route_table import CHAMPION
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.cameras.camera_set import CameraSetWatcher
from streetloop.clock import SystemClock
from streetloop.host.structured_log import bind_ids
from streetloop.host.tracing import start_tracing, stop_tracing
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.model.find_model import find_model
from train.model.model_file import ModelFile

if TYPE_CHECKING:
    from flows.runtime.web_publisher import WebPublisher
    from serve.detector.applications import ServeApplications

_JOIN_S = 10.0
NO_CAMERA = "there is no camera yet: add one in the app, or by `streetloop camera add ID URI`"


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
    options, say = with_app_of(settings, options), HeldSentences(say)
    with held_home(settings) as lease:
        refuse_what_cannot_run(cameras, settings, options)
        joined = find_ray(options.address, os.environ, say)
        if joined is None:
            refuse_bad_temporary_folder(os.environ)
        with metrics_endpoint(settings, options.metrics_port) as metrics:
            model = open_serving_model(cameras, settings, say)
            hosting = Hosting(run_name(), lease, stop_on_signals)
            session = Session(cameras, settings, options, model, metrics, say, hosting)
            say("starting Ray on this machine" if joined is None else f"joining the Ray at {joined.text}")
            if joined is None:
                say.release()
            with (
                guarded_end(kill_marked) as guard,
                open_ray(
                    joined, serves=True, dashboard=options.dashboard, patience_s=guard.patience_s
                ) as shown_at,
            ):
                if joined is not None:
                    prepare_nodes(settings, cameras, say)
                    say.release()
                if shown_at is not None:
                    say(f"the Ray dashboard: {shown_at} (token: `ray get-auth-token`)")
                metrics.ray_address = exporter_address()
                summary = session.run(show, guard)
    show(summary.cameras)
    return summary


class Session:
    """The parts of one run.

    Args:
        file: Cameras of the camera file.
        settings: The settings of the run.
        options: What this run is asked for.
        model: The model that serves from the start.
        metrics: Answers Prometheus.
        say: Called with a sentence for people.
        hosting: Where it runs.
    """

    def __init__(
        self,
        file: Sequence[Camera],
        settings: Settings,
        options: RunOptions,
        model: ModelFile,
        metrics: MetricsEndpoint,
        say: Callable[[str], None],
        hosting: Hosting,
    ) -> None:
        self._file, self._settings, self._options = file, settings, options
        self._model, self._metrics, self._say = model, metrics, say
        self._hosting, self._run = hosting, hosting.run
        self._watcher = CameraSetWatcher(file, open_ledger(settings.ledger))
        self._watcher.poll()
        refuse_no_camera(self._watcher.current.cameras, options)
        refuse_uncountable(self._watcher.current.cameras, settings.classes, model.names)
        self._observers = Observers(self._watcher.current.ids, settings, model, say)
        self._deliveries = EventDeliveries(
            options.sinks, options.mutes, settings.ledger, settings.timezone, say
        )
        bind_ids(run=self._run)
        start_tracing(settings.otlp_url, run=self._run)

    def run(self, show: Callable[[Mapping[str, CameraStatus]], None], guard: EndGuard) -> RunSummary:
        """Deploy, wire and run; Ray has started.

        Args:
            show: Called twice a second with the state of the cameras.
            guard: Ends the process if its end hangs.
        """
        from flows.runtime.error_metrics import errors_counted
        from serve.detector.applications import ServeApplications

        life = RayLife(guard, outlives_head=self._hosting.is_detached)
        life.watch.start()
        applications = ServeApplications(self._settings)
        description = self._deploy(applications)
        champions = self._deploy_for_cities(applications)
        planner, supervisor = self._fleet()
        thread = ObserverThread(self._observers)
        observer = MeteredObserver(thread, self._observers.nearest_drift)
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
        with errors_counted() as errors, self._hosting.stops() as stop:
            self._say("starting the cameras" if self._watcher.current.cameras else NO_CAMERA)
            supervisor.start()
            self._deliveries.start()
            self._observers.start()
            thread.start()
            controllers.start()
            keeper.start()
            source = self._metrics_source(observer, errors.counts, controllers.replicas)
            source.start(self._metrics)
            began = self._hosting.began_at if self._hosting.is_resumed else time.time()
            life.on_death(stop.set)
            self._hosting.lease.on_loss(stop.set)
            loop.run(stop, self._options.duration_s, self._options.until, show)
            life.watch.look()
            life.end(controllers.close)
            keeper.close(_JOIN_S)
            last = supervisor.close(life.left_s)
            guard.step()
            if self._hosting.is_detached:
                supervisor.kill()
            seconds = time.time() - began
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
        summary = self._observers.add_to(summary)
        if self._hosting.lease.is_lost:
            lost = "another process runs the application of the ledger now: the run has ended"
            summary = dataclasses.replace(summary, faults=(*summary.faults, lost))
        return summary

    def _fleet(self) -> tuple[Planner, Supervisor]:
        """The workers, those that run already among them, and what plans those of later cameras."""
        from flows.runtime.control_plane.adoption import adopt_workers
        from flows.runtime.workers.worker import RayWorker

        cameras, hosting = self._watcher.current.cameras, self._hosting
        running = adopt_workers(cameras) if hosting.is_resumed else []
        taken = {camera.id for plan, _ in running for camera in plan.cameras}
        contract, options = self._model.contract, self._options
        planner = Planner(
            self._settings,
            self._run,
            contract.names,
            options.annotate,
            contract.input,
            options.sinks,
            first=1 + max((int(plan.name.removeprefix(NAME)) for plan, _ in running), default=-1),
        )
        plans = planner.plan([camera for camera in cameras if camera.id not in taken])
        spawn = partial(RayWorker, lifetime="detached" if hosting.is_detached else None)
        supervisor = Supervisor(plans, spawn, self._settings.replicas_min, running)
        if hosting.is_resumed:
            cause = f"its process died; {len(taken)} of {len(cameras)} cameras ran on meanwhile"
            supervisor.note_restart(Restart(CONTROL_RESTARTED, "control plane", datetime.now(UTC), cause))
        return planner, supervisor

    def _deploy(self, applications: "ServeApplications") -> dict[str, Any]:
        """Start Serve and the champion; what the champion says of itself."""
        from serve.detector.deployment import deploy

        start_serve(self._settings, with_app=self._options.app)
        self._say(f"loading {self._model.version}")
        if self._hosting.is_resumed:
            applications.load(CHAMPION, self._model)
            return applications.describe(CHAMPION)
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
        publisher = WebPublisher(
            settings, self._file, self._options.policy, self._model.names, is_resumed=self._hosting.is_resumed
        )
        host = "localhost" if settings.app_host == "127.0.0.1" else settings.app_host
        self._say(f"the app: http://{host}:{settings.app_port}/app (API: /docs)")
        return publisher

    def _metrics_source(
        self, observer: MeteredObserver, errors: Mapping[str, int], replicas: Callable[[], Mapping[str, int]]
    ) -> MetricsSource:
        def running() -> Sequence[str]:
            return self._watcher.current.ids

        return MetricsSource(self._settings, self._run, observer, running, errors, replicas)

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


def _in_order(ids: Sequence[str], statuses: Mapping[str, CameraStatus]) -> dict[str, CameraStatus]:
    running = {name: statuses[name] for name in ids if name in statuses}
    return {**running, **statuses}
