"""Mutes: of the camera file, and of people; read when an event begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert, select

from streetloop.alerting.mute import Mute
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import mutes

FROM_FILE = "camera file"
"""Author of the mutes that the camera file has."""


@dataclass(frozen=True, slots=True)
class MuteRecord:
    """A mute that holds.

    Attributes:
        id: Its number.
        mute: What it mutes.
        zone: IANA time zone of its hours and days.
        author: Who muted; `FROM_FILE` if the camera file did.
        at: When.
    """

    id: int
    mute: Mute
    zone: str
    author: str
    at: datetime


def add_mute(ledger: Ledger, mute: Mute, zone: str, author: str, at: datetime) -> MuteRecord:
    """Mute events that begin from now on.

    Args:
        ledger: The ledger.
        mute: Which.
        zone: IANA time zone of its hours and days.
        author: Who mutes.
        at: Now (UTC).
    """
    with ledger.transaction() as connection:
        number = _insert(connection, mute, zone, author, at)
    return MuteRecord(number, mute, zone, author[:100], at)


def list_mutes(ledger: Ledger, now: datetime) -> list[MuteRecord]:
    """Mutes that are not over, the oldest first."""
    with ledger.snapshot() as connection:
        return [one for one in _read(connection) if one.mute.until is None or one.mute.until > now]


def remove_mute(ledger: Ledger, number: int) -> bool:
    """Lift a mute; False if there is none of that number."""
    with ledger.transaction() as connection:
        return connection.execute(delete(mutes).where(mutes.c.id == number)).rowcount > 0


def set_file_mutes(ledger: Ledger, found: Sequence[Mute], zone: str, at: datetime) -> None:
    """Put the mutes of the camera file in the place of those that it had before."""
    with ledger.transaction() as connection:
        connection.execute(delete(mutes).where(mutes.c.author == FROM_FILE))
        for mute in found:
            _insert(connection, mute, zone, FROM_FILE, at)


def is_muted(connection: Connection, kind: str, camera_id: str | None, at: datetime) -> bool:
    """Whether an event that begins is muted.

    Args:
        connection: Of the transaction that writes it.
        kind: Its kind.
        camera_id: Its camera; None if it concerns none.
        at: Its begin (UTC).
    """
    return any(
        one.mute.covers(kind, camera_id, at.astimezone(ZoneInfo(one.zone))) for one in _read(connection)
    )


def _insert(connection: Connection, mute: Mute, zone: str, author: str, at: datetime) -> int:
    document = mute.model_dump(mode="json", exclude_none=True)
    values = {"mute": document, "zone": zone, "author": author[:100], "at": at}
    key = connection.execute(insert(mutes).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _read(connection: Connection) -> list[MuteRecord]:
    rows = connection.execute(select(mutes).order_by(mutes.c.id))
    return [MuteRecord(row.id, Mute.model_validate(row.mute), row.zone, row.author, row.at) for row in rows]
