"""Requests by minute and route."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.service.request_counts import RequestCount, add_requests, sum_requests

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def test_minutes_add_up_by_route_and_time(ledger: Ledger) -> None:
    now, later = minute_of(NOON), minute_of(NOON + timedelta(hours=1))
    add_requests(ledger, {})
    add_requests(ledger, {(now, "/predict"): RequestCount(5, 1), (now, "/other"): RequestCount(9, 9)})
    add_requests(ledger, {(now, "/predict"): RequestCount(2, 0), (later, "/predict"): RequestCount(4, 4)})
    assert sum_requests(ledger, "/predict", NOON, NOON) == (7, 1)
    assert sum_requests(ledger, "/predict", NOON, NOON + timedelta(hours=2)) == (11, 5)
    assert sum_requests(ledger, "/predict", NOON + timedelta(days=1), NOON + timedelta(days=2)) == (0, 0)
