"""What listens to running streams from outside the workers: the watch over drift, and labels."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

from drift.measurement.period import DriftPeriod
from drift.monitor import LiveWatch
from flows.runtime.summary import Summary
from flows.stream.sinks.triage import bands_of
from labeling.label_loop import LabelLoop
from labeling.labeler import Labeler
from labeling.open_labeler import open_labeler
from labeling.queue import ReviewQueue
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.errors import LabelerRefused
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import Review
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.model.class_names import guard_of
from train.model.drift_reference import training_past
from train.model.model_file import ModelFile


class Streams(Protocol):
    """Where minutes and candidates come from."""

    def collect_periods(self) -> list[DriftPeriod]:
        """What cameras showed in the minutes that ended since the last call."""

    def collect_candidates(self) -> list[Review]:
        """Frames worth asking about that were found since the last call."""


class Observers:
    """The watch and the labels of one run, as far as the settings want them.

    Args:
        cameras: Which cameras run.
        settings: As given at the roof.
        model: The model in charge.
        tell: Called with a sentence for people.

    Raises:
        LedgerError: The ledger cannot be opened.
        ConfigError: A labeller is wanted, and it is not known how to reach it; or the model lacks
            a class of the settings.
    """

    def __init__(
        self, cameras: Sequence[Camera], settings: Settings, model: ModelFile, tell: Callable[[str], None]
    ) -> None:
        self._watch: LiveWatch | None = None
        self._labels: LabelLoop | None = None
        store = open_store(settings)
        if settings.drift or settings.triage:
            ledger = open_ledger(settings.ledger)
        if settings.drift:
            ids = [camera.id for camera in cameras]
            past = training_past(model)
            self._watch = LiveWatch(ids, settings, store, ledger, past, tell)
        if settings.triage:
            bands_of(settings, model.names)  # a worker's word would come late
            guard = guard_of(settings, model)
            queue = ReviewQueue(ledger, SystemClock(), fits=guard.fits)
            labeler = _open_labeler(settings, model.names, store, queue, tell)
            self._labels = LabelLoop(queue, store, labeler, settings, ledger, guard, tell)

    def start(self) -> None:
        """Begin."""
        if self._labels is not None:
            self._labels.start()

    def observe(self, streams: Streams) -> None:
        """Take what there is since the last call."""
        if self._watch is not None:
            self._watch.take(streams.collect_periods())
        if self._labels is not None:
            self._labels.add(streams.collect_candidates())

    def leave(self, cameras: Collection[str]) -> None:
        """Cameras were taken out, and all that they had to say is heard."""
        if self._watch is not None:
            self._watch.leave(cameras)

    def close(self) -> None:
        """Write out what is held back."""
        if self._labels is not None:
            self._labels.close()
        if self._watch is not None:
            self._watch.close()

    def add_to(self, summary: Summary) -> Summary:
        """The summary of the run with what was heard."""
        if self._watch is None:
            return summary
        return replace(summary, drift=self._watch.causes(), faults=tuple(self._watch.faults))


def _open_labeler(
    settings: Settings,
    names: Sequence[str],
    store: ObjectStore,
    queue: ReviewQueue,
    tell: Callable[[str], None],
) -> Labeler | None:
    """Whoever labels; nobody while they refuse us: streams do not depend on them."""
    try:
        return open_labeler(settings, names, store, queue)
    except LabelerRefused as error:
        tell(f"{error}; frames wait until the next start")
        return None
