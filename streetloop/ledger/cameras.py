"""Cameras that were added, changed or removed while the system ran; the file has the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.tables import camera_changes


@dataclass(frozen=True, slots=True)
class CameraChange:
    """One change of a camera.

    Attributes:
        id: Its number; rises.
        camera_id: Which camera.
        document: The camera from then on, as the camera file has it; None if it was removed. It
            may hold the password of a stream.
        author: Who asked for it.
        at: When.
    """

    id: int
    camera_id: str
    document: Mapping[str, Any] | None
    author: str
    at: datetime


def change_camera(
    ledger: Ledger, camera_id: str, document: Mapping[str, Any] | None, author: str, at: datetime
) -> None:
    """Write down how a camera is to be from now on.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        document: Its new form in the camera file; None removes it.
        author: Who changes it.
        at: When (UTC).
    """
    values = {
        "camera_id": camera_id,
        "document": None if document is None else dict(document),
        "author": author[:100],
        "at": at,
    }
    with ledger.transaction() as connection:
        connection.execute(insert(camera_changes).values(values))


def last_change(ledger: Ledger) -> int:
    """The number of the newest change; 0 before the first."""
    with ledger.snapshot() as connection:
        return connection.execute(select(func.max(camera_changes.c.id))).scalar() or 0


def newest_changes(ledger: Ledger) -> list[CameraChange]:
    """The last word on every camera that was ever changed, in the order of their first change."""
    query = select(camera_changes).order_by(camera_changes.c.id)
    found: dict[str, CameraChange] = {}
    with ledger.snapshot() as connection:
        for row in connection.execute(query).mappings():
            names = CameraChange.__dataclass_fields__
            found[row["camera_id"]] = CameraChange(**{name: row[name] for name in names})
    return list(found.values())
