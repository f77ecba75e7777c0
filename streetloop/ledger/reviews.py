"""Reviews: frames on their way from a camera to a dataset. A frame moves forward only.

::

    candidate -> pending -> pushed -> labeled -> in dataset
        |           |          |-> rejected (skipped, or an answer that cannot be used)
        +-----------+-> expired
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.tables import reviews

_SOME = 500  # digests in one statement


class ReviewState(StrEnum):
    """Where a frame is."""

    CANDIDATE = "candidate"
    PENDING = "pending"
    PUSHED = "pushed"
    LABELED = "labeled"
    IN_DATASET = "in dataset"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Review:
    """One frame.

    Attributes:
        digest: SHA-256 of its JPEG.
        image_key: Where the JPEG is in the object store.
        width: In pixels.
        height: In pixels.
        camera_id: Which camera.
        captured_at: When (UTC).
        reason: Why it may be asked about.
        score: How much it is wanted.
        model_version: Which model the boxes are from.
        boxes: What the model found, plain values.
        fingerprint: What it looks like, for doubles.
        embedding: What it looks like, for variety.
        drift: Cause of the camera's drift at the time; empty without.
        origin: Where it can be looked up again.
        state: Where it is.
        rank: Its place in the choice.
        chosen_at: When it was chosen.
        pushed_at: When somebody was asked.
        answered_at: When an answer came.
        labeler: Who answered.
        label: What is there, plain values.
        note: Why it was rejected.
        dataset: Digest of the first dataset that it is in.
    """

    digest: str
    image_key: str
    width: int
    height: int
    camera_id: str
    captured_at: datetime
    reason: str
    score: float
    model_version: str
    boxes: Any
    fingerprint: bytes
    embedding: bytes
    drift: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    state: ReviewState = ReviewState.CANDIDATE
    rank: int | None = None
    chosen_at: datetime | None = None
    pushed_at: datetime | None = None
    answered_at: datetime | None = None
    labeler: str | None = None
    label: Any = None
    note: str | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class CandidateSummary:
    """What choosing needs of a frame: there are many, and boxes take long to read.

    Attributes:
        digest: SHA-256 of its JPEG.
        camera_id: Which camera.
        captured_at: When (UTC).
        reason: Why it may be asked about.
        score: How much it is wanted.
        fingerprint: What it looks like, for doubles.
        embedding: What it looks like, for variety.
        model_version: Which model the boxes are from.
    """

    digest: str
    camera_id: str
    captured_at: datetime
    reason: str
    score: float
    fingerprint: bytes
    embedding: bytes
    model_version: str


def add_reviews(ledger: Ledger, found: Sequence[Review]) -> None:
    """Write frames; one that is known already stays as it is."""
    if not found:
        return
    rows = [{**asdict(one), "state": one.state.value} for one in found]
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(kind.insert(reviews).on_conflict_do_nothing(), rows)


def list_reviews(ledger: Ledger, states: Collection[ReviewState], reason: str | None = None) -> list[Review]:
    """Frames in some states, as they were ranked, then as they were taken.

    Args:
        ledger: Where.
        states: Which states.
        reason: Only frames that were candidates for this reason.
    """
    query = select(reviews).where(reviews.c.state.in_([s.value for s in states]))
    if reason is not None:
        query = query.where(reviews.c.reason == reason)
    query = query.order_by(reviews.c.chosen_at, reviews.c.rank, reviews.c.captured_at)
    return _read(ledger, query)


def list_candidacies(
    ledger: Ledger, states: Collection[ReviewState], since: datetime
) -> list[CandidateSummary]:
    """What choosing needs of the frames in some states that were taken since a moment."""
    columns = [reviews.c[one.name] for one in fields(CandidateSummary)]
    query = select(*columns).where(reviews.c.state.in_([s.value for s in states]))
    query = query.where(reviews.c.captured_at >= since).order_by(reviews.c.captured_at)
    with ledger.transaction() as connection:
        return [CandidateSummary(*row) for row in connection.execute(query)]


def list_model_versions(ledger: Ledger, states: Collection[ReviewState]) -> list[str]:
    """Model versions that the boxes of the frames in some states are from, each once, sorted."""
    query = select(reviews.c.model_version).distinct()
    query = query.where(reviews.c.state.in_([s.value for s in states]))
    with ledger.transaction() as connection:
        return sorted(connection.execute(query).scalars())


def newest_reviews(
    ledger: Ledger, states: Collection[ReviewState], most: int, offset: int = 0
) -> list[Review]:
    """Frames in some states, those that were taken last first."""
    query = select(reviews).where(reviews.c.state.in_([s.value for s in states]))
    query = query.order_by(reviews.c.captured_at.desc(), reviews.c.digest)
    return _read(ledger, query.limit(most).offset(offset))


def find_reviews(ledger: Ledger, digests: Collection[str]) -> list[Review]:
    """The frames of some digests that there are."""
    found: list[Review] = []
    for part in _parts(digests):
        found += _read(ledger, select(reviews).where(reviews.c.digest.in_(part)))
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate that was chosen.

    Attributes:
        digest: Which frame.
        score: How much it was wanted in the end.
        drift: Likeliest cause of the camera's drift; empty without.
    """

    digest: str
    score: float
    drift: str = ""


def choose_reviews(ledger: Ledger, chosen: Sequence[Choice], at: datetime, since: datetime, most: int) -> int:
    """Candidates become pending, ranked as they are given; how many did.

    Args:
        ledger: Where.
        chosen: What was chosen; what is no candidate any more is left out.
        at: When.
        since: When the budget's period began.
        most: How many frames may be chosen in it, whoever chooses at the same time.
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
    """Somebody was asked about a frame; False if that was noted already."""
    return bool(_move(ledger, [digest], ReviewState.PENDING, ReviewState.PUSHED, pushed_at=at))


def ask_again(ledger: Ledger, digests: Collection[str]) -> None:
    """Frames that were pushed and are lost there will be pushed again."""
    _move(ledger, digests, ReviewState.PUSHED, ReviewState.PENDING, pushed_at=None)


def answer_review(ledger: Ledger, digest: str, at: datetime, labeler: str, label: Any) -> bool:
    """A frame was labelled; False if it was not waiting, so that nothing counts twice."""
    values = {"answered_at": at, "labeler": labeler, "label": label}
    return bool(_move(ledger, [digest], ReviewState.PUSHED, ReviewState.LABELED, **values))


def reject_review(ledger: Ledger, digest: str, at: datetime, labeler: str | None, note: str) -> bool:
    """A frame was declined, or its answer cannot be used; False if it was not waiting."""
    values = {"answered_at": at, "labeler": labeler, "note": note[:1000]}
    return bool(_move(ledger, [digest], ReviewState.PUSHED, ReviewState.REJECTED, **values))


def mark_in_dataset(ledger: Ledger, digests: Collection[str], dataset: str) -> None:
    """Labelled frames are in a dataset; one that was in another before stays the first's."""
    _move(ledger, digests, ReviewState.LABELED, ReviewState.IN_DATASET, dataset=dataset)


def expire_reviews(ledger: Ledger, before: datetime) -> list[str]:
    """Candidates and pending frames from before a moment expire; where their images are."""
    old = reviews.c.state.in_([ReviewState.CANDIDATE.value, ReviewState.PENDING.value]) & (
        reviews.c.captured_at < before
    )
    with ledger.transaction() as connection:
        keys = list(connection.execute(select(reviews.c.image_key).where(old)).scalars())
        connection.execute(update(reviews).where(old).values(state=ReviewState.EXPIRED.value))
    return keys


def count_reviews(ledger: Ledger) -> dict[ReviewState, int]:
    """How many frames are in each state."""
    query = select(reviews.c.state, func.count()).group_by(reviews.c.state)
    with ledger.transaction() as connection:
        counts = {state: int(count) for state, count in connection.execute(query)}
    return {state: counts.get(state.value, 0) for state in ReviewState}


def count_labeled(ledger: Ledger, of_drift: bool = False) -> int:
    """How many frames are labelled and in no dataset yet; or those of them that drift chose."""
    query = select(func.count()).where(reviews.c.state == ReviewState.LABELED.value)
    if of_drift:
        query = query.where(reviews.c.drift != "")
    with ledger.transaction() as connection:
        return int(connection.execute(query).scalar_one())


def count_chosen(ledger: Ledger, since: datetime, reason: str | None = None) -> int:
    """How many frames were chosen since a moment, for one reason or any."""
    with ledger.transaction() as connection:
        return _chosen_since(connection, since, reason)


def _chosen_since(connection: Connection, since: datetime, reason: str | None = None) -> int:
    query = select(func.count()).where(reviews.c.chosen_at >= since)
    if reason is not None:
        query = query.where(reviews.c.reason == reason)
    return int(connection.execute(query).scalar_one())


def _move(
    ledger: Ledger, digests: Collection[str], was: ReviewState, becomes: ReviewState, **values: Any
) -> int:
    """Change frames that are in a state; how many were."""
    values["state"] = becomes.value
    moved = 0
    with ledger.transaction() as connection:
        for part in _parts(digests):
            there = reviews.c.digest.in_(part) & (reviews.c.state == was.value)
            moved += connection.execute(update(reviews).where(there).values(**values)).rowcount
    return moved


def _read(ledger: Ledger, query: "Select[Any]") -> list[Review]:
    with ledger.transaction() as connection:
        rows = connection.execute(query).mappings().all()
    return [Review(**{**row, "state": ReviewState(row["state"])}) for row in rows]


def _parts(digests: Collection[str]) -> list[list[str]]:
    ordered = list(digests)
    return [ordered[start : start + _SOME] for start in range(0, len(ordered), _SOME)]
