"""What reads the reports of running streams: line counts, outages, drift, and the label loop."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from drift.monitor import LiveWatch
from drift.watch import NearestFeature
from flows.runtime.observers.anomaly_recorder import AnomalyRecorder
from flows.runtime.observers.count_recorder import CountRecorder
from flows.runtime.observers.minute_recorder import MinuteRecorder
from flows.runtime.observers.outage_recorder import OutageRecorder
from flows.runtime.run_values import RunSummary
from flows.runtime.workers.stream_fleet import FleetReport
from flows.stream.sinks.triage import bands_of
from labeling.label_loop import LabelLoop
from labeling.labeler import Labeler
from labeling.open_labeler import open_labeler
from labeling.queue import ReviewQueue
from streetloop.city.render.shapes import CLASSES
from streetloop.clock import SystemClock
from streetloop.errors import LabelerRefused
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.model.class_names import older_frames
from train.model.drift_reference import training_past
from train.model.model_file import ModelFile
from train.teacher import open_teacher


class Observers:
    """What one run records: line counts, and drift and labels as far as the settings turn them on.

    Args:
        cameras: Ids of the cameras that run.
        settings: ``drift`` and ``triage`` turn them on.
        model: The model in charge; its training frames are what a new camera is compared with.
        tell: Called with a sentence for people.

    Raises:
        LedgerError: The ledger cannot be opened.
        ConfigError: The settings name a labeler and not how to reach it, or a class that the model
            lacks.
    """

    def __init__(
        self, cameras: Sequence[str], settings: Settings, model: ModelFile, tell: Callable[[str], None]
    ) -> None:
        self._counts = CountRecorder(settings.ledger, tell)
        self._minutes = MinuteRecorder(settings.ledger, SystemClock(), tell)
        self._outages = OutageRecorder(settings.ledger, SystemClock(), tell)
        self._anomalies = AnomalyRecorder(settings.ledger, SystemClock(), tell)
        self._watch: LiveWatch | None = None
        self._labels: LabelLoop | None = None
        store = open_store(settings)
        if settings.drift or settings.triage:
            ledger = open_ledger(settings.ledger)
        if settings.drift:
            past = training_past(model)
            self._watch = LiveWatch(cameras, settings, store, ledger, past, tell)
        if settings.triage:
            bands_of(settings, model.names)  # a worker would refuse them late
            # With another model than the shipped one, nobody knows what the label commands opened.
            asked_with = model.names if model.names == CLASSES else None
            older = older_frames(settings, ledger, [model], asked_with)
            queue = ReviewQueue(ledger, SystemClock())
            labeler = _open_labeler(settings, store, queue, tell)
            self._labels = LabelLoop(queue, store, labeler, settings, ledger, older, tell)

    def start(self) -> None:
        """Start the label loop."""
        if self._labels is not None:
            self._labels.start()

    def observe(self, report: FleetReport) -> None:
        """Write what the report counts, judge its periods for drift, note candidates."""
        self._counts.take(report.counts)
        self._minutes.take(report.statuses)
        self._outages.take(report)
        self._anomalies.take(report)
        if self._watch is not None:
            self._watch.take(report.periods)
        if self._labels is not None:
            self._labels.add(report.candidates)

    def leave(self, cameras: Collection[str]) -> None:
        """End the outages, anomalies, drift and faults of cameras that were removed."""
        self._minutes.leave(cameras)
        self._outages.leave(cameras)
        self._anomalies.leave(cameras)
        if self._watch is not None:
            self._watch.leave(cameras)

    def nearest_drift(self) -> dict[str, NearestFeature]:
        """By camera, the drift feature that is nearest to its threshold; any thread may call it."""
        return {} if self._watch is None else self._watch.nearest()

    def close(self) -> None:
        """Stop the threads, and write out what is held back."""
        if self._labels is not None:
            self._labels.close()
        if self._watch is not None:
            self._watch.close()
        self._counts.close()
        self._minutes.close()
        self._outages.close()
        self._anomalies.close()

    def add_to(self, summary: RunSummary) -> RunSummary:
        """The summary of the run with the drift and the faults that were found."""
        faults = tuple(self._counts.faults)
        summary = replace(summary, covered_s=self._counts.covered_s)
        if self._watch is None:
            return replace(summary, faults=faults)
        return replace(summary, drift=self._watch.causes(), faults=(*self._watch.faults, *faults))


def _open_labeler(
    settings: Settings, store: ObjectStore, queue: ReviewQueue, tell: Callable[[str], None]
) -> Labeler | None:
    """The labeler of the settings; None if it refuses us, since streams do not depend on it."""
    try:
        return open_labeler(settings, store, queue, teacher=open_teacher(settings, store))
    except LabelerRefused as error:
        tell(f"{error}; frames wait until the next start")
        return None
