"""The queue of frames in the ledger: each goes exactly once from candidate to label.

A process may be killed between any two statements; the next one continues where it was.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta

from labeling.answers import Answer, Labeled, Quarantined, Skipped
from labeling.labeler import Labeler
from labeling.selection import Drift, SelectionPolicy, boosted, select
from streetloop.boxes import to_boxes
from streetloop.clock import Clock
from streetloop.ledger import Ledger, reviews
from streetloop.ledger.reviews import Candidate, Choice, FrameRecord, ReviewState, SelectionReason

_DRIFT_SCORE = 0.4  # of a confident frame that shows drift
_DAY = timedelta(days=1)
_POLICY = SelectionPolicy()
_NO_DRIFT: Mapping[str, Drift] = {}
_ASKED = frozenset(ReviewState) - {ReviewState.CANDIDATE, ReviewState.EXPIRED}


class ReviewQueue:
    """Moves frames from the cameras to the labeler and stores the answers.

    Args:
        ledger: Stores the frames.
        clock: The current time.
        policy: How frames are selected.
        kept: How long a frame may wait to be chosen and pushed; then it expires.
        fits: False for a model version whose class ids mean something else to the labeler. Its
            frames are neither chosen nor pushed nor pulled. By default every frame fits.
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

    def add(self, candidates: Iterable[FrameRecord]) -> None:
        """Store candidates; a frame that is already stored stays unchanged."""
        reviews.add_reviews(self._ledger, list(candidates))

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
        left = budget - reviews.count_chosen(self._ledger, midnight)
        if left <= 0:
            return 0
        found = reviews.list_candidates(self._ledger, [ReviewState.CANDIDATE], now - self._kept)
        # Every frame that a candidate may duplicate, however long the candidate has waited.
        asked = reviews.list_candidates(self._ledger, _ASKED, now - self._kept - _DAY)
        # The random share is of the day: of a single round it would round to none or too many.
        drawn = reviews.count_chosen(self._ledger, midnight, SelectionReason.RANDOM)
        at_random = round(budget * self._policy.random_share) - drawn
        fitting = [one for one in found if self._fits(one.model_version)]
        since = {camera: drift.since for camera, drift in drifting.items()}
        candidates = boosted(fitting, since, _DRIFT_SCORE)
        chosen = select(candidates, left, asked, self._policy, int(now.timestamp()), at_random)
        choices = [Choice(one.digest, one.score, _cause(one, drifting)) for one in chosen]
        return reviews.choose_reviews(self._ledger, choices, now, midnight, budget)

    def push(self, labeler: Labeler) -> int:
        """Hand pending frames to a labeler; returns how many.

        Raises:
            LabelerError: Not all could be handed over; the next call tries the rest.
        """
        frames = self._frames(ReviewState.PENDING)
        done: list[str] = []

        def pushed(digest: str) -> None:
            if reviews.mark_pushed(self._ledger, digest, self._clock.now()):
                done.append(digest)

        if frames:
            labeler.push(frames, pushed)
        return len(done)

    def pull(self, labeler: Labeler) -> int:
        """Fetch and store the answers; returns how many.

        Raises:
            LabelerError: The labeler cannot be reached now.
        """
        waiting = self.waiting()
        return sum(self._note(answer) for answer in labeler.pull(waiting)) if waiting else 0

    def ask_again(self, digests: Collection[str]) -> None:
        """Push frames again that the labeler has lost."""
        reviews.ask_again(self._ledger, digests)

    def waiting(self) -> list[str]:
        """Digests of the frames that were pushed and not answered."""
        found = reviews.list_digests(self._ledger, [ReviewState.PUSHED])
        return [digest for digest, version in found.items() if self._fits(version)]

    def asked(self) -> list[FrameRecord]:
        """The frames that were pushed and not answered."""
        return self._frames(ReviewState.PUSHED)

    def expire(self) -> list[str]:
        """Give up frames that have waited too long; returns their image keys."""
        return reviews.expire_reviews(self._ledger, self._clock.now() - self._kept)

    def counts(self) -> dict[ReviewState, int]:
        """Number of frames in each state."""
        return reviews.count_reviews(self._ledger)

    def find(self, digest: str) -> FrameRecord | None:
        """The frame of a digest, if there is one."""
        return next(iter(reviews.find_reviews(self._ledger, [digest])), None)

    def _frames(self, state: ReviewState) -> list[FrameRecord]:
        found = reviews.list_reviews(self._ledger, [state])
        return [frame for frame in found if self._fits(frame.model_version)]

    def _note(self, answer: Answer) -> bool:
        if isinstance(answer, Labeled):
            label = to_boxes(answer.boxes)
            return reviews.answer_review(self._ledger, answer.digest, answer.at, answer.labeler, label)
        if isinstance(answer, Skipped):
            return reviews.reject_review(
                self._ledger, answer.digest, answer.at, answer.labeler, "declined by the labeler"
            )
        assert isinstance(answer, Quarantined)
        return reviews.reject_review(self._ledger, answer.digest, self._clock.now(), None, answer.reason)


def _cause(one: Candidate, drifting: Mapping[str, Drift]) -> str:
    drift = drifting.get(one.camera_id)
    return drift.cause if drift is not None and one.captured_at >= drift.since else ""
