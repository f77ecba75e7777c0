"""Rollouts of new models: where each is, what people want of it, and every decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from streetloop.errors import RolloutError
from streetloop.ledger.database import Ledger
from streetloop.ledger.tables import decisions, rollouts


class RolloutState(StrEnum):
    """What becomes of a rollout."""

    RUNNING = "running"
    PAUSED = "paused"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"


OVER = {RolloutState.PROMOTED, RolloutState.ROLLED_BACK}


class RolloutCommand(StrEnum):
    """What a person may want of an open rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout.

    Attributes:
        id: Its number in the ledger.
        state: What becomes of it.
        model: The candidate, by what `train.model.find_model.find_model` takes.
        champion: The model that it is held against.
        city: Whose cameras take part; None for all.
        policy: As the policy's JSON.
        phase: As the phase's JSON.
        evidence: Sums since it began; None before the first.
        reading: The evidence as people read it, cameras, and what is waited for.
        author: Who started it.
        started_at: When.
        phase_at: When the phase began.
        phase_frames: Frames that the challenger had answered when the phase began.
        updated_at: When it last moved.
        ended_at: When it was over.
        wanted: What somebody wants and has not got yet.
        wanted_by: Who wants it.
    """

    id: int
    state: RolloutState
    model: str
    champion: str
    city: str | None
    policy: Mapping[str, Any]
    phase: Mapping[str, Any]
    evidence: Mapping[str, Any] | None
    reading: Mapping[str, Any]
    author: str
    started_at: datetime
    phase_at: datetime
    phase_frames: int
    updated_at: datetime
    ended_at: datetime | None
    wanted: RolloutCommand | None
    wanted_by: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision on a rollout.

    Attributes:
        at: When.
        action: What was decided.
        author: Who: a person's name, or ``policy``.
        reason: Why.
        reading: The evidence at that moment.
    """

    at: datetime
    action: str
    author: str
    reason: str
    reading: Mapping[str, Any]


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
    reading: Mapping[str, Any] | None = None,
) -> Rollout:
    """Ask for a rollout; running streams take it up.

    Args:
        ledger: Where it is written down.
        model: The candidate.
        champion: The model that it is held against.
        city: Whose cameras take part; None for all.
        policy: As the policy's JSON.
        phase: As the phase's JSON.
        author: Who asks.
        at: When.
        reason: Why it is tried.
        reading: What is known of the candidate already.

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
        "reading": dict(reading or {}),
        "author": author,
        "started_at": at,
        "phase_at": at,
        "phase_frames": 0,
        "updated_at": at,
    }
    with ledger.transaction() as connection:
        known = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
        if known is None:
            try:
                key = connection.execute(insert(rollouts).values(values)).inserted_primary_key
            except IntegrityError as error:
                raise RolloutError("another rollout was started at this moment") from error
            assert key is not None
            why = reason or f"version {model} is tried"
            _note(connection, int(key[0]), at, "start", author, why, reading or {})
    if known is not None:
        raise RolloutError(
            f"rollout {known['id']} of version {known['model']} is open, started by "
            f"{known['author']}: wait for its end, or `streetloop rollout rollback`"
        )
    found = open_rollout(ledger)
    assert found is not None
    return found


def open_rollout(ledger: Ledger) -> Rollout | None:
    """The one that is open, if any."""
    with ledger.transaction() as connection:
        row = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
    return None if row is None else _rollout(row)


def list_rollouts(ledger: Ledger, most: int = 100) -> list[Rollout]:
    """The newest first."""
    query = select(rollouts).order_by(rollouts.c.id.desc()).limit(most)
    with ledger.transaction() as connection:
        return [_rollout(row) for row in connection.execute(query).mappings()]


def list_decisions(ledger: Ledger, rollout_id: int) -> list[Entry]:
    """All of one rollout, the oldest first."""
    columns = [decisions.c[name] for name in Entry.__dataclass_fields__]
    query = select(*columns).where(decisions.c.rollout_id == rollout_id).order_by(decisions.c.id)
    with ledger.transaction() as connection:
        return [Entry(**row) for row in connection.execute(query).mappings()]


def request_command(ledger: Ledger, wanted: RolloutCommand, author: str) -> Rollout:
    """Ask something of the open rollout; the running streams do it.

    Raises:
        RolloutError: None is open, or it is on its way back and something else is asked for.
    """
    with ledger.transaction() as connection:
        row = connection.execute(select(rollouts).where(rollouts.c.is_open)).mappings().first()
        if row is None:
            raise RolloutError("no rollout is open: `streetloop rollout start VERSION` begins one")
        if row["wanted"] == RolloutCommand.ROLL_BACK != wanted:
            # Going back may take a while: half of it is done already, maybe.
            raise RolloutError(f"rollout {row['id']} is on its way back, as {row['wanted_by']} wants it")
        values = {"wanted": wanted, "wanted_by": author}
        connection.execute(update(rollouts).where(_is(row["id"])).values(values))
    return _rollout({**row, **values})


def note_progress(
    ledger: Ledger, rollout_id: int, evidence: Mapping[str, Any], reading: Mapping[str, Any], at: datetime
) -> None:
    """Keep what is known so far, for people and for a restart."""
    values = {"evidence": dict(evidence), "reading": dict(reading), "updated_at": at}
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
    """Write a decision and what it makes of the rollout, as one: what follows is done after it.

    A wish that ``rollout`` does not know of yet stands: somebody had it since it was read.
    """
    values: dict[str, Any] = {"state": state, "phase": dict(phase), "updated_at": entry.at}
    if dict(phase) != dict(rollout.phase):
        values |= {"phase_at": entry.at, "phase_frames": phase_frames}
    if state in OVER:
        values |= {"is_open": None, "ended_at": entry.at}
    with ledger.transaction() as connection:
        connection.execute(update(rollouts).where(_is(rollout.id)).values(values))
        granted = update(rollouts).where(_is(rollout.id), rollouts.c.wanted == rollout.wanted)
        connection.execute(granted.values(wanted=None, wanted_by=None))
        _note(connection, rollout.id, entry.at, entry.action, entry.author, entry.reason, entry.reading)


def _note(
    connection: Any,
    rollout_id: int,
    at: datetime,
    action: str,
    author: str,
    reason: str,
    reading: Mapping[str, Any],
) -> None:
    values = {
        "rollout_id": rollout_id,
        "at": at,
        "action": action,
        "author": author,
        "reason": reason[:1000],
        "reading": dict(reading),
    }
    connection.execute(insert(decisions).values(values))


def _is(rollout_id: int) -> Any:
    return rollouts.c.id == rollout_id


def _rollout(row: Mapping[Any, Any]) -> Rollout:
    plain = {name: row[name] for name in Rollout.__dataclass_fields__}
    wanted = None if plain["wanted"] is None else RolloutCommand(plain["wanted"])
    return Rollout(**{**plain, "state": RolloutState(plain["state"]), "wanted": wanted})
