"""Frames on their way from a camera to a dataset. A frame moves forward only.

::

    candidate -> pending -> pushed -> labeled -> in dataset
        |           |          |-> rejected (skipped, or an answer that cannot be used)
        +-----------+-> expired
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.boxes import Boxes
from streetloop.ledger.database import Ledger
from streetloop.ledger.tables import reviews
from streetloop.types import Floats

_MAX_DIGESTS = 500  # in one statement
_BY_CHOICE = (reviews.c.chosen_at, reviews.c.rank, reviews.c.captured_at)


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
        model_version: The model that found `boxes`, and whose class ids boxes and label have.
        boxes: What the model found, in pixels of the image.
        fingerprint: (4,) uint64 perceptual hash, to find near-duplicates.
        embedding: float32 appearance vector, to spread a selection.
        drift: Likeliest cause of the camera's drift when the frame was chosen; empty without drift.
        origin: Where the ground truth can be looked up: URI and frame of a simulated camera.
        state: How far it has come.
        rank: Position in the selection that chose it, from 0.
        chosen_at: When it was chosen (UTC).
        pushed_at: When it was handed to the labeler (UTC).
        answered_at: When the answer came (UTC).
        labeler: Who answered.
        label: The labeler's boxes; empty if nothing is there, None without a label.
        note: Why it was rejected.
        dataset: Digest of the first dataset that contains it.
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
    state: ReviewState = ReviewState.CANDIDATE
    rank: int | None = None
    chosen_at: datetime | None = None
    pushed_at: datetime | None = None
    answered_at: datetime | None = None
    labeler: str | None = None
    label: Boxes | None = None
    note: str | None = None
    dataset: str | None = None


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
    query = select(reviews).where(_is_in(states))
    if reason is not None:
        query = query.where(reviews.c.reason == reason.value)
    return _read(ledger, query.order_by(*_BY_CHOICE))


def list_digests(ledger: Ledger, states: Collection[ReviewState]) -> dict[str, str]:
    """Model version by digest of the frames in some states, in the order of `list_reviews`."""
    query = select(reviews.c.digest, reviews.c.model_version).where(_is_in(states))
    with ledger.snapshot() as connection:
        return {row.digest: row.model_version for row in connection.execute(query.order_by(*_BY_CHOICE))}


def list_image_keys(ledger: Ledger) -> set[str]:
    """Keys of the images of all frames, in every state."""
    with ledger.transaction() as connection:
        return set(connection.execute(select(reviews.c.image_key)).scalars())


def list_candidates(ledger: Ledger, states: Collection[ReviewState], since: datetime) -> list[Candidate]:
    """The frames in some states, as selection needs them.

    Args:
        ledger: The ledger.
        states: The states.
        since: Time of capture (UTC) from which on they count.
    """
    query = select(*_CANDIDATE_COLUMNS).where(_is_in(states) & (reviews.c.captured_at >= since))
    with ledger.snapshot() as connection:
        rows = connection.execute(query.order_by(reviews.c.captured_at)).mappings().all()
    return [Candidate(**{**row, "reason": SelectionReason(row["reason"])}) for row in rows]


def list_model_versions(ledger: Ledger, states: Collection[ReviewState]) -> list[str]:
    """Versions of the models that found the frames in some states, each once, sorted."""
    query = select(reviews.c.model_version).distinct().where(_is_in(states))
    with ledger.snapshot() as connection:
        return sorted(connection.execute(query).scalars())


def newest_reviews(
    ledger: Ledger, states: Collection[ReviewState], most: int, offset: int = 0
) -> list[FrameRecord]:
    """Frames in some states, the most recently captured first.

    Args:
        ledger: The ledger.
        states: The states.
        most: Largest number of frames.
        offset: Number of frames to skip.
    """
    query = select(reviews).where(_is_in(states))
    query = query.order_by(reviews.c.captured_at.desc(), reviews.c.digest)
    return _read(ledger, query.limit(most).offset(offset))


def find_reviews(ledger: Ledger, digests: Collection[str]) -> list[FrameRecord]:
    """The frames of these digests, as far as there are any."""
    found: list[FrameRecord] = []
    for part in _parts(digests):
        found += _read(ledger, select(reviews).where(reviews.c.digest.in_(part)))
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate that was chosen.

    Attributes:
        digest: Of the frame.
        score: Its final score.
        drift: Likeliest cause of the camera's drift; empty without drift.
    """

    digest: str
    score: float
    drift: str = ""


def choose_reviews(ledger: Ledger, chosen: Sequence[Choice], at: datetime, since: datetime, most: int) -> int:
    """Move candidates to pending, ranked in the given order; returns how many moved.

    Args:
        ledger: The ledger.
        chosen: The selection; a frame that is no longer a candidate is skipped.
        at: Time of the choice.
        since: Start of the budget's period.
        most: The budget: how many frames all processes together may choose in the period.
    """
    moved = 0
    with ledger.transaction() as connection:
        if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            connection.execute(text("lock table reviews in share row exclusive mode"))
        left = most - _chosen_since(connection, since)
        for rank, one in enumerate(chosen):
            if moved >= left:
                break
            open_ = (reviews.c.digest == one.digest) & (reviews.c.state == ReviewState.CANDIDATE.value)
            values = {"score": one.score, "drift": one.drift, "chosen_at": at, "rank": rank}
            becomes = update(reviews).where(open_).values(state=ReviewState.PENDING.value, **values)
            moved += connection.execute(becomes).rowcount
    return moved


def mark_pushed(ledger: Ledger, digest: str, at: datetime) -> bool:
    """Note that a frame was handed to the labeler; False if that was already noted.

    Args:
        ledger: The ledger.
        digest: SHA-256 of the frame.
        at: When it was handed over (UTC).
    """
    return bool(_move(ledger, [digest], ReviewState.PENDING, ReviewState.PUSHED, pushed_at=at))


def ask_again(ledger: Ledger, digests: Collection[str]) -> None:
    """Move frames that the labeler has lost back to pending."""
    _move(ledger, digests, ReviewState.PUSHED, ReviewState.PENDING, pushed_at=None)


def answer_review(ledger: Ledger, digest: str, at: datetime, labeler: str, label: Boxes) -> bool:
    """Store a label; False if the frame was not waiting for one, so that no answer counts twice.

    Args:
        ledger: The ledger.
        digest: SHA-256 of the frame.
        at: When it was answered (UTC).
        labeler: Who answered.
        label: The boxes, in pixels of the frame; none for an empty frame.
    """
    values = {"answered_at": at, "labeler": labeler, "label": label}
    return bool(_move(ledger, [digest], ReviewState.PUSHED, ReviewState.LABELED, **values))


def reject_review(ledger: Ledger, digest: str, at: datetime, labeler: str | None, note: str) -> bool:
    """Note a frame without a usable label; False if it was not waiting for an answer.

    Args:
        ledger: The ledger.
        digest: SHA-256 of the frame.
        at: When (UTC).
        labeler: Who declined; None if nobody did.
        note: Why there is no label.
    """
    values = {"answered_at": at, "labeler": labeler, "note": note[:1000]}
    return bool(_move(ledger, [digest], ReviewState.PUSHED, ReviewState.REJECTED, **values))


def mark_in_dataset(ledger: Ledger, digests: Collection[str], dataset: str) -> None:
    """Note the dataset of labeled frames; a frame that is already in one keeps it.

    Args:
        ledger: The ledger.
        digests: SHA-256 of the frames.
        dataset: Digest of the dataset.
    """
    _move(ledger, digests, ReviewState.LABELED, ReviewState.IN_DATASET, dataset=dataset)


def expire_reviews(ledger: Ledger, before: datetime) -> list[str]:
    """Expire candidates and pending frames captured before a time; returns their image keys.

    Args:
        ledger: The ledger.
        before: Time of capture (UTC) before which they expire.
    """
    old = _is_in([ReviewState.CANDIDATE, ReviewState.PENDING]) & (reviews.c.captured_at < before)
    with ledger.transaction() as connection:
        keys = list(connection.execute(select(reviews.c.image_key).where(old)).scalars())
        connection.execute(update(reviews).where(old).values(state=ReviewState.EXPIRED.value))
    return keys


def count_reviews(ledger: Ledger) -> dict[ReviewState, int]:
    """Number of frames in each state."""
    query = select(reviews.c.state, func.count()).group_by(reviews.c.state)
    with ledger.snapshot() as connection:
        counts = {state: int(count) for state, count in connection.execute(query)}
    return {state: counts.get(state.value, 0) for state in ReviewState}


def count_labeled(ledger: Ledger, of_drift: bool = False) -> int:
    """Number of labeled frames in no dataset.

    Args:
        ledger: The ledger.
        of_drift: Count only frames that were chosen for drift.
    """
    query = select(func.count()).where(reviews.c.state == ReviewState.LABELED.value)
    if of_drift:
        query = query.where(reviews.c.drift != "")
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
        return _chosen_since(connection, since, reason)


def _chosen_since(connection: Connection, since: datetime, reason: SelectionReason | None = None) -> int:
    query = select(func.count()).where(reviews.c.chosen_at >= since)
    if reason is not None:
        query = query.where(reviews.c.reason == reason.value)
    return int(connection.execute(query).scalar_one())


def _move(
    ledger: Ledger, digests: Collection[str], was: ReviewState, becomes: ReviewState, **values: Any
) -> int:
    """Change the frames that are in a state; returns how many were."""
    values["state"] = becomes.value
    moved = 0
    with ledger.transaction() as connection:
        for part in _parts(digests):
            there = reviews.c.digest.in_(part) & (reviews.c.state == was.value)
            moved += connection.execute(update(reviews).where(there).values(**values)).rowcount
    return moved


def _read(ledger: Ledger, query: "Select[Any]") -> list[FrameRecord]:
    with ledger.snapshot() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        FrameRecord(**{**row, "reason": SelectionReason(row["reason"]), "state": ReviewState(row["state"])})
        for row in rows
    ]


def _is_in(states: Collection[ReviewState]) -> ColumnElement[bool]:
    return reviews.c.state.in_([state.value for state in states])


def _parts(digests: Collection[str]) -> list[list[str]]:
    ordered = list(digests)
    return [ordered[start : start + _MAX_DIGESTS] for start in range(0, len(ordered), _MAX_DIGESTS)]
