"""Drift findings: which camera is no longer what it was, since when and probably why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from streetloop.causes import Cause
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import findings


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        id: Its number in the ledger.
        camera_id: Where.
        since: When the change most likely began.
        opened_at: When it was found.
        closed_at: When it was over; None while it lasts.
        model_version: Whose reference it departs from.
        causes: Likeliest first.
        asks_for_labels: True if labels help against it.
        features: The answers by feature, as `drift.comparison.Answer.as_json`.
    """

    id: int
    camera_id: str
    since: datetime
    opened_at: datetime
    closed_at: datetime | None
    model_version: str
    causes: list[Cause]
    asks_for_labels: bool
    features: Mapping[str, Any]

    @property
    def cause_names(self) -> list[str]:
        """Names of the causes, the likeliest first."""
        return [cause.name for cause in self.causes]


def open_finding(
    ledger: Ledger,
    camera_id: str,
    since: datetime,
    opened_at: datetime,
    model_version: str,
    causes: list[Cause],
    asks_for_labels: bool,
    features: Mapping[str, Any],
) -> int:
    """Write a finding, or bring the camera's open one up to date; returns its number.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        since: When the drift began (UTC).
        opened_at: When it was found (UTC).
        model_version: The model that served.
        causes: The likeliest first.
        asks_for_labels: New labels would help.
        features: JSON of each feature's result, by name.
    """
    values = {
        "model_version": model_version,
        "causes": causes,
        "asks_for_labels": asks_for_labels,
        "features": dict(features),
    }
    with ledger.transaction() as connection:
        is_open = (findings.c.camera_id == camera_id) & findings.c.closed_at.is_(None)
        known = connection.execute(select(findings.c.id).where(is_open)).scalar()
        if known is not None:
            connection.execute(update(findings).where(findings.c.id == known).values(values))
            return int(known)
        values |= {"camera_id": camera_id, "since": since, "opened_at": opened_at}
        key = connection.execute(insert(findings).values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])


def close_findings(ledger: Ledger, camera_id: str, closed_at: datetime) -> None:
    """Close all open findings of a camera.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        closed_at: The end of the drift (UTC).
    """
    with ledger.transaction() as connection:
        is_open = (findings.c.camera_id == camera_id) & findings.c.closed_at.is_(None)
        connection.execute(update(findings).where(is_open).values(closed_at=closed_at))


def list_findings(
    ledger: Ledger, camera_id: str | None = None, only_open: bool = False, most: int = 1000
) -> list[Finding]:
    """List findings, newest first.

    Args:
        ledger: The ledger.
        camera_id: Only of this camera; None for all.
        only_open: Only findings that are not closed.
        most: Largest number of findings.
    """
    query = select(findings).order_by(findings.c.opened_at.desc(), findings.c.id.desc())
    if camera_id is not None:
        query = query.where(findings.c.camera_id == camera_id)
    if only_open:
        query = query.where(findings.c.closed_at.is_(None))
    with ledger.snapshot() as connection:
        rows = connection.execute(query.limit(most)).mappings().all()
    return [Finding(**row) for row in rows]
