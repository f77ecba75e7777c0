"""A ledger in another database is the same ledger."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger, transfer
from streetloop.ledger.cameras import change_camera, last_change, newest_changes
from streetloop.ledger.events import begin_event, list_events
from streetloop.ledger.line_counts import CountKey, LineCounts, add_line_counts, read_line_counts
from streetloop.ledger.reviews import ReviewState, add_reviews, list_reviews
from streetloop.ledger.schema.tables import metadata
from streetloop.ledger.transfer import copy_ledger
from tests.support.control_service import Content
from tests.support.samples.frames import NOON, digest, review

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with rows of every kind."""
    ledger = Content(tmp_path / "source").fill().ledger
    yield ledger
    ledger.close()


@pytest.fixture
def target(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


@pytest.fixture(autouse=True)
def _source_in_its_home(source: Ledger) -> None:
    """Before the settings name the target."""


def rows_of(ledger: Ledger) -> dict[str, int]:
    with ledger.snapshot() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "leases"
        }


def test_every_row_arrives_as_it_was(source: Ledger, target: Ledger) -> None:
    uri = "rtsp://admin:hunter2@10.0.0.7/a"
    change_camera(source, "a", {"id": "a", "uri": uri}, "ann", NOON)
    add_line_counts(source, LineCounts(Counter({CountKey("a", 1, "gate", "in", "car"): 3})))
    add_reviews(source, [replace(review(900), boxes=(), classes=(), note="no 'label' ä €", score=0.1 + 0.2)])
    copied = copy_ledger(source, target)
    assert copied == rows_of(source) == rows_of(target)
    assert sum(copied.values()) > 20
    assert list_events(target) == list_events(source)
    assert newest_changes(target) == newest_changes(source)
    states = list(ReviewState)
    assert read_line_counts(target, "a", EPOCH, NOON) == read_line_counts(source, "a", EPOCH, NOON)
    assert list_reviews(target, states) == list_reviews(source, states)
    (one,) = [frame for frame in list_reviews(target, states) if frame.digest == digest(900)]
    assert (one.embedding == review(900).embedding).all()


def test_numbers_go_on_after_those_that_were_copied(source: Ledger, target: Ledger) -> None:
    copy_ledger(source, target)
    newest = max(event.id for event in list_events(source))
    assert begin_event(target, "drift", NOON) == newest + 1
    change_camera(target, "new", None, "ann", NOON)
    assert last_change(target) == last_change(source) + 1


def test_a_ledger_with_rows_is_refused_and_left_alone(source: Ledger, target: Ledger) -> None:
    begin_event(target, "drift", NOON)
    with pytest.raises(LedgerError, match=r"has rows already \(event_changes: 1, events: 1\)"):
        copy_ledger(source, target)
    assert sum(rows_of(target).values()) == 2


def test_more_rows_than_are_read_at_once_arrive(
    source: Ledger, target: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_ROWS", 3)
    for number in range(10):
        begin_event(source, "drift", NOON + timedelta(seconds=number))
    assert copy_ledger(source, target) == rows_of(target)


def test_a_copy_that_differs_leaves_nothing(
    source: Ledger, target: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = transfer._parts

    def losing(connection, table):  # type: ignore[no-untyped-def]
        for rows in parts(connection, table):
            is_target = table.name == "events" and connection.engine.url == target._engine.url
            yield rows[1:] if is_target else rows

    monkeypatch.setattr(transfer, "_parts", losing)
    with pytest.raises(LedgerError, match="differs in events"):
        copy_ledger(source, target)
    assert sum(rows_of(target).values()) == 0
