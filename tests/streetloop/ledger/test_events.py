import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import MOST, Event, begin_event, end_event, list_events
from streetloop.ledger.schema.tables import events

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def test_an_event_is_read_as_it_was_written(ledger: Ledger) -> None:
    detail = {"causes": ["night", "fog"], "ä": None}
    number = begin_event(ledger, "drift", NOON, "a40", "m-1", 0.75, detail)
    assert list_events(ledger) == [Event(number, "drift", "a40", NOON, None, "m-1", 0.75, detail)]


def test_an_event_may_concern_no_camera_and_no_model(ledger: Ledger) -> None:
    begin_event(ledger, "restart", NOON)
    (event,) = list_events(ledger)
    assert (event.camera_id, event.model_version, event.coverage) == (None, None, None)
    assert event.detail == {}


def test_an_event_ends_once(ledger: Ledger) -> None:
    number = begin_event(ledger, "drift", NOON)
    end_event(ledger, number, _after(5))
    end_event(ledger, number, _after(9))
    assert [event.ended_at for event in list_events(ledger)] == [_after(5)]


def test_only_the_event_that_is_meant_ends(ledger: Ledger) -> None:
    first, second = (begin_event(ledger, "drift", NOON) for _ in range(2))
    end_event(ledger, second, _after(1))
    assert {event.id: event.ended_at for event in list_events(ledger)} == {first: None, second: _after(1)}


def test_an_event_that_never_was_does_not_end(ledger: Ledger) -> None:
    end_event(ledger, 99, NOON)
    assert list_events(ledger) == []


def test_the_newest_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    for minutes in (3, 1, 2, 2.0000001):
        begin_event(ledger, str(minutes), _after(minutes))
    assert [event.kind for event in list_events(ledger)] == ["3", "2.0000001", "2", "1"]
    assert [event.kind for event in list_events(ledger, most=1)] == ["3"]


def test_there_is_an_end_to_how_many_are_listed(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        rows = [{"kind": "x", "started_at": _after(k), "detail": {}} for k in range(MOST + 5)]
        connection.execute(events.insert(), rows)
    assert len(list_events(ledger, most=10**9)) == MOST


def test_events_are_chosen_by_camera_kind_and_whether_they_go_on(ledger: Ledger) -> None:
    over = begin_event(ledger, "drift", NOON, "a")
    end_event(ledger, over, _after(1))
    goes_on = begin_event(ledger, "drift", NOON, "a")
    other_kind = begin_event(ledger, "black picture", NOON, "a")
    begin_event(ledger, "drift", NOON, "b")

    def numbers(**chosen: object) -> set[int]:
        return {event.id for event in list_events(ledger, "a", **chosen)}  # type: ignore[arg-type]

    assert numbers() == {over, goes_on, other_kind}
    assert numbers(kind="drift") == {over, goes_on}
    assert numbers(kind="drift", only_open=True) == {goes_on}
    assert numbers(only_open=True) == {goes_on, other_kind}


@pytest.mark.parametrize("kind", ["'; drop table events; --", "%", "ä\N{BUS}"])
def test_any_words_are_words(ledger: Ledger, kind: str) -> None:
    begin_event(ledger, kind, NOON, kind)
    begin_event(ledger, "other", NOON, "other")
    assert [event.kind for event in list_events(ledger, camera_id=kind)] == [kind]


def test_threads_write_one_ledger_at_once(ledger: Ledger) -> None:
    def write() -> None:
        for _ in range(20):
            begin_event(ledger, "drift", NOON)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(list_events(ledger, most=1000)) == 80
