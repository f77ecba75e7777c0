"""Frames to the labeler and labels back, for the frames whose classes the open model knows."""

from collections.abc import Collection

from labeling.class_guard import LabelGuard
from labeling.labeler import Labeler
from labeling.measured_quality import keep_measures, measure
from labeling.open_labeler import drifting, open_labeler, push
from labeling.queue import ReviewQueue
from streetloop.clock import SystemClock
from streetloop.control.views import LabelQualityView, LabelReportView, PullView, PushView
from streetloop.errors import ConfigError
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import ReviewState
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.model.class_names import guard_of
from train.model.model_file import open_model

_LABELED = (ReviewState.LABELED, ReviewState.IN_DATASET)


class LabelExchange:
    """The review queue of a home, as seen by the model of the settings.

    Args:
        settings: The model, the labeler, and where state is kept.
        ledger: Holds the review queue.
        store: Holds the images.

    Raises:
        ModelError: The model of the settings cannot be opened.
    """

    def __init__(self, settings: Settings, ledger: Ledger, store: ObjectStore) -> None:
        self._settings, self._ledger, self._store = settings, ledger, store
        self._guard: LabelGuard = guard_of(settings, open_model(settings.model, settings.models))
        self._queue = ReviewQueue(ledger, SystemClock(), fits=self._guard.fits)

    def push(self, choose: int) -> PushView:
        """See `streetloop.control.port.Control.push_labels`."""
        labeler = self._labeler()
        states = [ReviewState.PENDING, *([ReviewState.CANDIDATE] if choose else [])]
        refused = self._refusal(states)
        chosen = self._queue.choose(choose, drifting(self._ledger)) if choose else 0
        return PushView(chosen=chosen, pushed=push(self._queue, labeler), refused=refused)

    def pull(self) -> PullView:
        """See `streetloop.control.port.Control.pull_labels`."""
        labeler = self._labeler()
        refused = self._refusal([ReviewState.PUSHED])
        answers = self._queue.pull(labeler)
        keep_measures(self._ledger, self._guard)
        return PullView(answers=answers, waiting=len(self._queue.waiting()), refused=refused)

    def report(self, *, only_random: bool) -> LabelReportView:
        """See `streetloop.control.port.Control.label_report`."""
        refused = self._refusal(_LABELED)
        found = measure(self._ledger, self._guard, only_random=only_random)
        return LabelReportView(items=[LabelQualityView(**one.as_json()) for one in found], refused=refused)

    def _refusal(self, states: Collection[ReviewState]) -> str | None:
        refusal = self._guard.refusal(self._ledger, states)
        return None if refusal is None else str(refusal)

    def _labeler(self) -> Labeler:
        labeler = open_labeler(self._settings, self._guard.names, self._store, self._queue)
        if labeler is None:
            raise ConfigError("no labeler is set: give --labeler, or set STREETLOOP_LABELER")
        return labeler
