"""The gain of rollouts over time: what was known of it, a row for each step of time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import rollout_gains

STEP_S = 20
"""Seconds from one row to the next: a gain is a mean over blocks of frames that last as long."""

_VALUES = ("mean", "low", "high", "blocks")


@dataclass(frozen=True, slots=True)
class RolloutGain:
    """F1 of the challenger less that of the champion.

    Attributes:
        mean: The estimate.
        low: Lower end of its confidence sequence; None while it is unbounded.
        high: Upper end.
        blocks: Blocks of frames that it is the mean of.
    """

    mean: float
    low: float | None
    high: float | None
    blocks: int


def keep_gain(ledger: Ledger, rollout_id: int, at: datetime, gain: RolloutGain) -> None:
    """Write what is known now; it replaces what was written in this step of time.

    Args:
        ledger: The ledger.
        rollout_id: The rollout.
        at: When (UTC).
        gain: What is known of it.

    Raises:
        LedgerError: It was not written.
    """
    values = {name: getattr(gain, name) for name in _VALUES}
    key = {"rollout_id": rollout_id, "second": step_of(at)}
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = kind.insert(rollout_gains).values(**key, **values)
        connection.execute(new.on_conflict_do_update(index_elements=list(key), set_=values))


def list_gains(ledger: Ledger, rollout_id: int) -> list[tuple[datetime, RolloutGain]]:
    """What was known of a rollout's gain, the oldest first.

    Args:
        ledger: The ledger.
        rollout_id: The rollout.
    """
    c = rollout_gains.c
    query = select(rollout_gains).where(c.rollout_id == rollout_id).order_by(c.second)
    with ledger.snapshot() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        (datetime.fromtimestamp(row["second"], UTC), RolloutGain(**{name: row[name] for name in _VALUES}))
        for row in rows
    ]


def step_of(at: datetime) -> int:
    """The step of time that a moment is in, as the second that it begins at."""
    second = int(at.timestamp())
    return second - second % STEP_S
