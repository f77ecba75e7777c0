"""Frames to the labeler and labels back, and what people decide about labels."""

from collections.abc import Callable, Collection, Sequence

from labeling.labeler import Labeler
from labeling.measured_quality import keep_measures, measure
from labeling.older_frames import OlderFrames
from labeling.open_labeler import drifting, open_labeler, push
from labeling.queue import ReviewQueue
from labeling.teacher.ledger_checks import LedgerChecks
from labeling.teacher.trust import Trust, TrustPolicy
from streetloop.clock import SystemClock
from streetloop.control.label_views import (
    ExchangeView,
    LabelProblemView,
    LabelQualityView,
    LabelReportView,
    TeacherPrecisionView,
)
from streetloop.errors import ConfigError, ModelError
from streetloop.ledger import Ledger
from streetloop.ledger.review_moves import ask_anew, confirm_labels, reopen_rejected
from streetloop.ledger.reviews import (
    FrameRecord,
    ReviewState,
    count_doubted,
    list_doubted,
    list_reviews,
    list_unnamed_versions,
)
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from train.model.class_names import older_frames
from train.model.find_model import find_model
from train.model.model_file import ModelFile
from train.teacher import open_teacher

_LABELED = (ReviewState.LABELED, ReviewState.IN_DATASET)
_LEAST_PREFIX = 6  # characters of a digest that name a frame


class LabelExchange:
    """The review queue of a home.

    Args:
        settings: The labeler, where state is kept, and a model that may have found older frames.
        ledger: Holds the review queue.
        store: Holds the images.
        default_model: The model of the settings without flags and camera file, by which older
            versions named classes; None if unknown.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, store: ObjectStore, default_model: str | None
    ) -> None:
        self._settings, self._ledger, self._store = settings, ledger, store
        self._default_model = default_model
        self._queue = ReviewQueue(ledger, SystemClock())
        self._older = self._settled()

    def push(self, choose: int) -> ExchangeView:
        """See `streetloop.control.port.Control.push_labels`."""
        labeler = self._labeler()
        refused = self._refusal([ReviewState.PENDING, *([ReviewState.CANDIDATE] if choose else [])])
        chosen = self._queue.choose(choose, drifting(self._ledger)) if choose else 0
        pushed = push(self._queue, labeler)
        return ExchangeView(chosen=chosen, pushed=pushed, waiting=self._waiting(), refused=refused)

    def pull(self) -> ExchangeView:
        """See `streetloop.control.port.Control.pull_labels`."""
        labeler = self._labeler()
        refused = self._refusal([ReviewState.PUSHED])
        found = self._queue.pull(labeler)
        keep_measures(self._ledger)
        return ExchangeView(
            answered=found.labels, rejected=found.rejected, waiting=self._waiting(), refused=refused
        )

    def report(self, *, only_random: bool) -> LabelReportView:
        """See `streetloop.control.port.Control.label_report`."""
        refused = self._refusal(_LABELED)
        found = measure(self._ledger, only_random=only_random)
        return LabelReportView(items=[LabelQualityView(**one.as_json()) for one in found], refused=refused)

    def problems(self, *, rejected: bool, suspect: bool) -> list[LabelProblemView]:
        """See `streetloop.control.port.Control.label_problems`."""
        bad = self._rejected() if rejected else []
        doubted = list_doubted(self._ledger) if suspect else []
        found = [(frame, frame.note) for frame in bad] + [(frame, frame.doubt) for frame in doubted]
        return [
            LabelProblemView(digest=f.digest, camera=f.camera_id, reason=why or "", url=f.url)
            for f, why in found
        ]

    def reopen(self, digests: Sequence[str], *, rejected: bool, suspect: bool) -> int:
        """See `streetloop.control.port.Control.reopen_labels`."""
        bad = {one.digest: reopen_rejected for one in self._rejected()}
        doubted = {one.digest: ask_anew for one in list_doubted(self._ledger)}
        every: dict[str, Callable[[Ledger, Collection[str]], int]] = {**bad, **doubted}
        named = _resolved(digests, every, "rejected or suspect")
        wanted = [*named, *(bad if rejected else ()), *(doubted if suspect else ())]
        return sum(every[digest](self._ledger, [digest]) for digest in dict.fromkeys(wanted))

    def confirm(self, digests: Sequence[str], *, suspect: bool) -> int:
        """See `streetloop.control.port.Control.confirm_labels`."""
        if (refused := self._older.refusal([*_LABELED, ReviewState.PUSHED])) is not None:
            raise refused
        doubted = [one.digest for one in list_doubted(self._ledger)]
        wanted = [*_resolved(digests, doubted, "suspect"), *(doubted if suspect else ())]
        return confirm_labels(self._ledger, wanted)

    def teacher_precision(self) -> list[TeacherPrecisionView]:
        """See `streetloop.control.port.Control.teacher_precision`."""
        teacher = open_teacher(self._settings, self._store)
        if teacher is None:
            raise ConfigError("no teacher is set: give --labeler teacher, or set STREETLOOP_LABELER=teacher")
        trust = Trust(
            TrustPolicy(self._settings.teacher_level), LedgerChecks(self._ledger, teacher.name).all()
        )
        return [
            TeacherPrecisionView(
                teacher=teacher.name,
                camera=camera,
                **{"class": name},
                checked=found.checked,
                right=found.right,
                precision=round(found.share, 4),
                low=round(found.low, 4),
                high=round(found.high, 4),
                alone=alone,
            )
            for camera, name, found, alone in trust.precisions()
        ]

    def _rejected(self) -> list[FrameRecord]:
        return list_reviews(self._ledger, [ReviewState.REJECTED])

    def _waiting(self) -> int:
        return len(self._queue.waiting())

    def _refusal(self, states: Collection[ReviewState]) -> str | None:
        refusal = self._older.refusal(states)
        return None if refusal is None else str(refusal)

    def _settled(self) -> OlderFrames:
        """Names the classes of older frames; opens models only where there are such frames."""
        models: list[ModelFile | None] = []
        default: ModelFile | None = None
        if list_unnamed_versions(self._ledger, list(ReviewState)) or count_doubted(self._ledger):
            default = None if self._default_model is None else self._open(self._default_model)
            models = [default]
            if self._default_model is None:
                models.append(self._open(self._settings.model))
            elif self._settings.model != self._default_model:  # somebody named it for this call
                models.append(find_model(self._settings.model, self._settings))
        asked_with = None if default is None else default.names
        opened = [model for model in models if model is not None]
        older = older_frames(self._settings, self._ledger, opened, asked_with)
        older.settle()
        return older

    def _open(self, name: str) -> ModelFile | None:
        """A model that is asked for its names only; None if it cannot be opened."""
        try:
            return find_model(name, self._settings)
        except ModelError:
            return None

    def _labeler(self) -> Labeler:
        teacher = open_teacher(self._settings, self._store)
        labeler = open_labeler(self._settings, self._store, self._queue, teacher=teacher)
        if labeler is None:
            raise ConfigError("no labeler is set: give --labeler, or set STREETLOOP_LABELER")
        return labeler


def _resolved(prefixes: Sequence[str], digests: Collection[str], what: str) -> list[str]:
    """The digests that begin like these.

    Raises:
        ConfigError: None begins like one of them, or several do.
    """
    found = []
    for prefix in prefixes:
        matches = [digest for digest in digests if digest.startswith(prefix)]
        if len(matches) != 1 or len(prefix) < _LEAST_PREFIX:
            many = f"{len(matches)} frames begin" if matches else f"no {what} frame begins"
            raise ConfigError(f"{many} with {prefix[:70]!r}; `streetloop label status` lists them")
        found += matches
    return found
