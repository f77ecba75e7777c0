"""Frames that wait to be labeled, somebody who labels them, and sudden death in between."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from labeling.answers import Answer, Labeled
from labeling.appearance import EMBEDDING, Fingerprint
from labeling.queue import ReviewQueue
from streetloop.boxes import to_boxes
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import (
    AskedFrame,
    Candidate,
    FrameRecord,
    ReviewState,
    SelectionReason,
    find_reviews,
    list_reviews,
)
from streetloop.types import Detections, Floats
from tests.support.stream_flow.build import found

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASSES = ("car", "bus")
"""Of the model m-1 that found the frames."""

MODEL_BOX = found((10, 10, 50, 40), confidence=0.4)


def digest(number: int) -> str:
    """Names a frame."""
    return f"{number:064x}"


def candidate(
    number: int,
    camera_id: str = "a",
    score: float = 0.5,
    reason: SelectionReason = SelectionReason.UNSURE,
    at: datetime | None = None,
    bits: Fingerprint | None = None,
    place: Floats | None = None,
) -> Candidate:
    """A frame that looks like no other, taken a minute after the one before."""
    rng = np.random.default_rng(number)
    looks = rng.standard_normal(EMBEDDING).astype(np.float32) / 10
    return Candidate(
        digest(number),
        camera_id,
        at or NOON + timedelta(minutes=number),
        reason,
        score,
        "m-1",
        rng.integers(0, 2**63, 4, dtype=np.uint64) if bits is None else bits,
        looks if place is None else place,
    )


def review(
    number: int, boxes: Detections = MODEL_BOX, origin: dict[str, object] | None = None, **of: object
) -> FrameRecord:
    """The same as it is kept; ``of`` are those of `candidate`."""
    one = candidate(number, **of)  # type: ignore[arg-type]
    return FrameRecord(
        image_key=f"frames/{one.digest}.jpg",
        width=640,
        height=360,
        boxes=to_boxes(boxes),
        origin=origin or {},
        classes=CLASSES,
        **{field.name: getattr(one, field.name) for field in fields(Candidate)},
    )


class Killed(BaseException):
    """The process is no more: nothing of ours catches this."""


class Fate:
    """Counts steps and ends a life before one of them.

    Args:
        at: The step; None to live on.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.steps = 0

    def step(self) -> None:
        """One more."""
        if self.steps == self.at:
            raise Killed
        self.steps += 1


class MortalLedger(Ledger):
    """A ledger whose process may die before and after each transaction."""

    def __init__(self, ledger: Ledger, fate: Fate) -> None:
        super().__init__(ledger._engine)
        self._fate = fate

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """See `Ledger.transaction`."""
        self._fate.step()
        with super().transaction() as connection:
            yield connection
        self._fate.step()


class FakeLabeler:
    """A `labeling.labeler.Labeler` that outlives the process that talks to it.

    Attributes:
        asked: Digests in the order in which they were put on it, once for each time.
        answers: What is given for a digest; by default a label with nothing in it.
        fate: Of the process that talks to it.
        refuses: Raised in place of any answer.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.fate = Fate()
        self.refuses: Exception | None = None

    def push(self, tasks: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`."""
        if self.refuses is not None:
            raise self.refuses
        for task in tasks:
            self.fate.step()
            if task.digest not in self.asked:
                self.asked.append(task.digest)
            self.fate.step()
            pushed(task.digest)

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """See `Labeler.pull`."""
        if self.refuses is not None:
            raise self.refuses
        self.fate.step()
        known = [one.digest for one in asked if one.digest in self.asked]
        return [self.answers.get(digest, labeled(digest)) for digest in known]


def asked(*digests: str) -> list[AskedFrame]:
    """Frames that somebody was asked about once, and has not answered."""
    return [AskedFrame(digest) for digest in digests]


def labeled(
    of: str, boxes: Detections | None = None, at: datetime = NOON, classes: tuple[str, ...] = CLASSES
) -> Labeled:
    """What somebody says is in a frame."""
    return Labeled(of, Detections.empty() if boxes is None else boxes, classes, "ann", at)


def waiting(queue: ReviewQueue, people: FakeLabeler, count: int) -> None:
    """So many frames that somebody was asked about."""
    queue.add([review(k) for k in range(count)])
    queue.choose(count)
    queue.push(people)


def states(ledger: Ledger) -> dict[int, ReviewState]:
    """Where every frame is, by its number."""
    return {int(r.digest, 16): r.state for r in list_reviews(ledger, list(ReviewState))}


def only(ledger: Ledger, number: int) -> FrameRecord:
    """The frame of that number."""
    (one,) = find_reviews(ledger, [digest(number)])
    return one
