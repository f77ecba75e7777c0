"""The worker: the stream flow of several cameras in a process of its own, a Ray actor."""

import contextlib
import dataclasses
import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from math import inf
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.util.metrics import Gauge

from flows.event_sinks.detections.detection_stream import DetectionStream
from flows.event_sinks.open_sink import open_detection_sink
from flows.runtime.cluster.orphan import ParentDetector, when_orphaned
from flows.runtime.cluster.ray_life import head_address
from flows.runtime.cluster.ray_watch import is_listening
from flows.runtime.error_metrics import ErrorCount
from flows.runtime.workers.fence import PATIENCE_S, Fence, FencedStore
from flows.runtime.workers.planner import NAME, WorkerPlan
from flows.runtime.workers.stream_fleet import WorkerReport
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import FATES
from flows.stream.pipeline import StreamPipeline
from flows.stream.recording.recording import SpooledRecording
from flows.stream.sinks.annotated_video import Annotator
from flows.stream.sinks.anomaly_evidence import AnomalyEvidence
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.drift_sampler import DriftSampler, sample_s
from flows.stream.sinks.frame_log import FrameLog
from flows.stream.sinks.line_count_bins import LineCountBins
from flows.stream.sinks.live_preview import LivePreview
from flows.stream.sinks.stream_meter import StreamMeter
from flows.stream.sinks.triage import Triage, bands_of
from flows.stream.sources.registry import open_source
from serve.detector.deployment import cause_of
from serve.rollout.route_table import RouteTable
from streetloop.cameras.camera_file import asked_classes
from streetloop.clock import SystemClock
from streetloop.drawing.anonymise import Anonymiser, anonymised_cameras
from streetloop.errors import ProcessDied, StoreError
from streetloop.host.structured_log import begin_json_log, bind_ids
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectWriter
from train.ray_placement import worker_options

_log = logging.getLogger(__name__)

TITLE = "stream-worker/"
"""What the names of all workers in Ray begin with."""


class StreamWorker:
    """Runs a stream pipeline, and reports what it finds.

    Args:
        plan: What it is to do.

    Raises:
        ConfigError: A source or the object store cannot be opened with these settings.
    """

    def __init__(self, plan: WorkerPlan) -> None:
        _log_to_stderr(plan)
        self._plan = plan
        self._errors = ErrorCount()
        logging.getLogger().addHandler(self._errors)
        clock, settings = SystemClock(), plan.settings
        self._meter = StreamMeter(plan.name, clock)
        self._preview = LivePreview(plan.names, settings.confidence, settings.zone)
        self._drift_sampler = _drift_sampler(plan) if settings.drift else None
        self._triage = _triage(plan) if settings.triage else None
        self._counts = LineCountBins(plan.cameras)
        # What is on this machine alone has no writer elsewhere.
        self._fence = Fence(clock, inf if settings.store_url is None else PATIENCE_S)
        self._log_store = FencedStore(open_store(settings), self._fence)
        detection_log = _detection_log(plan, self._log_store)
        frame_log = _frame_log(plan, self._log_store)
        self._logs = (detection_log, frame_log)
        self._anomalies = AnomalyEvidence(open_store(settings), _anonymiser(plan), plan.run)
        self._streams = _detection_streams(plan)
        optional = (_annotator(plan), self._drift_sampler, self._triage)
        self._pipeline = StreamPipeline(
            [(camera, open_source(camera, clock, settings)) for camera in plan.cameras],
            ParentDetector,
            settings,
            clock,
            [
                detection_log,
                frame_log,
                self._preview,
                self._counts,
                self._meter,
                self._anomalies,
                *(sink for sink in optional if sink is not None),
                *self._streams,
            ],
            plan.generation,
            plan.names,
            None if self._triage is None else self._triage.add_disagreement,
            plan.model_input,
            self._counts.skip,
            frame_log.add,
            self._meter.answered,
            SpooledRecording(settings, open_store(settings), plan.run, clock),
        )
        self._pipeline.follow(plan.routes)
        self._log_store.start()
        self._head = head_address()
        when_orphaned(self._write_out)
        self._frames = Gauge(
            "streetloop_frames",
            "Goes with the next version: take streetloop_frames_total.",
            tag_keys=("camera", "fate"),
        )

    def start(self) -> None:
        """Start reading the cameras."""
        self._pipeline.start()

    def report(self) -> WorkerReport:
        """Every camera now, and what was found since the last report."""
        self._fence.note_call()
        finished = self._pipeline.wait(0)  # first: nothing comes after it
        return self._report(self._pipeline.snapshot(), finished)

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says."""
        self._plan = dataclasses.replace(self._plan, routes=table)
        self._pipeline.follow(table)

    def plan(self) -> WorkerPlan:
        """What it does now: with the cameras that it reads, and where it sends their frames."""
        return self._plan

    def pictures(
        self, after: Mapping[str, int], width: int, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """See `streetloop.control.port.Pictures.newest`."""
        counts = {
            camera: {line: totals.directions() for line, totals in status.lines.items()}
            for camera, status in self._pipeline.snapshot().items()
        }
        readers = [
            reader for reader in self._pipeline.readers if cameras is None or reader.camera.id in cameras
        ]
        return self._preview.pictures(readers, counts, after, width)

    def drop(self, cameras: Collection[str]) -> WorkerReport:
        """Stop some cameras for good; a report with the last status of each of them."""
        left = [camera for camera in self._plan.cameras if camera.id not in cameras]
        self._plan = dataclasses.replace(self._plan, cameras=left)
        return self._report(self._pipeline.drop(cameras))

    def close(self) -> WorkerReport:
        """Stop, write everything out; the last report."""
        self._fence.open_for_good()
        self._pipeline.close()
        try:
            self._log_store.close()
        except StoreError as error:
            _log.error("%s", error)
        return self._report(self._pipeline.snapshot(), finished=True)

    def _write_out(self) -> None:
        """Ray has died, and its end takes this process along some seconds later: logs first.

        A head that lives has given this node up, and has its cameras run elsewhere.
        """
        if not is_listening(self._head):
            self._fence.open_for_good()
        for sink in self._logs:
            with contextlib.suppress(StoreError):
                sink.close()
        with contextlib.suppress(StoreError):
            self._log_store.flush()
        self._pipeline.close()

    def _report(self, statuses: Mapping[str, CameraStatus], finished: bool = False) -> WorkerReport:
        for camera, status in statuses.items():
            for fate in (*FATES, "pending"):
                self._frames.set(getattr(status.account, fate), {"camera": camera, "fate": fate})
        return WorkerReport(
            statuses,
            finished,
            [] if self._drift_sampler is None else self._drift_sampler.collect(),
            [] if self._triage is None else self._triage.collect(),
            self._pipeline.evidence(),
            self._counts.collect(),
            self._pipeline.detectors(),
            self._meter.read(self._errors.counts, _counts(self._streams)),
            self._anomalies.collect(),
        )


def _log_to_stderr(plan: WorkerPlan) -> None:
    """Begin the log of the worker's process, which Ray keeps."""
    if plan.settings.log_format == "json":
        begin_json_log()
        bind_ids(run=plan.run, worker=plan.name)
    else:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")


def _detection_log(plan: WorkerPlan, store: ObjectWriter) -> DetectionLog:
    return DetectionLog(
        store,
        f"detections/run={plan.run}",
        f"{plan.name}-{plan.generation}",
        [camera.id for camera in plan.cameras],
        plan.names,
        plan.settings.log_flush_s,
        SystemClock(),
        plan.settings.confidence,
    )


def _frame_log(plan: WorkerPlan, store: ObjectWriter) -> FrameLog:
    return FrameLog(
        store, f"frames/run={plan.run}", f"{plan.name}-{plan.generation}", plan.settings.log_flush_s
    )


def _detection_streams(plan: WorkerPlan) -> list[DetectionStream]:
    return [
        DetectionStream(name, sink, open_detection_sink(sink), plan.names, plan.settings.confidence)
        for name, sink in plan.sinks.items()
    ]


def _counts(streams: Sequence[DetectionStream]) -> dict[tuple[str, str], int]:
    return {key: count for stream in streams for key, count in stream.counts().items()}


def _annotator(plan: WorkerPlan) -> Annotator | None:
    if plan.annotate is None:
        return None
    settings = plan.settings
    cameras, hide = list(plan.cameras), _anonymiser(plan)
    return Annotator(plan.annotate, cameras, plan.names, settings.confidence, settings.zone, hide)


def _drift_sampler(plan: WorkerPlan) -> DriftSampler:
    samples = {camera.id: sample_s(camera, plan.settings) for camera in plan.cameras}
    return DriftSampler(plan.names, plan.settings.drift_period_s, samples)


def _triage(plan: WorkerPlan) -> Triage:
    settings = plan.settings
    return Triage(
        open_store(settings),
        plan.names,
        settings.triage_period_s,
        settings.triage_random,
        {c.id: c.uri.reveal() for c in plan.cameras if c.uri.scheme == "sim"},
        bands_of(settings, plan.names),
        settings.confidence,
        seed=plan.generation,
        hide=_anonymiser(plan),
        run=plan.run,
        asked={camera.id: asked_classes(camera, settings.classes, plan.names) for camera in plan.cameras},
    )


def _anonymiser(plan: WorkerPlan) -> Anonymiser:
    return Anonymiser(anonymised_cameras(plan.cameras, plan.settings), plan.names)


def title_of(plan: WorkerPlan) -> str:
    """The name of a worker in Ray's dashboard, as ``stream-worker/3 kingsport-crossing +3``."""
    first, *others = (camera.id for camera in plan.cameras)
    title = f"{TITLE}{plan.name.removeprefix(NAME)} {first}"
    title += f" +{len(others)}" if others else ""
    return title + (f" ({plan.generation})" if plan.generation else "")


class RayWorker:
    """A `flows.runtime.workers.stream_fleet.WorkerHandle` of a Ray actor.

    Args:
        plan: What the worker is to do.
        lifetime: ``detached`` for one that outlives the process which starts it.
        running: The actor, if it runs already; none is started then.
    """

    def __init__(self, plan: WorkerPlan, lifetime: str | None = None, running: Any = None) -> None:
        self._name = plan.name
        self.host: Any = self._start_actor(plan, lifetime) if running is None else running

    @staticmethod
    def _start_actor(plan: WorkerPlan, lifetime: str | None) -> Any:
        # It reports and draws pictures while it starts or closes.
        where = worker_options(plan.settings, plan.site, is_bound=plan.is_bound)
        options = ray.remote(StreamWorker).options(
            name=title_of(plan), num_cpus=0.25, max_concurrency=6, lifetime=lifetime, **where
        )
        return options.remote(plan)

    def start(self) -> Future[None]:
        """See `WorkerHandle.start`."""
        return self._answer(self.host.start.remote())

    def report(self) -> Future[WorkerReport]:
        """See `WorkerHandle.report`."""
        return self._answer(self.host.report.remote())

    def follow(self, table: RouteTable) -> Future[None]:
        """See `WorkerHandle.follow`."""
        return self._answer(self.host.follow.remote(table))

    def drop(self, cameras: Collection[str]) -> Future[WorkerReport]:
        """See `WorkerHandle.drop`."""
        return self._answer(self.host.drop.remote(list(cameras)))

    def close(self) -> Future[WorkerReport]:
        """See `WorkerHandle.close`."""
        return self._answer(self.host.close.remote())

    def kill(self) -> None:
        """See `WorkerHandle.kill`."""
        ray.kill(self.host)

    def _answer(self, asked: Any) -> Future[Any]:
        """What a call of the actor comes to; death in the words of this project."""
        answer: Future[Any] = Future()

        def settle(done: Future[Any]) -> None:
            error = done.exception()
            if isinstance(error, RayActorError):
                error = ProcessDied(f"the process of {self._name} died: {cause_of(error)}")
            if error is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(error)

        asked.future().add_done_callback(settle)
        return answer
