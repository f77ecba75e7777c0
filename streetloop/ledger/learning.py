"""Learning runs: what asked for a new model, how far it is, how it ended."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, func, insert, select, update

from streetloop.errors import LearningError
from streetloop.host.structured_log import ids
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import learning_runs

_log = logging.getLogger(__name__)

TRAINING = "training"
"""Where the detail of a run has its `TrainingProgress`."""


class Step(StrEnum):
    """Where a learning run is."""

    LABELING = "labeling"
    TRAINING = "training"
    ROLLOUT = "rollout"
    PARKED = "parked"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"
    DROPPED = "dropped"


ENDED = {Step.PROMOTED, Step.ROLLED_BACK, Step.REFUSED, Step.DROPPED}


@dataclass(frozen=True, slots=True)
class LearningRun:
    """One learning run.

    Attributes:
        id: Its number in the ledger.
        name: Of its training, too: it goes on by that.
        step: Where it is.
        trigger: What asked for it: ``kind``, and what is known of it.
        detail: What its steps left: ``version``, ``rollout``, ``parked`` (the step that failed);
            ``training`` while it trains, see `TrainingProgress`.
        attempts: How often the step has failed.
        reason: Why it waits, was parked or ended.
        started_at: When.
        step_at: When the step began.
        next_at: When the step is tried again, if it failed.
        ended_at: When it was over.
    """

    id: int
    name: str
    step: Step
    trigger: Mapping[str, Any]
    detail: Mapping[str, Any]
    attempts: int
    reason: str | None
    started_at: datetime
    step_at: datetime
    next_at: datetime | None
    ended_at: datetime | None


class TrainingProgress(NamedTuple):
    """How far a training is.

    Attributes:
        epoch: The current one, from 1.
        epochs: Number of epochs.
        done: Share of the training that is done, 0 to 1.
        left_s: Seconds that it takes still; None while nobody knows.
    """

    epoch: int
    epochs: int
    done: float
    left_s: float | None


def begin_learning(ledger: Ledger, name: str, trigger: Mapping[str, Any], at: datetime) -> LearningRun:
    """Begin a run.

    Args:
        ledger: The ledger.
        name: Name of the run, unique.
        trigger: JSON of what started it.
        at: When (UTC).

    Raises:
        LearningError: One is open.
    """
    values = {
        "is_open": True,
        "name": name,
        "step": Step.LABELING,
        "trigger": dict(trigger),
        "detail": {},
        "attempts": 0,
        "started_at": at,
        "step_at": at,
    }
    with ledger.transaction() as connection:
        query = select(learning_runs.c.id).where(learning_runs.c.is_open)
        known = connection.execute(query).scalar()
        if known is None:
            connection.execute(insert(learning_runs).values(values))
    if known is not None:
        raise LearningError(f"learning run {known} is open: `streetloop learn` says where it is")
    found = open_learning(ledger)
    assert found is not None
    return found


def open_learning(ledger: Ledger) -> LearningRun | None:
    """The one that is open, if any."""
    query = select(learning_runs).where(learning_runs.c.is_open)
    with ledger.snapshot() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else _run(row)


def list_learning(ledger: Ledger, since: datetime | None = None, most: int = 100) -> list[LearningRun]:
    """List learning runs, newest first.

    Args:
        ledger: The ledger.
        since: Only runs that began at this time (UTC) or later; None for all.
        most: Largest number of runs.
    """
    query = select(learning_runs).order_by(learning_runs.c.id.desc()).limit(most)
    if since is not None:
        query = query.where(learning_runs.c.started_at >= since)
    with ledger.snapshot() as connection:
        return [_run(row) for row in connection.execute(query).mappings()]


def count_ended_learning(ledger: Ledger) -> dict[Step, int]:
    """Number of runs that have ended, by their last step."""
    query = select(learning_runs.c.step, func.count()).where(learning_runs.c.ended_at.is_not(None))
    with ledger.snapshot() as connection:
        counts = {step: int(n) for step, n in connection.execute(query.group_by(learning_runs.c.step))}
    return {step: counts.get(step.value, 0) for step in Step if step in ENDED}


def go_on(
    ledger: Ledger,
    run: LearningRun,
    step: Step,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> LearningRun:
    """Move a run to its next step.

    Args:
        ledger: The ledger.
        run: The run.
        step: The step that begins; a final one ends the run.
        at: When (UTC).
        detail: JSON of the results of the last step, added to those of earlier ones.
        reason: Why, in one sentence.
    """
    values: dict[str, Any] = {
        "step": step,
        "step_at": at,
        "attempts": 0,
        "next_at": None,
        "reason": _short(reason),
        "detail": {k: v for k, v in run.detail.items() if k != TRAINING} | {**(detail or {})},
    }
    if step in ENDED:
        values |= {"is_open": None, "ended_at": at}
    version = values["detail"].get("version")
    _log.info("learning run %d: %s", run.id, step, extra=ids(learning=run.id, version=version))
    return _update(ledger, run.id, values)


def note_failure(ledger: Ledger, run: LearningRun, reason: str, next_at: datetime) -> LearningRun:
    """Note that a step failed and when it is retried.

    Args:
        ledger: The ledger.
        run: The run.
        reason: Why it failed.
        next_at: Time of the next attempt (UTC).
    """
    values = {"attempts": run.attempts + 1, "reason": _short(reason), "next_at": next_at}
    return _update(ledger, run.id, values)


def change_trigger(ledger: Ledger, run: LearningRun, trigger: Mapping[str, Any]) -> LearningRun:
    """Note that more asks for a run than what began it.

    Args:
        ledger: The ledger.
        run: A run that waits for labels.
        trigger: JSON of all that asks for it.
    """
    return _update(ledger, run.id, {"trigger": dict(trigger)})


def note_training(ledger: Ledger, name: str, progress: TrainingProgress) -> None:
    """Note how far the training of an open run is; the run's next step forgets it.

    Args:
        ledger: The ledger.
        name: Of the run.
        progress: How far it is.

    Raises:
        LedgerError: It was not written.
    """
    here = (learning_runs.c.name == name) & learning_runs.c.ended_at.is_(None)
    with ledger.transaction() as connection:
        detail = connection.execute(select(learning_runs.c.detail).where(here)).scalar_one_or_none()
        if detail is not None:
            values = {"detail": {**detail, TRAINING: progress._asdict()}}
            connection.execute(update(learning_runs).where(here).values(values))


def _update(ledger: Ledger, number: int, values: Mapping[str, Any]) -> LearningRun:
    here = learning_runs.c.id == number
    with ledger.transaction() as connection:
        connection.execute(update(learning_runs).where(here).values(values))
        row = connection.execute(select(learning_runs).where(here)).mappings().one()
    return _run(row)


def _short(reason: str | None) -> str | None:
    return None if reason is None else reason[:1000]


def _run(row: RowMapping) -> LearningRun:
    plain = {name: row[name] for name in LearningRun.__dataclass_fields__}
    return LearningRun(**{**plain, "step": Step(plain["step"])})
