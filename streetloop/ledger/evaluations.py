"""Evaluations that were asked for over HTTP: a queue, one at a time, and what came of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from streetloop.errors import QueueFull
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import evaluations

_MAX_KEPT = 1000
_RETRY_AFTER_S = 60
_MAX_ERROR = 1000


class EvaluationState(StrEnum):
    """Where an evaluation is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """One evaluation.

    Attributes:
        id: Its number in the ledger.
        state: Where it is.
        model: Name of the model, as `train.model.find_model` takes it.
        dataset: Digest of the dataset.
        options: JSON of the options.
        author: Who asked.
        progress: The share of the images that are done, 0 to 1.
        result: JSON of the report, once it is done.
        error: Why it failed, in one sentence.
        asked_at: When (UTC).
        started_at: When it began to run.
        ended_at: When it was done, or failed.
    """

    id: int
    state: EvaluationState
    model: str
    dataset: str
    options: Mapping[str, Any]
    author: str
    progress: float
    result: Mapping[str, Any] | None
    error: str | None
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def ask_for_evaluation(
    ledger: Ledger,
    model: str,
    dataset: str,
    options: Mapping[str, Any],
    author: str,
    at: datetime,
    max_waiting: int,
) -> EvaluationRun:
    """Put an evaluation at the end of the queue, and forget all but the last thousand.

    Args:
        ledger: The ledger.
        model: Name of the model.
        dataset: Digest of the dataset.
        options: JSON of the options.
        author: Who asks.
        at: Now (UTC).
        max_waiting: Most evaluations that may wait, this one included.

    Raises:
        QueueFull: As many wait already.
    """
    values = {
        "state": EvaluationState.QUEUED,
        "model": model,
        "dataset": dataset,
        "options": dict(options),
        "author": author[:100],
        "progress": 0.0,
        "asked_at": at,
    }
    queued = evaluations.c.state == EvaluationState.QUEUED
    with ledger.transaction() as connection:
        waiting = connection.execute(select(func.count()).where(queued)).scalar_one()
        if waiting < max_waiting:
            key = connection.execute(insert(evaluations).values(values)).inserted_primary_key
            assert key is not None
            number = int(key[0])
            ended = evaluations.c.ended_at.is_not(None)
            connection.execute(delete(evaluations).where(evaluations.c.id <= number - _MAX_KEPT, ended))
    if waiting >= max_waiting:
        raise QueueFull(f"{waiting} evaluations wait already; ask again later", _RETRY_AFTER_S)
    found = find_evaluation(ledger, number)
    assert found is not None
    return found


def start_next_evaluation(ledger: Ledger, at: datetime) -> EvaluationRun | None:
    """Let the evaluation that waits longest run; None if none waits, or one runs.

    Args:
        ledger: The ledger.
        at: Now (UTC).
    """
    waiting = select(evaluations.c.id).where(evaluations.c.state == EvaluationState.QUEUED)
    running = select(evaluations.c.id).where(evaluations.c.state == EvaluationState.RUNNING)
    with ledger.snapshot() as connection:  # which waits for nobody: most looks find nothing
        number = connection.execute(waiting.order_by(evaluations.c.id).limit(1)).scalar()
        if number is None or connection.execute(running.limit(1)).scalar() is not None:
            return None
    begun = {"state": EvaluationState.RUNNING, "started_at": at}
    with ledger.transaction() as connection:
        connection.execute(update(evaluations).where(evaluations.c.id == number).values(begun))
    return find_evaluation(ledger, number)


def note_evaluation_progress(ledger: Ledger, number: int, progress: float) -> bool:
    """Say how far an evaluation is; False if it is not running any more.

    Args:
        ledger: The ledger.
        number: The evaluation.
        progress: The share of the images that are done, 0 to 1.
    """
    return _change(ledger, number, progress=progress)


def finish_evaluation(ledger: Ledger, number: int, result: Mapping[str, Any], at: datetime) -> bool:
    """End an evaluation with its report; False if it was not running.

    Args:
        ledger: The ledger.
        number: The evaluation.
        result: JSON of the report.
        at: Now (UTC).
    """
    values = {"state": EvaluationState.DONE, "progress": 1.0, "result": dict(result), "ended_at": at}
    return _change(ledger, number, **values)


def fail_evaluation(ledger: Ledger, number: int, error: str, at: datetime) -> bool:
    """End an evaluation without a report; False if it was not running.

    Args:
        ledger: The ledger.
        number: The evaluation.
        error: Why, in one sentence.
        at: Now (UTC).
    """
    return _change(ledger, number, state=EvaluationState.FAILED, error=error[:_MAX_ERROR], ended_at=at)


def fail_running_evaluations(ledger: Ledger, error: str, at: datetime) -> int:
    """Fail what a process that is gone left running; returns how many.

    Args:
        ledger: The ledger.
        error: Why, in one sentence.
        at: Now (UTC).
    """
    values = {"state": EvaluationState.FAILED, "error": error[:_MAX_ERROR], "ended_at": at}
    running = evaluations.c.state == EvaluationState.RUNNING
    with ledger.transaction() as connection:
        return connection.execute(update(evaluations).where(running).values(values)).rowcount


def find_evaluation(ledger: Ledger, number: int) -> EvaluationRun | None:
    """An evaluation by its number; None if there is none."""
    query = select(evaluations).where(evaluations.c.id == number)
    with ledger.snapshot() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else _run_of(row)


def list_evaluations(ledger: Ledger, offset: int, limit: int) -> list[EvaluationRun]:
    """Evaluations, the newest first.

    Args:
        ledger: The ledger.
        offset: Number to skip.
        limit: Most to return.
    """
    query = select(evaluations).order_by(evaluations.c.id.desc()).offset(offset).limit(limit)
    with ledger.snapshot() as connection:
        return [_run_of(row) for row in connection.execute(query).mappings()]


def evaluations_of(ledger: Ledger, models: Collection[str], limit: int) -> list[EvaluationRun]:
    """Evaluations of some models that are done, the newest first.

    Args:
        ledger: The ledger.
        models: Their names, as they were asked for.
        limit: Most to return.
    """
    c = evaluations.c
    query = select(evaluations).where(c.model.in_(models), c.state == EvaluationState.DONE)
    with ledger.snapshot() as connection:
        found = connection.execute(query.order_by(c.id.desc()).limit(limit)).mappings()
        return [_run_of(row) for row in found]


def datasets_measured(ledger: Ledger) -> set[str]:
    """Digests of the datasets that evaluations name."""
    with ledger.snapshot() as connection:
        return set(connection.execute(select(evaluations.c.dataset)).scalars())


def _change(ledger: Ledger, number: int, **values: Any) -> bool:
    is_it = evaluations.c.id == number, evaluations.c.state == EvaluationState.RUNNING
    with ledger.transaction() as connection:
        return connection.execute(update(evaluations).where(*is_it).values(values)).rowcount > 0


def _run_of(row: RowMapping) -> EvaluationRun:
    return EvaluationRun(**{**row, "state": EvaluationState(row["state"])})
