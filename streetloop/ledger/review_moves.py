"""Moves frames between the states of `reviews`; each move happens whole, or not at all."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, select, update

from streetloop.boxes import Boxes
from streetloop.host.structured_log import ids
from streetloop.ledger.database import Ledger
from streetloop.ledger.reviews import ReviewState, chosen_since, is_in, parts_of
from streetloop.ledger.schema.tables import reviews

_log = logging.getLogger(__name__)

_HAS_LABEL = (ReviewState.LABELED, ReviewState.IN_DATASET)
_TAKES_ANSWERS = (ReviewState.PUSHED, ReviewState.REJECTED, *_HAS_LABEL)
_FORGOTTEN = {"answered_at": None, "labeler": None, "note": None}


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
        left = most - chosen_since(connection, since)
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
    return bool(_move(ledger, [digest], [ReviewState.PENDING], ReviewState.PUSHED, pushed_at=at))


def ask_again(ledger: Ledger, digests: Collection[str]) -> None:
    """Move frames that the labeler has lost back to pending."""
    _move(ledger, digests, [ReviewState.PUSHED], ReviewState.PENDING, pushed_at=None)


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """Where an answer comes from.

    Attributes:
        at: When it was given (UTC).
        labeler: Who gave it; None if nobody did.
        url: Where a person can change it; None if unknown.
    """

    at: datetime
    labeler: str | None = None
    url: str | None = None


def answer_review(ledger: Ledger, digest: str, source: AnswerSource, label: Boxes) -> bool:
    """Store a label; False if it changes nothing.

    An answer counts once, by its time. A label that differs from the one in a dataset makes the
    frame a new label again, for the next dataset.

    Args:
        ledger: The ledger.
        digest: SHA-256 of the frame.
        source: Where the label comes from.
        label: The boxes, in pixels of the frame; none for an empty frame.
    """
    columns = (reviews.c.state, reviews.c.answered_at, reviews.c.label)
    with ledger.transaction() as connection:
        where = (reviews.c.digest == digest) & is_in(_TAKES_ANSWERS)
        found = connection.execute(select(*columns).where(where).with_for_update()).one_or_none()
        if found is None or found.answered_at == source.at:
            return False
        is_same = found.state in _HAS_LABEL and found.label == label
        state = found.state if is_same else ReviewState.LABELED.value
        values = {"answered_at": source.at, "labeler": source.labeler, "url": source.url, "note": None}
        connection.execute(update(reviews).where(where).values(state=state, label=label, **values))
    if not is_same:
        _log.info("a frame is labeled", extra=ids(frame=digest))
    return not is_same


def reject_review(ledger: Ledger, digest: str, source: AnswerSource, note: str) -> bool:
    """Note that there is no usable label, or none any more; False if that changes nothing.

    Args:
        ledger: The ledger.
        digest: SHA-256 of the frame.
        source: Where the answer comes from, if there was one.
        note: Why there is no label.
    """
    where = (reviews.c.digest == digest) & is_in(_TAKES_ANSWERS)
    is_new = reviews.c.answered_at.is_(None) | (reviews.c.answered_at != source.at)
    values = {"answered_at": source.at, "labeler": source.labeler, "url": source.url, "note": note[:1000]}
    becomes = update(reviews).where(where & is_new)
    with ledger.transaction() as connection:
        state = ReviewState.REJECTED.value
        return bool(connection.execute(becomes.values(state=state, label=None, **values)).rowcount)


def reopen_rejected(ledger: Ledger, digests: Collection[str]) -> int:
    """Wait for answers to rejected frames; those that exist are read anew. Returns how many."""
    return _move(ledger, digests, [ReviewState.REJECTED], ReviewState.PUSHED, **_FORGOTTEN)


def ask_anew(ledger: Ledger, digests: Collection[str]) -> int:
    """Ask anew about frames in doubt, without their answers of before; returns how many."""
    states = _TAKES_ANSWERS
    values = {"asks": reviews.c.asks + 1, "doubt": None, "label": None, "url": None, "pushed_at": None}
    in_doubt = reviews.c.doubt.is_not(None)
    return _move(ledger, digests, states, ReviewState.PENDING, in_doubt, **values, **_FORGOTTEN)


def confirm_labels(ledger: Ledger, digests: Collection[str]) -> int:
    """Lift the doubt about frames of known classes; returns about how many there was one."""
    moved = 0
    with ledger.transaction() as connection:
        for part in parts_of(digests):
            there = reviews.c.digest.in_(part) & reviews.c.classes.is_not(None)
            becomes = update(reviews).where(there & reviews.c.doubt.is_not(None)).values(doubt=None)
            moved += connection.execute(becomes).rowcount
    return moved


def name_classes(ledger: Ledger, model_version: str, classes: Sequence[str], doubt: str | None) -> None:
    """Store the class names of a model with its frames that have none.

    Args:
        ledger: The ledger.
        model_version: The model that found the frames.
        classes: Its class names by class id.
        doubt: Why the frames that were in doubt remain so; None lifts the doubt.
    """
    unnamed = (reviews.c.model_version == model_version) & reviews.c.classes.is_(None)
    remains = case((reviews.c.doubt.is_not(None), doubt), else_=None)
    with ledger.transaction() as connection:
        connection.execute(update(reviews).where(unnamed).values(classes=tuple(classes), doubt=remains))


def mark_in_dataset(ledger: Ledger, digests: Collection[str], dataset: str) -> None:
    """Note the dataset that has the labels of labeled frames.

    Args:
        ledger: The ledger.
        digests: SHA-256 of the frames.
        dataset: Digest of the dataset.
    """
    _move(ledger, digests, [ReviewState.LABELED], ReviewState.IN_DATASET, dataset=dataset)
    for digest in digests:
        _log.info("a label is in a dataset", extra=ids(frame=digest, dataset=dataset))


def expire_reviews(ledger: Ledger, before: datetime) -> list[str]:
    """Expire candidates and pending frames captured before a time; returns their image keys.

    A frame that is asked anew, or whose label a dataset has, stays: datasets need its image.

    Args:
        ledger: The ledger.
        before: Time of capture (UTC) before which they expire.
    """
    unused = (reviews.c.asks == 0) & reviews.c.dataset.is_(None)
    waiting = is_in([ReviewState.CANDIDATE, ReviewState.PENDING]) & unused
    old = waiting & (reviews.c.captured_at < before)
    with ledger.transaction() as connection:
        keys = list(connection.execute(select(reviews.c.image_key).where(old)).scalars())
        connection.execute(update(reviews).where(old).values(state=ReviewState.EXPIRED.value))
    return keys


def _move(
    ledger: Ledger,
    digests: Collection[str],
    was: Collection[ReviewState],
    becomes: ReviewState,
    *also: ColumnElement[bool],
    **values: Any,
) -> int:
    """Change the frames that are in some states, and meet other conditions; returns how many."""
    values["state"] = becomes.value
    moved = 0
    with ledger.transaction() as connection:
        for part in parts_of(digests):
            there = update(reviews).where(reviews.c.digest.in_(part), is_in(was), *also)
            moved += connection.execute(there.values(**values)).rowcount
    return moved
