"""Requests over HTTP by minute of UTC and route, and how many of them the service failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.schema.tables import request_counts


class RequestCount(NamedTuple):
    """Requests of a route.

    Attributes:
        requests: All of them.
        failed: Those that were answered by an error of the service, 500 to 599.
    """

    requests: int
    failed: int


def add_requests(ledger: Ledger, found: Mapping[tuple[int, str], RequestCount]) -> None:
    """Add to the minutes that the ledger has.

    Args:
        ledger: The ledger.
        found: Counts by minute since 1970 (UTC) and route.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    if not found:
        return
    rows = [{"minute": minute, "route": route, **count._asdict()} for (minute, route), count in found.items()]
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = kind.insert(request_counts)
        c = request_counts.c
        sums = {"requests": c.requests + new.excluded.requests, "failed": c.failed + new.excluded.failed}
        connection.execute(new.on_conflict_do_update(index_elements=[c.minute, c.route], set_=sums), rows)


def sum_requests(ledger: Ledger, route: str, since: datetime, until: datetime) -> RequestCount:
    """All requests of a route.

    Args:
        ledger: The ledger.
        route: The template of its path.
        since: Begin of the time (UTC), to the minute.
        until: Its end (UTC).
    """
    c = request_counts.c
    in_time = (c.minute >= minute_of(since)) & (c.minute <= minute_of(until)) & (c.route == route)
    query = select(func.sum(c.requests), func.sum(c.failed)).where(in_time)
    with ledger.snapshot() as connection:
        requests, failed = connection.execute(query).one()
    return RequestCount(int(requests or 0), int(failed or 0))
