"""The Ray actors of the stream flow."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import ray
from ray.actor import ActorHandle
from ray.util.metrics import Gauge

from drift.measurement.period import DriftPeriod
from flows.runtime.error_metrics import ErrorCount
from flows.stream.analysis.results import Sink
from flows.stream.analysis.status import CameraStatus
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.annotated_video import Annotator
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.drift_sampler import DriftSampler, sample_s
from flows.stream.sinks.live_preview import LivePreview
from flows.stream.sinks.triage import Triage, bands_of
from flows.stream.sources.registry import open_source
from serve.detector.deployment import ServeDetector
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.ledger.reviews import Review
from streetloop.settings import Settings
from streetloop.storage.open import open_store


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one worker is to do.

    Attributes:
        name: Tells its objects in the detection log from those of others.
        cameras: The cameras it hosts.
        settings: As given at the roof.
        log_prefix: Key of the detection log in the object store.
        names: Class names of the model.
        annotate: Folder for annotated videos, or None.
        generation: How many workers of this plan have died before.
        routes: Who answers for which camera at the start.
    """

    name: str
    cameras: list[Camera]
    settings: Settings
    log_prefix: str
    names: tuple[str, ...]
    annotate: Path | None
    generation: int = 0
    routes: RouteTable = field(default_factory=RouteTable)


class StreamWorker:
    """Hosts the stream flow of several cameras in a process of its own."""

    def __init__(self, plan: WorkerPlan) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
        logging.getLogger().addHandler(ErrorCount())
        clock = SystemClock()
        settings = plan.settings
        log = DetectionLog(
            open_store(settings),
            plan.log_prefix,
            f"{plan.name}-{plan.generation}",
            [camera.id for camera in plan.cameras],
            plan.names,
            settings.log_flush_s,
            clock,
        )
        self._view = LivePreview(plan.names, settings.confidence)
        sinks: list[Sink] = [log, self._view]
        if plan.annotate is not None:
            sinks.append(Annotator(plan.annotate, plan.cameras, plan.names, settings.confidence))
        self._drift_sampler: DriftSampler | None = None
        if settings.drift:
            samples = {camera.id: sample_s(camera, settings) for camera in plan.cameras}
            self._drift_sampler = DriftSampler(plan.names, settings.drift_period_s, samples)
            sinks.append(self._drift_sampler)
        self._triage: Triage | None = None
        if settings.triage:
            self._triage = _triage(plan)
            sinks.append(self._triage)
        sources = [(camera, open_source(camera, clock, settings.stall_s)) for camera in plan.cameras]
        self._pipeline = StreamPipeline(
            sources,
            ServeDetector,
            settings,
            clock,
            sinks,
            plan.generation,
            plan.names,
            None if self._triage is None else self._triage.contradict,
        )
        self._pipeline.follow(plan.routes)
        self._frames = Gauge(
            "streetloop_frames",
            "Frames of a camera so far by what became of them; 'decoded' is the sum of the others.",
            tag_keys=("camera", "fate"),
        )

    def start(self) -> None:
        """Begin."""
        self._pipeline.start()

    def snapshot(self) -> dict[str, CameraStatus]:
        """Every camera now."""
        statuses = self._pipeline.snapshot()
        for camera, status in statuses.items():
            account = status.account
            for fate in ("decoded", "detected", "gated", "dropped", "failed", "pending"):
                self._frames.set(getattr(account, fate), {"camera": camera, "fate": fate})
        return statuses

    def minutes(self) -> list[DriftPeriod]:
        """The minutes of all cameras that ended since the last call."""
        return [] if self._drift_sampler is None else self._drift_sampler.collect()

    def candidates(self) -> list[Review]:
        """The frames worth asking about that were found since the last call."""
        return [] if self._triage is None else self._triage.collect()

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says."""
        self._pipeline.follow(table)

    def evidence(self) -> Evidence:
        """What was found about a challenger since the last call."""
        return self._pipeline.evidence()

    def pictures(self, after: Mapping[str, int], width: int) -> dict[str, tuple[int, bytes]]:
        """See `streetloop.control.Pictures.newest`."""
        counts = {name: status.lines for name, status in self._pipeline.snapshot().items()}
        return self._view.pictures(self._pipeline.readers, counts, after, width)

    def drop(self, cameras: Collection[str]) -> dict[str, CameraStatus]:
        """Stop some cameras for good; the last word on each."""
        return self._pipeline.drop(cameras)

    def finished(self) -> bool:
        """True if every camera has ended by itself and all is written."""
        return self._pipeline.wait(0)

    def close(self) -> dict[str, CameraStatus]:
        """Stop, write everything out, and give the last word on every camera."""
        self._pipeline.close()
        return self.snapshot()


def _triage(plan: WorkerPlan) -> Triage:
    settings = plan.settings
    return Triage(
        open_store(settings),
        plan.names,
        settings.triage_period_s,
        settings.triage_random,
        {c.id: c.uri.reveal() for c in plan.cameras if c.uri.scheme == "sim"},
        bands_of(settings, plan.names),
        seed=plan.generation,
    )


def spawn(plan: WorkerPlan) -> "ActorHandle[StreamWorker]":
    """A new worker actor; a snapshot is answered while it starts, draws or closes."""
    options = ray.remote(StreamWorker).options(num_cpus=0.25, max_concurrency=6)
    return cast("ActorHandle[StreamWorker]", options.remote(plan))
