"""When frames of the review queue were answered, and by whom."""

from datetime import datetime

from sqlalchemy import select

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import reviews


def list_answers(
    ledger: Ledger, since: datetime, until: datetime, camera_id: str | None = None
) -> list[tuple[datetime, str]]:
    """When frames were answered (UTC), and by whom, in order of time.

    Args:
        ledger: The ledger.
        since: Begin of the time.
        until: Its end.
        camera_id: Only frames of this camera; None for all.
    """
    c = reviews.c
    query = select(c.answered_at, c.labeler).where(c.answered_at >= since, c.answered_at <= until)
    if camera_id is not None:
        query = query.where(c.camera_id == camera_id)
    with ledger.snapshot() as connection:
        rows = connection.execute(query.order_by(c.answered_at)).all()
    return [(at, labeler or "unknown") for at, labeler in rows]
