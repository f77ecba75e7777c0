"""The queue of frames in the ledger: each goes from candidate to label, and no answer counts twice.

A process may be killed between any two statements; the next one continues where it was.
"""

import logging
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from labeling.answers import Answer, Labeled, Quarantined, Skipped
from labeling.labeler import Labeler
from labeling.selection import Drift, SelectionPolicy, boosted, select
from streetloop.boxes import Boxes, ids_by_name, to_boxes
from streetloop.clock import Clock
from streetloop.host.structured_log import ids
from streetloop.ledger import Ledger, review_moves, reviews
from streetloop.ledger.lookups.frame_name import frame_name_of
from streetloop.ledger.review_moves import AnswerSource, Choice
from streetloop.ledger.reviews import AskedFrame, Candidate, FrameRecord, ReviewState, SelectionReason

_log = logging.getLogger(__name__)

_DRIFT_SCORE = 0.4  # of a confident frame that shows drift
_DAY = timedelta(days=1)
_POLICY = SelectionPolicy()
_NO_DRIFT: Mapping[str, Drift] = {}
_ASKED = frozenset(ReviewState) - {ReviewState.CANDIDATE, ReviewState.EXPIRED}
_TAKES_ANSWERS = (ReviewState.PUSHED, ReviewState.LABELED, ReviewState.IN_DATASET, ReviewState.REJECTED)
_MAX_NAMED = 10  # classes in one sentence


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull took over: labels, and answers that cannot be used; also changed ones."""

    labels: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """All answers."""
        return self.labels + self.rejected


class ReviewQueue:
    """Moves frames from the cameras to the labeler and stores the answers.

    Frames of models whose class names are unknown stay as they are.

    Args:
        ledger: Stores the frames.
        clock: The current time.
        policy: How frames are selected.
        kept: How long a frame may wait to be chosen and pushed; then it expires.

    Attributes:
        ledger: Stores the frames.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        policy: SelectionPolicy = _POLICY,
        kept: timedelta = timedelta(days=3),
    ) -> None:
        self.ledger = ledger
        self._clock = clock
        self._policy = policy
        self._kept = kept

    def add(self, candidates: Iterable[FrameRecord]) -> None:
        """Store candidates; a frame that is already stored stays unchanged."""
        found = list(candidates)
        reviews.add_reviews(self.ledger, found)
        for one in found:
            name = frame_name_of(one.camera_id, one.origin)
            about = ids(frame=one.digest, frame_name=name, camera=one.camera_id, version=one.model_version)
            _log.info("a frame is a candidate: %s", one.reason, extra=about)

    def choose(
        self, budget: int, drifting: Mapping[str, Drift] = _NO_DRIFT, every_s: float = _DAY.total_seconds()
    ) -> int:
        """Choose frames to label; returns how many.

        Args:
            budget: Largest number of frames a day, from midnight UTC, with those already chosen.
            drifting: Drift by camera; frames captured since its start score higher.
            every_s: Seconds between two calls. The budget is spread over the day, so that frames
                of all hours are chosen. With the default, all of it may be spent at once.
        """
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = min(((now - midnight).total_seconds() + every_s) / _DAY.total_seconds(), 1.0)
        budget = math.ceil(budget * passed)
        left = budget - reviews.count_chosen(self.ledger, midnight)
        if left <= 0:
            return 0
        found = reviews.list_candidates(
            self.ledger, [ReviewState.CANDIDATE], now - self._kept, of_known_classes=True
        )
        # Every frame that a candidate may duplicate, however long the candidate has waited.
        asked = reviews.list_candidates(self.ledger, _ASKED, now - self._kept - _DAY)
        # The random share is of the day: of a single round it would round to none or too many.
        drawn = reviews.count_chosen(self.ledger, midnight, SelectionReason.RANDOM)
        at_random = round(budget * self._policy.random_share) - drawn
        since = {camera: drift.since for camera, drift in drifting.items()}
        candidates = boosted(found, since, _DRIFT_SCORE)
        chosen = select(candidates, left, asked, self._policy, int(now.timestamp()), at_random)
        choices = [Choice(one.digest, one.score, _cause(one, drifting)) for one in chosen]
        return review_moves.choose_reviews(self.ledger, choices, now, midnight, budget)

    def push(self, labeler: Labeler) -> int:
        """Hand pending frames to a labeler; returns how many.

        Raises:
            LabelerError: Not all could be handed over; the next call tries the rest.
        """
        frames = self._frames(ReviewState.PENDING)
        done: list[str] = []

        def pushed(digest: str) -> None:
            if review_moves.mark_pushed(self.ledger, digest, self._clock.now()):
                done.append(digest)

        if frames:
            labeler.push(frames, pushed)
        return len(done)

    def pull(self, labeler: Labeler) -> Pulled:
        """Fetch and store the answers, also those that were changed since they were read.

        Raises:
            LabelerError: The labeler cannot be reached now.
        """
        asked = reviews.list_asked(self.ledger, _TAKES_ANSWERS)
        given = labeler.pull(asked) if asked else []
        answers = {one.digest: one for one in reversed(given)}
        labels = rejected = 0
        for frame in reviews.find_reviews(self.ledger, answers):
            if not frame.classes:
                continue
            is_label, is_new = self._note(frame, answers[frame.digest])
            labels += is_new and is_label
            rejected += is_new and not is_label
        return Pulled(labels, rejected)

    def ask_again(self, digests: Collection[str]) -> None:
        """Push frames again that the labeler has lost."""
        review_moves.ask_again(self.ledger, digests)

    def waiting(self) -> list[AskedFrame]:
        """The frames that were pushed and not answered, without their content."""
        return reviews.list_asked(self.ledger, [ReviewState.PUSHED])

    def asked(self) -> list[FrameRecord]:
        """The frames that were pushed and not answered."""
        return self._frames(ReviewState.PUSHED)

    def expire(self) -> list[str]:
        """Give up frames that have waited too long; returns their image keys."""
        return review_moves.expire_reviews(self.ledger, self._clock.now() - self._kept)

    def counts(self) -> dict[ReviewState, int]:
        """Number of frames in each state."""
        return reviews.count_reviews(self.ledger)

    def find(self, digest: str) -> FrameRecord | None:
        """The frame of a digest, if there is one."""
        return next(iter(reviews.find_reviews(self.ledger, [digest])), None)

    def _frames(self, state: ReviewState) -> list[FrameRecord]:
        return [frame for frame in reviews.list_reviews(self.ledger, [state]) if frame.classes]

    def _note(self, frame: FrameRecord, answer: Answer) -> tuple[bool, bool]:
        """Store an answer; returns whether it is a label, and whether it is new."""
        # One without a time of its own takes the place of no other.
        at = answer.at or frame.answered_at or self._clock.now()
        source = AnswerSource(at, None if isinstance(answer, Quarantined) else answer.labeler, answer.url)
        if isinstance(answer, Labeled):
            boxes, unknown = _own_boxes(frame, answer)
            if not unknown:
                return True, review_moves.answer_review(self.ledger, frame.digest, source, boxes)
            reason = _not_of_model(unknown, frame)
        elif isinstance(answer, Skipped):
            reason = "declined by the labeler"
        else:
            reason = answer.reason
        return False, review_moves.reject_review(self.ledger, frame.digest, source, reason)


def _own_boxes(frame: FrameRecord, answer: Labeled) -> tuple[Boxes, list[str]]:
    """The answer's boxes with the class ids of the frame's model, and names that it lacks."""
    ids = ids_by_name(answer.classes, frame.classes)
    found, unknown = [], []
    for box in to_boxes(answer.boxes):
        class_id = ids[box.class_id]
        if class_id is None:
            unknown.append(answer.classes[box.class_id])
        else:
            found.append(replace(box, class_id=class_id))
    return tuple(found), unknown


def _not_of_model(unknown: Collection[str], frame: FrameRecord) -> str:
    own = ", ".join(frame.classes[:_MAX_NAMED])
    more = f" and {len(frame.classes) - _MAX_NAMED} more" if len(frame.classes) > _MAX_NAMED else ""
    others = ", ".join(repr(name) for name in sorted(set(unknown)))
    return f"class {others} is not one of {frame.model_version}, which has {own}{more}"


def _cause(one: Candidate, drifting: Mapping[str, Drift]) -> str:
    drift = drifting.get(one.camera_id)
    return drift.cause if drift is not None and one.captured_at >= drift.since else ""
