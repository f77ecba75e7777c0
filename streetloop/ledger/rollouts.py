"""Rollouts of new models: the state of each, pending commands, and every decision."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from streetloop.errors import RolloutError
from streetloop.host.structured_log import ids
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import decisions, rollouts

_log = logging.getLogger(__name__)


class RolloutState(StrEnum):
    """The state of a rollout; the last two are final."""

    RUNNING = "running"
    PAUSED = "paused"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"


OVER = {RolloutState.PROMOTED, RolloutState.ROLLED_BACK}
"""The final states."""

_MAX_REASON = 1000  # characters, as the column holds
_FIELDS = {"reading": "summary", "wanted": "command", "wanted_by": "command_by"}
"""Columns whose names are older than those of the fields."""


class RolloutCommand(StrEnum):
    """A command to the open rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout. The JSON in it is parsed by `serve.rollout.rollout_record`.

    Attributes:
        id: Its number in the ledger.
        state: Its state.
        model: The challenger, as a name that `train.model.find_model.find_model` accepts.
        champion: The model that it is compared with.
        city: The city whose cameras take part; None for all.
        policy: JSON of the policy.
        phase: JSON of the phase.
        evidence: JSON of the sums since it began; None before the first.
        summary: The evidence summarized, as the JSON of `serve.rollout.rollout_summary`.
        author: Who started it.
        started_at: When it was started.
        phase_at: When the phase began.
        phase_frames: Frames that the challenger had answered when the phase began.
        updated_at: When its evidence or state was last written.
        ended_at: When it reached a final state.
        command: A command that is not applied yet.
        command_by: Who gave it.
    """

    id: int
    state: RolloutState
    model: str
    champion: str
    city: str | None
    policy: Mapping[str, Any]
    phase: Mapping[str, Any]
    evidence: Mapping[str, Any] | None
    summary: Mapping[str, Any]
    author: str
    started_at: datetime
    phase_at: datetime
    phase_frames: int
    updated_at: datetime
    ended_at: datetime | None
    command: RolloutCommand | None
    command_by: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision on a rollout.

    Attributes:
        at: When it was taken.
        action: What was decided.
        author: The name of a person, or ``policy``.
        reason: Why, in one sentence.
        summary: JSON of the summarized evidence at that moment.
    """

    at: datetime
    action: str
    author: str
    reason: str
    summary: Mapping[str, Any]


def start_rollout(
    ledger: Ledger,
    model: str,
    champion: str,
    city: str | None,
    policy: Mapping[str, Any],
    phase: Mapping[str, Any],
    author: str,
    at: datetime,
    reason: str | None = None,
    summary: Mapping[str, Any] | None = None,
) -> Rollout:
    """Start a rollout; running streams take it up.

    Args:
        ledger: The ledger.
        model: The challenger.
        champion: The model that it is compared with.
        city: The city whose cameras take part; None for all.
        policy: JSON of the policy.
        phase: JSON of the first phase.
        author: Who starts it.
        at: When it starts.
        reason: Why it is started; None for a sentence that names the version.
        summary: JSON of what is on record of the challenger already, such as a verdict.

    Raises:
        RolloutError: Another one is open.
    """
    values = {
        "is_open": True,
        "state": RolloutState.RUNNING,
        "model": model,
        "champion": champion,
        "city": city,
        "policy": dict(policy),
        "phase": dict(phase),
        "reading": dict(summary or {}),
        "author": author,
        "started_at": at,
        "phase_at": at,
        "phase_frames": 0,
        "updated_at": at,
    }
    entry = Entry(at, "start", author, reason or f"version {model} is tried", summary or {})
    with ledger.transaction() as connection:
        other = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
        if other is None:
            _insert_rollout(connection, values, entry)
    if other is not None:
        raise RolloutError(
            f"rollout {other['id']} of version {other['model']} is open, started by "
            f"{other['author']}: wait for its end, or `streetloop rollout rollback`"
        )
    found = open_rollout(ledger)
    assert found is not None
    _note(found, entry)
    return found


def _insert_rollout(connection: Connection, values: Mapping[str, Any], entry: Entry) -> None:
    """Write a rollout and the decision that starts it.

    Raises:
        RolloutError: Another one was started at this moment.
    """
    try:
        key = connection.execute(insert(rollouts).values(values)).inserted_primary_key
    except IntegrityError as error:
        raise RolloutError("another rollout was started at this moment") from error
    assert key is not None
    _insert_decision(connection, int(key[0]), entry)


def open_rollout(ledger: Ledger) -> Rollout | None:
    """The open rollout, if there is one; there is never more than one."""
    with ledger.snapshot() as connection:
        row = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
    return None if row is None else _rollout(row)


def list_rollouts(ledger: Ledger, most: int = 100) -> list[Rollout]:
    """List rollouts, newest first.

    Args:
        ledger: The ledger.
        most: Largest number of rollouts.
    """
    query = select(rollouts).order_by(rollouts.c.id.desc()).limit(most)
    with ledger.snapshot() as connection:
        return [_rollout(row) for row in connection.execute(query).mappings()]


def count_ended_rollouts(ledger: Ledger) -> dict[RolloutState, int]:
    """Number of rollouts that have ended, by state."""
    query = select(rollouts.c.state, func.count()).where(rollouts.c.ended_at.is_not(None))
    with ledger.snapshot() as connection:
        counts = {state: int(n) for state, n in connection.execute(query.group_by(rollouts.c.state))}
    return {state: counts.get(state.value, 0) for state in RolloutState if state in OVER}


def list_decisions(ledger: Ledger, rollout_id: int) -> list[Entry]:
    """All decisions on one rollout, the oldest first.

    Args:
        ledger: The ledger.
        rollout_id: Number of the rollout.
    """
    c = decisions.c
    query = select(c.at, c.action, c.author, c.reason, c.reading.label("summary"))
    query = query.where(c.rollout_id == rollout_id).order_by(c.id)
    with ledger.snapshot() as connection:
        return [Entry(**row) for row in connection.execute(query).mappings()]


def request_command(ledger: Ledger, command: RolloutCommand, author: str) -> Rollout:
    """Give a command to the open rollout; the running streams apply it.

    It replaces a command that is not applied yet, except a rollback.

    Args:
        ledger: The ledger.
        command: Pause, resume, promote or roll back.
        author: Who gives it.

    Raises:
        RolloutError: None is open, or it is being rolled back and the command is another one.
    """
    with ledger.transaction() as connection:
        row = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
        if row is None:
            raise RolloutError("no rollout is open: `streetloop rollout start VERSION` begins one")
        if row["wanted"] == RolloutCommand.ROLL_BACK != command:
            # A rollback takes a while: half of it may be done already.
            raise RolloutError(f"rollout {row['id']} is being rolled back, as {row['wanted_by']} asked")
        values = {"wanted": command, "wanted_by": author}
        connection.execute(update(rollouts).where(_is(row["id"])).values(values))
    return _rollout({**row, **values})


def note_progress(
    ledger: Ledger, rollout_id: int, evidence: Mapping[str, Any], summary: Mapping[str, Any], at: datetime
) -> None:
    """Write the evidence so far.

    Args:
        ledger: The ledger.
        rollout_id: The rollout.
        evidence: JSON of the sums, for a restart.
        summary: JSON of the summary, for people.
        at: When (UTC).
    """
    values = {"evidence": dict(evidence), "reading": dict(summary), "updated_at": at}
    with ledger.transaction() as connection:
        connection.execute(update(rollouts).where(_is(rollout_id)).values(values))


def move(
    ledger: Ledger,
    rollout: Rollout,
    state: RolloutState,
    phase: Mapping[str, Any],
    phase_frames: int,
    entry: Entry,
) -> None:
    """Write a decision and the new state in one transaction, before anything is done about it.

    Args:
        ledger: The ledger.
        rollout: The rollout as it was read. A command that was given since then stays pending.
        state: The new state; a final one closes the rollout.
        phase: JSON of the new phase; another one than before restarts the phase's time.
        phase_frames: Frames that the challenger has answered so far.
        entry: The decision.
    """
    values: dict[str, Any] = {"state": state, "phase": dict(phase), "updated_at": entry.at}
    if dict(phase) != dict(rollout.phase):
        values |= {"phase_at": entry.at, "phase_frames": phase_frames}
    if state in OVER:
        values |= {"is_open": None, "ended_at": entry.at}
    with ledger.transaction() as connection:
        connection.execute(update(rollouts).where(_is(rollout.id)).values(values))
        applied = update(rollouts).where(_is(rollout.id), rollouts.c.wanted == rollout.command)
        connection.execute(applied.values(wanted=None, wanted_by=None))
        _insert_decision(connection, rollout.id, entry)
    _note(rollout, entry)


def _note(rollout: Rollout, entry: Entry) -> None:
    about = ids(rollout=rollout.id, version=rollout.model, champion=rollout.champion)
    _log.info("rollout %d: %s: %s", rollout.id, entry.action, entry.reason, extra=about)


def _insert_decision(connection: Connection, rollout_id: int, entry: Entry) -> None:
    values = {
        "rollout_id": rollout_id,
        "at": entry.at,
        "action": entry.action,
        "author": entry.author,
        "reason": entry.reason[:_MAX_REASON],
        "reading": dict(entry.summary),
    }
    connection.execute(insert(decisions).values(values))


def _is(rollout_id: int) -> ColumnElement[bool]:
    return rollouts.c.id == rollout_id


def _rollout(row: Mapping[Any, Any]) -> Rollout:
    plain = {_FIELDS.get(name, name): value for name, value in row.items() if name != "is_open"}
    command = None if plain["command"] is None else RolloutCommand(plain["command"])
    return Rollout(**{**plain, "state": RolloutState(plain["state"]), "command": command})
