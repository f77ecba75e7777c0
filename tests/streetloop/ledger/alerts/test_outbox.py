import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streetloop.alerting.mute import Mute
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.alerts.event_changes import last_change_number, list_changes, note_test
from streetloop.ledger.alerts.mutes import add_mute, list_mutes, remove_mute, set_file_mutes
from streetloop.ledger.alerts.outbox import (
    SinkRecord,
    list_sinks,
    next_changes,
    note_delivered,
    note_failing,
    sink_states,
    trim_outbox,
)
from streetloop.ledger.events import acknowledge_event, begin_event, end_event, end_open_events, find_event

NOW = datetime.now(UTC).replace(microsecond=0)
ALL = SinkRecord("all", "webhook", "https://host")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def sent(ledger: Ledger, sink: str = "all") -> list[tuple[str, str]]:
    return [(one.kind, one.change) for one in next_changes(ledger, sink, 1000)]


def test_each_change_of_an_event_waits_once_and_in_order(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    number = begin_event(ledger, "camera_lost", NOW, "a40", cause="no route")
    acknowledge_event(ledger, number, "ann", NOW)
    acknowledge_event(ledger, number, "bob", NOW)
    end_event(ledger, number, NOW + timedelta(seconds=5))
    end_event(ledger, number, NOW + timedelta(seconds=9))
    assert [change for _, change in sent(ledger)] == ["begin", "acknowledged", "end"]
    begin, _, end = (one.message for one in next_changes(ledger, "all", 9))
    assert begin["event"]["ended_at"] is None
    assert begin["event"]["cause"] == "no route"
    assert end["event"]["acknowledged_by"] == "ann"
    assert end["event"]["ended_at"] == (NOW + timedelta(seconds=5)).isoformat().replace("+00:00", "Z")
    assert len({begin["id"], end["id"]}) == 2


def test_events_that_end_together_end_one_by_one(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    for camera in ("a", "b"):
        begin_event(ledger, "camera_lost", NOW, camera)
    begin_event(ledger, "drift", NOW, "a")
    end_open_events(ledger, ("camera_lost",), NOW)
    ends = [one.camera_id for one in next_changes(ledger, "all", 9) if one.change == "end"]
    assert ends == ["a", "b"]


def test_a_sink_is_sent_what_it_asked_for(ledger: Ledger) -> None:
    list_sinks(
        ledger,
        [
            SinkRecord("kinds", "mqtt", "", kinds=("drift",)),
            SinkRecord("cameras", "mqtt", "", cameras=("a",)),
        ],
    )
    begin_event(ledger, "camera_lost", NOW, "a")
    begin_event(ledger, "drift", NOW, "b")
    begin_event(ledger, "drift", NOW)
    assert sent(ledger, "kinds") == [("drift", "begin")] * 2
    assert sent(ledger, "cameras") == [("camera_lost", "begin")]


def test_an_event_that_fails_to_be_written_waits_for_nobody(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    with pytest.raises(RuntimeError), ledger.transaction():
        raise RuntimeError
    with pytest.raises(Exception, match="not JSON"):
        begin_event(ledger, "drift", NOW, detail={"x": object()})
    assert sent(ledger) == []
    assert last_change_number(ledger) == 0


def test_what_is_delivered_is_gone_and_counted_and_no_number_is_used_again(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    begin_event(ledger, "drift", NOW)
    (first,) = next_changes(ledger, "all", 9)
    note_delivered(ledger, "all", [first.number], NOW)
    trim_outbox(ledger, NOW + timedelta(days=8))
    begin_event(ledger, "drift", NOW)
    (second,) = next_changes(ledger, "all", 9)
    assert second.number > first.number
    (state,) = sink_states(ledger)
    assert (state.waiting, state.delivered, state.dropped, state.delivered_at) == (1, 1, 0, NOW)


def test_what_waits_survives_a_start_with_other_sinks_and_new_changes_do_not_wait(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    begin_event(ledger, "drift", NOW)
    list_sinks(ledger, [])
    begin_event(ledger, "queue", NOW)
    assert sent(ledger) == [("drift", "begin")]
    (state,) = sink_states(ledger)
    assert (state.listed, state.waiting) == (False, 1)
    list_sinks(ledger, [ALL])
    assert sink_states(ledger)[0].listed


def test_a_failing_sink_is_known_until_it_is_well(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    note_failing(ledger, "all", "cannot be reached" * 100, NOW)
    (state,) = sink_states(ledger)
    assert state.failing_since == NOW
    assert state.error is not None
    assert len(state.error) == 500
    note_failing(ledger, "all", None, None)
    assert sink_states(ledger)[0].error is None


def test_what_waits_for_too_long_is_dropped_and_counted(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    begin_event(ledger, "drift", NOW - timedelta(days=30))  # of long ago, and written now
    assert trim_outbox(ledger, NOW) == {}
    assert trim_outbox(ledger, NOW + timedelta(days=8)) == {"all": 1}
    assert sink_states(ledger)[0].dropped == 1
    assert sent(ledger) == []
    assert list_changes(ledger, 0, 9) == []


def test_of_too_much_the_oldest_is_dropped(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    for number in range(8):
        begin_event(ledger, f"k{number}", NOW)
    assert trim_outbox(ledger, NOW, max_rows=3) == {"all": 5}
    assert [kind for kind, _ in sent(ledger)] == ["k5", "k6", "k7"]
    assert trim_outbox(ledger, NOW, max_rows=3) == {}


def test_threads_that_write_at_once_leave_one_order_by_camera(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])

    def write(camera: str) -> None:
        for _ in range(15):
            end_event(ledger, begin_event(ledger, "drift", NOW, camera), NOW)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = next_changes(ledger, "all", 1000)
    for camera in ("a", "b"):
        assert [one.change for one in found if one.camera_id == camera] == ["begin", "end"] * 15


def test_a_test_goes_to_one_sink_and_is_no_event(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL, SinkRecord("other", "mqtt", "")])
    note_test(ledger, "all", NOW)
    assert sent(ledger) == [("sink_test", "test")]
    assert sent(ledger, "other") == []
    assert list_changes(ledger, 0, 9) == []
    assert last_change_number(ledger) == 0


def test_changes_are_read_on_from_a_number(ledger: Ledger) -> None:
    for camera in ("a", "b", "a"):
        begin_event(ledger, "drift", NOW, camera)
    first, *rest = list_changes(ledger, 0, 9)
    assert list_changes(ledger, first.number, 9) == rest
    assert [one.camera_id for one in list_changes(ledger, 0, 9, "a")] == ["a", "a"]
    assert last_change_number(ledger) == rest[-1].number
    assert rest[-1].message["number"] == rest[-1].number


def test_a_muted_event_is_logged_and_waits_for_nobody_even_when_it_ends(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    mute = add_mute(ledger, Mute(kind="drift"), "UTC", "ann", NOW)
    number = begin_event(ledger, "drift", NOW, "a")
    begin_event(ledger, "queue", NOW, "a")
    assert remove_mute(ledger, mute.id)
    assert not remove_mute(ledger, mute.id)
    end_event(ledger, number, NOW)
    assert sent(ledger) == [("queue", "begin")]
    event = find_event(ledger, number)
    assert event is not None
    assert event.muted
    assert len(list_changes(ledger, 0, 9)) == 3


def test_hours_of_a_mute_are_local(ledger: Ledger) -> None:
    list_sinks(ledger, [ALL])
    add_mute(ledger, Mute(between="22:00-23:00"), "Asia/Tokyo", "ann", NOW)
    begin_event(ledger, "night", datetime(2026, 3, 1, 13, 30, tzinfo=UTC))
    begin_event(ledger, "day", datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    assert sent(ledger) == [("day", "begin")]


def test_mutes_of_the_file_take_the_place_of_its_older_ones_alone(ledger: Ledger) -> None:
    add_mute(ledger, Mute(kind="a", until=NOW), "UTC", "ann", NOW)
    own = add_mute(ledger, Mute(kind="b"), "UTC", "ann", NOW)
    for kind in ("c", "d"):
        set_file_mutes(ledger, [Mute(kind=kind)], "UTC", NOW)
    assert [one.mute.kind for one in list_mutes(ledger, NOW)] == ["b", "d"]
    assert list_mutes(ledger, NOW)[0] == own
