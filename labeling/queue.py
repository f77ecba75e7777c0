"""The queue of frames, in the ledger: exactly once from candidate to label, whoever dies when."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from labeling.labeler import Labeler
from labeling.selection import Candidate, SelectionPolicy, boosted, select
from labeling.task import Answer, Drift, Labeled, Quarantined, SelectionReason, Skipped, Task
from streetloop.clock import Clock
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import (
    CandidateSummary,
    Choice,
    Review,
    ReviewState,
    add_reviews,
    answer_review,
    ask_again,
    choose_reviews,
    count_chosen,
    count_reviews,
    expire_reviews,
    find_reviews,
    list_candidacies,
    list_reviews,
    mark_pushed,
    reject_review,
)
from streetloop.types import Detections

_DRIFT = 0.4  # score of a frame that shows a drift, if the model is sure of it
_DAY = timedelta(days=1)
_POLICY = SelectionPolicy()
_NONE: Mapping[str, Drift] = {}


def to_review(candidate: Candidate, task: Task) -> Review:
    """A candidate as it is kept."""
    return Review(
        digest=task.digest,
        image_key=task.image_key,
        width=task.width,
        height=task.height,
        camera_id=task.camera_id,
        captured_at=task.captured_at,
        reason=task.reason.value,
        score=task.score,
        model_version=task.model_version,
        boxes=plain(task.boxes),
        fingerprint=candidate.fingerprint.tobytes(),
        embedding=candidate.embedding.tobytes(),
        drift=task.drift,
        origin=task.origin,
    )


class ReviewQueue:
    """Frames between cameras and labellers.

    Args:
        ledger: Where they are kept.
        clock: Time.
        policy: How frames are chosen.
        kept: How long a frame may wait to be chosen or asked about.
        fits: False for a model version whose class ids mean something else to the labeller: its
            frames are neither chosen nor pushed nor pulled; by default every frame may be.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        policy: SelectionPolicy = _POLICY,
        kept: timedelta = timedelta(days=3),
        fits: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._kept = kept
        self._fits = fits

    def add(self, candidates: Iterable[Review]) -> None:
        """Note candidates; one that is known already is not noted again."""
        add_reviews(self._ledger, list(candidates))

    def choose(
        self, budget: int, drifting: Mapping[str, Drift] = _NONE, every_s: float = _DAY.total_seconds()
    ) -> int:
        """Choose frames to ask about; how many were.

        Args:
            budget: How many at most a day, from midnight UTC; what was chosen today counts.
            drifting: Cameras whose frames are wanted more, from the beginning of their drift on.
            every_s: How often frames are chosen: the budget is spread over the day, because
                frames of all its hours are wanted; by default it may be spent at once.
        """
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = min(((now - midnight).total_seconds() + every_s) / _DAY.total_seconds(), 1.0)
        budget = math.ceil(budget * passed)
        left = budget - count_chosen(self._ledger, midnight)
        if left <= 0:
            return 0
        found = list_candidacies(self._ledger, [ReviewState.CANDIDATE], now - self._kept)
        # All that a candidate may be a double of, however long it has waited.
        asked = list_candidacies(self._ledger, _ASKED, now - self._kept - _DAY)
        since = {camera: drift.since for camera, drift in drifting.items()}
        # The share is of the day: that of a single round would be rounded to none, or too many.
        drawn = count_chosen(self._ledger, midnight, SelectionReason.RANDOM.value)
        at_random = round(budget * self._policy.random_share) - drawn
        mine = [_candidate(r) for r in found if self._fits(r.model_version)]
        candidates = boosted(mine, since, _DRIFT)
        chosen = select(
            candidates, left, [_candidate(r) for r in asked], self._policy, int(now.timestamp()), at_random
        )
        choices = [Choice(c.digest, c.score, _cause(c, drifting)) for c in chosen]
        return choose_reviews(self._ledger, choices, now, midnight, budget)

    def push(self, labeler: Labeler) -> int:
        """Hand pending frames to a labeller; how many were.

        Raises:
            LabelerError: Not all could be handed over; the rest is tried at the next call.
        """
        tasks = self._tasks(ReviewState.PENDING)
        done: list[str] = []

        def pushed(digest: str) -> None:
            if mark_pushed(self._ledger, digest, self._clock.now()):
                done.append(digest)

        if tasks:
            labeler.push(tasks, pushed)
        return len(done)

    def pull(self, labeler: Labeler) -> int:
        """Take the answers that there are; how many.

        Raises:
            LabelerError: The labeller cannot be asked now.
        """
        waiting = self.waiting()
        return sum(self._note(answer) for answer in labeler.pull(waiting)) if waiting else 0

    def ask_again(self, digests: Collection[str]) -> None:
        """Frames that a labeller has lost are pushed again."""
        ask_again(self._ledger, digests)

    def waiting(self) -> list[str]:
        """Digests of frames that were pushed and not answered."""
        return [task.digest for task in self.asked()]

    def asked(self) -> list[Task]:
        """Frames that were pushed and not answered."""
        return self._tasks(ReviewState.PUSHED)

    def expire(self) -> list[str]:
        """Give up frames that have waited too long; the keys of their images."""
        return expire_reviews(self._ledger, self._clock.now() - self._kept)

    def counts(self) -> dict[ReviewState, int]:
        """How many frames are in each state."""
        return count_reviews(self._ledger)

    def find(self, digest: str) -> Task | None:
        """The task of a digest, if there is one."""
        found = find_reviews(self._ledger, [digest])
        return to_task(found[0]) if found else None

    def _tasks(self, state: ReviewState) -> list[Task]:
        found = list_reviews(self._ledger, [state])
        return [to_task(review) for review in found if self._fits(review.model_version)]

    def _note(self, answer: Answer) -> bool:
        if isinstance(answer, Labeled):
            label = plain(answer.boxes)
            return answer_review(self._ledger, answer.digest, answer.at, answer.labeler, label)
        if isinstance(answer, Skipped):
            return reject_review(
                self._ledger, answer.digest, answer.at, answer.labeler, "declined by the labeller"
            )
        assert isinstance(answer, Quarantined)
        return reject_review(self._ledger, answer.digest, self._clock.now(), None, answer.reason)


_ASKED = (
    ReviewState.PENDING,
    ReviewState.PUSHED,
    ReviewState.LABELED,
    ReviewState.IN_DATASET,
    ReviewState.REJECTED,
)


def to_task(review: Review) -> Task:
    """The question that a kept frame is."""
    return Task(
        digest=review.digest,
        image_key=review.image_key,
        width=review.width,
        height=review.height,
        camera_id=review.camera_id,
        captured_at=review.captured_at,
        reason=SelectionReason(review.reason),
        score=review.score,
        rank=review.rank or 0,
        model_version=review.model_version,
        boxes=boxes_of(review.boxes),
        drift=review.drift,
        origin=dict(review.origin),
        asked_at=review.pushed_at,
    )


def plain(boxes: Detections) -> list[dict[str, Any]]:
    """Boxes as plain values, to a tenth of a pixel."""
    return [
        {"xyxy": [round(float(v), 1) for v in xyxy], "confidence": round(c, 4), "class_id": k}
        for xyxy, c, k in zip(boxes.xyxy, boxes.confidence.tolist(), boxes.class_id.tolist(), strict=True)
    ]


def boxes_of(values: Sequence[dict[str, Any]]) -> Detections:
    """The reverse of `plain`."""
    return Detections(
        np.array([v["xyxy"] for v in values], np.float32).reshape(-1, 4),
        np.array([v["confidence"] for v in values], np.float32),
        np.array([v["class_id"] for v in values], np.int64),
    )


def _cause(one: Candidate, drifting: Mapping[str, Drift]) -> str:
    drift = drifting.get(one.camera_id)
    return drift.cause if drift is not None and one.captured_at >= drift.since else ""


def _candidate(one: CandidateSummary) -> Candidate:
    return Candidate(
        one.digest,
        one.camera_id,
        one.captured_at,
        SelectionReason(one.reason),
        one.score,
        np.frombuffer(one.fingerprint, np.uint64),
        np.frombuffer(one.embedding, np.float32),
    )
