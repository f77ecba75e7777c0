"""Frames on their way from a camera to a dataset; `review_moves` moves them.

::

    candidate -> pending -> pushed <-> labeled <-> in dataset
        |           |          |<-> rejected (skipped, or an answer that cannot be used)
        +-----------+-> expired
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.boxes import Box, Boxes
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import reviews
from streetloop.types import Floats

TEACHER = "teacher "
"""What the name of a labeler begins with that is a model."""

_MAX_DIGESTS = 500  # in one statement
_BY_CHOICE = (
    reviews.c.chosen_at.nulls_first(),  # databases disagree on where NULL stands
    reviews.c.rank.nulls_first(),
    reviews.c.captured_at,
    reviews.c.digest,
)


class ReviewState(StrEnum):
    """How far a frame has come."""

    CANDIDATE = "candidate"
    PENDING = "pending"
    PUSHED = "pushed"
    LABELED = "labeled"
    IN_DATASET = "in dataset"
    REJECTED = "rejected"
    EXPIRED = "expired"


class SelectionReason(StrEnum):
    """What made a frame a candidate for labeling."""

    UNSURE = "unsure"
    FLICKER = "flicker"
    DISAGREEMENT = "disagreement"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One frame on its way from a camera to a dataset.

    Attributes:
        digest: SHA-256 of its JPEG in hex; identifies the frame everywhere.
        image_key: Key of the JPEG in the object store.
        width: In pixels.
        height: In pixels.
        camera_id: Its camera.
        captured_at: Capture time (UTC).
        reason: What made it a candidate.
        score: Selection score, 0 to 1; higher is chosen first.
        model_version: The model that found `boxes`.
        boxes: What the model found, in pixels of the image, down to its weakest boxes.
        fingerprint: (4,) uint64 perceptual hash, to find near-duplicates.
        embedding: float32 appearance vector, to spread a selection.
        drift: Likeliest cause of the camera's drift when the frame was chosen; empty without drift.
        origin: Where the frame can be looked up: run and number of the logs, see `FrameName`; URI
            and frame of a simulated camera, which give the ground truth.
        classes: Class names of the model by class id; `boxes` and `label` have these ids. Empty if
            unknown: such a frame is neither chosen nor pushed, and no answer to it is read.
        asked: Names in `classes` that labelers are asked about, as the camera counts no others;
            empty for all. Of other classes a label says nothing.
        served: Minimum confidence of a box that the streams showed, 0 to 1; see `shown`.
        state: How far it has come.
        rank: Position in the selection that chose it, from 0.
        chosen_at: When it was chosen (UTC).
        pushed_at: When it was handed to the labeler (UTC).
        answered_at: When the answer came (UTC).
        labeler: Who answered.
        label: The labeler's boxes; empty if nothing is there, None without a label.
        note: Why it was rejected.
        url: Where a person can change the answer; None if unknown.
        doubt: Why the label may have another model's class ids; None if it has not. A label in
            doubt is in no dataset and in no measurement.
        asks: How many times it was asked anew.
        dataset: Digest of the last dataset that has its label.
    """

    digest: str
    image_key: str
    width: int
    height: int
    camera_id: str
    captured_at: datetime
    reason: SelectionReason
    score: float
    model_version: str
    boxes: Boxes
    fingerprint: NDArray[np.uint64] = field(compare=False, repr=False)
    embedding: Floats = field(compare=False, repr=False)
    drift: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    served: float = 0.0
    state: ReviewState = ReviewState.CANDIDATE
    rank: int | None = None
    chosen_at: datetime | None = None
    pushed_at: datetime | None = None
    answered_at: datetime | None = None
    labeler: str | None = None
    label: Boxes | None = None
    note: str | None = None
    url: str | None = None
    doubt: str | None = None
    asks: int = 0
    dataset: str | None = None

    @property
    def shown(self) -> Boxes:
        """The boxes that the streams showed: what a labeler starts from and a report measures."""
        return self.of_asked(box for box in self.boxes if box.confidence >= self.served)

    @property
    def asked_names(self) -> tuple[str, ...]:
        """Names of the classes that labelers are asked about."""
        return self.asked or self.classes

    def of_asked(self, boxes: Iterable[Box]) -> Boxes:
        """The boxes of classes that labelers are asked about.

        Args:
            boxes: With class ids of `classes`.
        """
        if not self.asked:
            return tuple(boxes)
        ids = {k for k, name in enumerate(self.classes) if name in self.asked}
        return tuple(box for box in boxes if box.class_id in ids)

    @property
    def of_people(self) -> bool:
        """True unless a model labeled it."""
        return not (self.labeler or "").startswith(TEACHER)


@dataclass(frozen=True, slots=True)
class AskedFrame:
    """A frame that a labeler was asked about.

    Attributes:
        digest: Of the frame.
        asks: How many times it was asked anew; only answers to the last time count.
        answered_at: Time of the answer that counts (UTC); None while there is none.
    """

    digest: str
    asks: int = 0
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """The fields of a `FrameRecord` that selection needs.

    Selection reads thousands of candidates, and parsing their boxes would take seconds.
    """

    digest: str
    camera_id: str
    captured_at: datetime
    reason: SelectionReason
    score: float
    model_version: str
    fingerprint: NDArray[np.uint64] = field(compare=False, repr=False)
    embedding: Floats = field(compare=False, repr=False)


_RECORD_FIELDS = tuple(one.name for one in fields(FrameRecord))
_CANDIDATE_COLUMNS = tuple(reviews.c[one.name] for one in fields(Candidate))


def add_reviews(ledger: Ledger, found: Sequence[FrameRecord]) -> None:
    """Write frames; a frame whose digest is already there stays unchanged."""
    if not found:
        return
    rows = [
        {name: getattr(one, name) for name in _RECORD_FIELDS}
        | {"reason": one.reason.value, "state": one.state.value}
        for one in found
    ]
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(kind.insert(reviews).on_conflict_do_nothing(), rows)


def list_reviews(
    ledger: Ledger, states: Collection[ReviewState], reason: SelectionReason | None = None
) -> list[FrameRecord]:
    """Frames in some states, in the order of choice and rank, then of capture.

    Args:
        ledger: The ledger.
        states: Which states.
        reason: Only frames that were candidates for this reason; None for all.
    """
    query = select(reviews).where(is_in(states))
    if reason is not None:
        query = query.where(reviews.c.reason == reason.value)
    return read_reviews(ledger, query.order_by(*_BY_CHOICE))


def list_labeled(ledger: Ledger, reason: SelectionReason | None = None) -> list[FrameRecord]:
    """Frames whose label can be relied on, in the order of `list_reviews`; none is in doubt.

    Args:
        ledger: The ledger.
        reason: Only frames that were candidates for this reason; None for all.
    """
    found = list_reviews(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET], reason)
    return [frame for frame in found if frame.doubt is None and frame.classes and frame.label is not None]


def labeled_moments(ledger: Ledger) -> dict[str, list[datetime]]:
    """When labeled frames were captured, sorted, by camera."""
    labeled = is_in([ReviewState.LABELED, ReviewState.IN_DATASET])
    query = select(reviews.c.camera_id, reviews.c.captured_at).where(labeled)
    found: dict[str, list[datetime]] = {}
    with ledger.snapshot() as connection:
        for camera_id, captured_at in connection.execute(query.order_by(reviews.c.captured_at)):
            found.setdefault(camera_id, []).append(captured_at)
    return found


def list_doubted(ledger: Ledger) -> list[FrameRecord]:
    """Frames that were asked about, perhaps with another model's class names."""
    return read_reviews(ledger, select(reviews).where(reviews.c.doubt.is_not(None)).order_by(*_BY_CHOICE))


def list_unreliable(ledger: Ledger) -> set[str]:
    """Digests of the frames whose labels are in doubt or were withdrawn, or that are asked anew."""
    unlabeled = is_in([ReviewState.REJECTED, ReviewState.PUSHED])  # rejected, or reopened after it
    withdrawn = unlabeled & reviews.c.dataset.is_not(None)
    doubtful = reviews.c.doubt.is_not(None) | (reviews.c.asks > 0)
    query = select(reviews.c.digest).where(doubtful | withdrawn)
    with ledger.snapshot() as connection:
        return set(connection.execute(query).scalars())


def list_image_keys(ledger: Ledger) -> set[str]:
    """Keys of the images of all frames, in every state."""
    with ledger.snapshot() as connection:
        return set(connection.execute(select(reviews.c.image_key)).scalars())


def list_asked(ledger: Ledger, states: Collection[ReviewState]) -> list[AskedFrame]:
    """The frames in some states that a labeler was asked about, in the order of `list_reviews`.

    Frames of unknown classes are left out: no answer to them can be read.
    """
    columns = (reviews.c.digest, reviews.c.asks, reviews.c.answered_at)
    query = select(*columns).where(is_in(states) & reviews.c.classes.is_not(None))
    with ledger.snapshot() as connection:
        return [AskedFrame(*row) for row in connection.execute(query.order_by(*_BY_CHOICE))]


def list_candidates(
    ledger: Ledger, states: Collection[ReviewState], since: datetime, *, of_known_classes: bool = False
) -> list[Candidate]:
    """The frames in some states, as selection needs them.

    Args:
        ledger: The ledger.
        states: The states.
        since: Time of capture (UTC) from which on they count.
        of_known_classes: Leave out frames of models whose class names are unknown.
    """
    query = select(*_CANDIDATE_COLUMNS).where(is_in(states) & (reviews.c.captured_at >= since))
    if of_known_classes:
        query = query.where(reviews.c.classes.is_not(None))
    with ledger.snapshot() as connection:
        rows = connection.execute(query.order_by(reviews.c.captured_at, reviews.c.digest)).mappings().all()
    return [Candidate(**{**row, "reason": SelectionReason(row["reason"])}) for row in rows]


def list_unnamed_versions(ledger: Ledger, states: Collection[ReviewState]) -> list[str]:
    """Versions of the models whose frames, in some states, have no class names; sorted."""
    query = select(reviews.c.model_version).distinct().where(is_in(states) & reviews.c.classes.is_(None))
    with ledger.snapshot() as connection:
        return sorted(connection.execute(query).scalars())


def newest_reviews(
    ledger: Ledger, states: Collection[ReviewState], most: int, offset: int = 0, camera_id: str | None = None
) -> list[FrameRecord]:
    """Frames in some states, of a camera or of all, the most recently captured first.

    Args:
        ledger: The ledger.
        states: The states.
        most: Largest number of frames.
        offset: Number of frames to skip.
        camera_id: Only of this camera.
    """
    query = select(reviews).where(is_in(states))
    if camera_id is not None:
        query = query.where(reviews.c.camera_id == camera_id)
    query = query.order_by(reviews.c.captured_at.desc(), reviews.c.digest)
    return read_reviews(ledger, query.limit(most).offset(offset))


def find_reviews(ledger: Ledger, digests: Collection[str]) -> list[FrameRecord]:
    """The frames of these digests, as far as there are any."""
    found: list[FrameRecord] = []
    for part in parts_of(digests):
        found += read_reviews(ledger, select(reviews).where(reviews.c.digest.in_(part)))
    return found


def count_reviews(ledger: Ledger) -> dict[ReviewState, int]:
    """Number of frames in each state."""
    query = select(reviews.c.state, func.count()).group_by(reviews.c.state)
    with ledger.snapshot() as connection:
        counts = {state: int(count) for state, count in connection.execute(query)}
    return {state: counts.get(state.value, 0) for state in ReviewState}


def count_labeled(ledger: Ledger, of_drift: bool = False, cameras: Collection[str] | None = None) -> int:
    """Number of labels that no dataset has yet; those in doubt are not counted.

    Args:
        ledger: The ledger.
        of_drift: Count only frames that were chosen for drift.
        cameras: Count only frames of these cameras; None for all.
    """
    labeled = (reviews.c.state == ReviewState.LABELED.value) & reviews.c.doubt.is_(None)
    query = select(func.count()).where(labeled)
    if of_drift:
        query = query.where(reviews.c.drift != "")
    if cameras is not None:
        query = query.where(reviews.c.camera_id.in_(cameras))
    with ledger.snapshot() as connection:
        return int(connection.execute(query).scalar_one())


def count_doubted(ledger: Ledger) -> int:
    """Number of frames that were asked about, perhaps with another model's class names."""
    query = select(func.count()).where(reviews.c.doubt.is_not(None))
    with ledger.snapshot() as connection:
        return int(connection.execute(query).scalar_one())


def count_chosen(ledger: Ledger, since: datetime, reason: SelectionReason | None = None) -> int:
    """Number of frames chosen since a time, for one reason or any.

    Args:
        ledger: The ledger.
        since: Time of the choice (UTC).
        reason: Only for this reason; None for all.
    """
    with ledger.snapshot() as connection:
        return chosen_since(connection, since, reason)


def chosen_since(connection: Connection, since: datetime, reason: SelectionReason | None = None) -> int:
    """As `count_chosen`, within a transaction."""
    query = select(func.count()).where(reviews.c.chosen_at >= since)
    if reason is not None:
        query = query.where(reviews.c.reason == reason.value)
    return int(connection.execute(query).scalar_one())


def read_reviews(ledger: Ledger, query: "Select[Any]") -> list[FrameRecord]:
    """The frames of a query of the table's rows."""
    with ledger.snapshot() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        FrameRecord(**{**row, "reason": SelectionReason(row["reason"]), "state": ReviewState(row["state"])})
        for row in rows
    ]


def is_in(states: Collection[ReviewState]) -> ColumnElement[bool]:
    """The condition that a frame is in one of some states."""
    return reviews.c.state.in_([state.value for state in states])


def parts_of(digests: Collection[str]) -> list[list[str]]:
    """The digests in parts, each short enough for one statement."""
    ordered = list(digests)
    return [ordered[start : start + _MAX_DIGESTS] for start in range(0, len(ordered), _MAX_DIGESTS)]
