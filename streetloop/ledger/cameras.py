"""Cameras that were added, changed or removed while the system ran; the file has the others.

All changes of a camera are kept. Users, passwords and tokens of its address are kept apart, once,
and only while the camera is there: a change that takes them away wipes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import camera_changes, camera_secrets
from streetloop.secrets import redact


@dataclass(frozen=True, slots=True)
class CameraChange:
    """One change of a camera.

    Attributes:
        id: Its number; rises.
        camera_id: Which camera.
        document: The camera from then on, as the camera file has it, with the secrets of its
            address; None if it was removed.
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
    change_cameras(ledger, {camera_id: document}, author, at)


def change_cameras(
    ledger: Ledger, documents: Mapping[str, Mapping[str, Any] | None], author: str, at: datetime
) -> None:
    """Write down how several cameras are to be from now on: all of them, or none.

    Args:
        ledger: The ledger.
        documents: By id; see `change_camera`.
        author: Who changes them.
        at: When (UTC).
    """
    wiped = False
    with ledger.transaction() as connection:
        for camera_id, document in documents.items():
            wiped |= _change(connection, camera_id, document, author, at)
    if wiped:
        ledger.purge()


def _change(
    connection: Connection, camera_id: str, document: Mapping[str, Any] | None, author: str, at: datetime
) -> bool:
    """True if secrets were wiped."""
    uri = str((document or {}).get("uri", ""))
    shown = None if document is None else {**document, **({"uri": redact(uri)} if uri else {})}
    values = {"camera_id": camera_id, "document": shown, "author": author[:100], "at": at}
    connection.execute(insert(camera_changes).values(values))
    return _keep_secret(connection, camera_id, uri)


def _keep_secret(connection: Connection, camera_id: str, uri: str) -> bool:
    """Keep the secrets of an address in the place of those before; True if there were some."""
    of_camera = camera_secrets.c.camera_id == camera_id
    wiped = connection.execute(delete(camera_secrets).where(of_camera)).rowcount > 0
    if redact(uri) != uri:
        connection.execute(insert(camera_secrets).values(camera_id=camera_id, uri=uri))
    return wiped


def last_change(ledger: Ledger) -> int:
    """The number of the newest change; 0 before the first."""
    with ledger.snapshot() as connection:
        return connection.execute(select(func.max(camera_changes.c.id))).scalar() or 0


def newest_changes(ledger: Ledger) -> list[CameraChange]:
    """The last word on every camera that was ever changed, in the order of their first change."""
    query = select(camera_changes).order_by(camera_changes.c.id)
    found: dict[str, CameraChange] = {}
    with ledger.snapshot() as connection:
        secrets = {row.camera_id: row.uri for row in connection.execute(select(camera_secrets))}
        for row in connection.execute(query):
            document, secret = row.document, secrets.get(row.camera_id)
            if document is not None and secret is not None:
                document = {**document, "uri": secret}
            found[row.camera_id] = CameraChange(row.id, row.camera_id, document, row.author, row.at)
    return list(found.values())
