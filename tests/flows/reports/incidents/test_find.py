"""Which events are an incident, and that its number stays."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.reports.incidents.find import find_incident, find_incidents
from streetloop.causes import Cause, causes_to_json
from streetloop.errors import NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.events import MEASURED, acknowledge_event, list_events
from tests.support.incidents import NOW, happen, new_ledger, row, write

DAY = timedelta(days=1)
AT = NOW - timedelta(hours=6)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


def after(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def found(ledger: Ledger) -> list[list[int]]:
    """Events of each incident, the oldest incident first."""
    return [one.events for one in reversed(find_incidents(ledger, NOW - DAY, NOW))]


def test_nothing_happened(ledger: Ledger) -> None:
    assert found(ledger) == []


def test_events_of_a_camera_that_follow_within_five_minutes_are_one(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", AT, 10, "a"), row("frozen picture", AT + after(14.9), 1, "a")])
    assert found(ledger) == [[1, 2]]


def test_later_ones_and_those_of_another_camera_are_others(ledger: Ledger) -> None:
    write(
        ledger,
        [
            row("camera_lost", AT, 10, "a"),
            row("frozen picture", AT + after(5), 1, "b"),
            row("frozen picture", AT + after(15.1), 1, "a"),
        ],
    )
    assert found(ledger) == [[1], [2], [3]]


def test_what_goes_on_takes_what_overlaps_it(ledger: Ledger) -> None:
    write(ledger, [row("drift", AT, None, "a"), row("camera_lost", AT + after(200), 1, "a")])
    (one,) = find_incidents(ledger, NOW - DAY, NOW)
    assert (one.events, one.ended_at) == ([1, 2], None)


def test_a_store_that_fails_for_several_workers_is_one(ledger: Ledger) -> None:
    write(ledger, [row("store_failed", AT, 3), row("sink_failed", AT + after(2), 4)])
    (one,) = find_incidents(ledger, NOW - DAY, NOW)
    assert one.events == [1, 2]
    assert one.cause.startswith("the object store refused writes")
    assert one.certainty == 0.95


def test_cameras_that_are_lost_for_one_cause_are_one(ledger: Ledger) -> None:
    lost = [row("camera_lost", AT + after(k), 30, name, cause="no route") for k, name in enumerate("abc")]
    write(ledger, [*lost, row("camera_lost", AT + after(1), 30, "d", cause="wrong password")])
    (many, single) = sorted(find_incidents(ledger, NOW - DAY, NOW), key=lambda one: -len(one.events))
    assert (many.cameras, single.cameras) == (["a", "b", "c"], ["d"])


def test_cameras_of_a_worker_that_died_belong_to_it(ledger: Ledger) -> None:
    detail = {"process": "worker0", "cameras": ["a", "b"]}
    write(ledger, [row("worker_restarted", AT, 0, detail=detail), row("camera_lost", AT + after(1), 2, "b")])
    (one,) = find_incidents(ledger, NOW - DAY, NOW)
    assert one.cameras == ["a", "b"]
    assert "worker" in one.cause


def test_a_number_stays_when_more_happens_and_another_time_is_asked(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", AT, 10, "a"), row("drift", AT + after(60), 5, "a")])
    before = {one.id: one.events for one in find_incidents(ledger, NOW - DAY, NOW)}
    write(ledger, [row("black picture", AT + after(12), 2, "a"), row("store_failed", AT + after(120), 2)])
    now = {one.id: one.events for one in find_incidents(ledger, NOW - DAY, NOW)}
    assert set(before) < set(now)
    assert now[min(now)] == [1, 3]
    later = find_incidents(ledger, AT + after(13), NOW)
    assert {one.id: one.events for one in later} == now
    assert find_incident(ledger, min(now)).events == [1, 3]


def test_an_unknown_number_is_refused(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match=r"no incident 7.*incidents list"):
        find_incident(ledger, 7)


def test_a_drift_says_its_likely_cause_and_probability(ledger: Ledger) -> None:
    causes = causes_to_json([Cause("fog", 0.8), Cause("night", 0.1)])
    write(ledger, [row("drift", AT, 5, "a", detail={"causes": causes})])
    (one,) = find_incidents(ledger, NOW - DAY, NOW)
    assert (one.cause, one.certainty) == ("the camera differs from its own past: most likely fog", 0.8)
    assert one.todo


def test_who_took_note_is_among_what_was_done(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", AT, 5, "a")])
    acknowledge_event(ledger, 1, "ann", NOW)
    assert "ann took note of it." in find_incidents(ledger, NOW - DAY, NOW)[0].done


def test_a_measurement_is_no_incident(ledger: Ledger) -> None:
    write(ledger, [row(MEASURED, AT, 0, "a")])
    assert found(ledger) == []


def test_what_a_rule_found_is_of_the_street_and_not_of_the_picture(ledger: Ledger) -> None:
    write(ledger, [row("stopped vehicle", AT, 5, "a", rule_version="stopped/1", certainty=0.7)])
    write(ledger, [row("frozen picture", AT, 5, "b", rule_version=None, certainty=None)])
    picture, street = sorted(find_incidents(ledger, NOW - DAY, NOW), key=lambda one: one.cameras[0])[::-1]
    assert (street.cause, street.certainty) == (
        "something unusual happened on the street: stopped vehicle",
        0.7,
    )
    assert picture.cause.startswith("the picture or the stream has a fault")


@pytest.mark.parametrize("kind", ["sink_away", "outbox_overflow", "upload_failed", "recording_failed"])
def test_faults_beside_the_streams_are_not_of_the_picture(ledger: Ledger, kind: str) -> None:
    write(ledger, [row(kind, AT, 5, "a")])
    (one,) = find_incidents(ledger, NOW - DAY, NOW)
    assert "picture" not in one.cause


@pytest.mark.parametrize("seed", range(20))
def test_every_event_is_in_exactly_one_incident(ledger: Ledger, seed: int) -> None:
    happen(ledger, seed, most=60)
    events = [event for one in find_incidents(ledger, NOW - DAY, NOW) for event in one.events]
    assert sorted(events) == sorted(event.id for event in list_events(ledger, most=1000))
