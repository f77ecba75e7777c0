"""The queue is tested on each kind of database."""

from collections.abc import Iterator

import pytest

from streetloop.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty one, on each kind of database."""
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()
