"""How long frames wait for labels, and how many were answered."""

from datetime import datetime

from sqlalchemy import func, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.reviews import ReviewState
from streetloop.ledger.schema.tables import reviews


def oldest_waiting(ledger: Ledger) -> dict[str, datetime | None]:
    """Since when the oldest frame waits to be pushed, and to be answered (UTC), by state."""
    waits = {ReviewState.PENDING: reviews.c.chosen_at, ReviewState.PUSHED: reviews.c.pushed_at}
    with ledger.snapshot() as connection:
        return {
            state.value: connection.execute(
                select(func.min(since)).where(reviews.c.state == state.value)
            ).scalar_one()
            for state, since in waits.items()
        }


def count_answered(ledger: Ledger, since: datetime, until: datetime) -> int:
    """Number of frames that were answered in a stretch of time (UTC)."""
    query = select(func.count()).where(reviews.c.answered_at >= since, reviews.c.answered_at <= until)
    with ledger.snapshot() as connection:
        return int(connection.execute(query).scalar_one())
