"""Outages are in the ledger as events, with a begin and an end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.runtime.observers import outage_recorder
from flows.runtime.observers.outage_recorder import OutageRecorder
from flows.runtime.workers.stream_fleet import DETECTOR_RESTARTED, WORKER_RESTARTED, FleetReport, Restart
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.camera_state import CameraState
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger
from streetloop.ledger.events import begin_event
from tests.support.recorder_bench import RecorderBench
from tests.support.stream_flow.build import NOON, fault

LIVE = CameraStatus("a", CameraState.LIVE, last_at=NOON, model="m-1")
LOST = replace(LIVE, state=CameraState.LOST, error="rtsp://***@10.0.0.7/a does not answer")


class Bench(RecorderBench):
    """Reports for a recorder."""

    def see(self, *statuses: CameraStatus, restarts: tuple[Restart, ...] = ()) -> None:
        self.clock.advance(1.0)
        self.recorder.take(FleetReport({one.camera_id: one for one in statuses}, restarts=restarts))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(OutageRecorder, tmp_path)
    yield bench
    bench.recorder.close()


def test_a_lost_camera_is_an_event_from_its_last_frame_until_it_is_back(bench: Bench) -> None:
    bench.see(LIVE)
    bench.see(LOST)
    bench.see(LOST)
    (event,) = bench.events()
    assert (event.kind, event.camera_id, event.model_version) == ("camera_lost", "a", "m-1")
    assert (event.started_at, event.ended_at, event.coverage) == (NOON, None, 0.0)
    assert event.cause == "rtsp://***@10.0.0.7/a does not answer"

    bench.see(LIVE)
    (event,) = bench.events()
    assert event.ended_at == NOON + timedelta(seconds=4)


def test_two_outages_are_two_events(bench: Bench) -> None:
    for status in (LIVE, LOST, LIVE, LOST, LIVE):
        bench.see(status)
    assert [(event.kind, event.ended_at is None) for event in bench.events()] == [("camera_lost", False)] * 2


def test_a_camera_that_was_never_reached_is_one_event(bench: Bench) -> None:
    never = CameraStatus("a", CameraState.LOST, "no route to host")
    bench.see(CameraStatus("a"))
    bench.see(never)
    (event,) = bench.events()
    assert (event.started_at, event.cause) == (NOON + timedelta(seconds=2), "no route to host")


def test_a_fault_that_cameras_share_is_one_event_of_no_camera(bench: Bench) -> None:
    full = fault("the disk is full")
    bench.see(replace(LIVE, faults=(full,)), replace(LIVE, camera_id="b", faults=(full,)))
    bench.see(replace(LIVE, faults=(replace(full, is_over=True),)))
    (event,) = bench.events()
    assert (event.kind, event.camera_id, event.cause) == ("store_failed", None, "the disk is full")
    assert event.started_at == NOON
    assert event.ended_at is not None


def test_a_detector_that_gives_no_answer_is_one_event_until_it_answers(bench: Bench) -> None:
    failing = replace(LIVE, detector_error="m-1 answers with values that are not numbers")
    bench.see(failing, replace(failing, camera_id="b"))
    bench.see(LIVE, replace(failing, camera_id="b"))
    (event,) = bench.events()
    assert (event.kind, event.camera_id, event.ended_at) == ("detector_failed", None, None)
    assert event.started_at == NOON + timedelta(seconds=1)
    assert event.cause == "m-1 answers with values that are not numbers"

    bench.see(LIVE, replace(LIVE, camera_id="b"))
    (event,) = bench.events()
    assert event.ended_at is not None


def test_a_street_that_is_too_fast_is_an_event_of_its_camera(bench: Bench) -> None:
    bench.see(replace(LIVE, faults=(fault("camera 'a': too fast for 3 fps, needs 9", "too_fast"),)))
    (event,) = bench.events()
    assert (event.kind, event.camera_id) == ("too_fast", "a")


def test_restarts_are_events_that_are_over(bench: Bench) -> None:
    bench.see(
        LIVE,
        restarts=(
            Restart(WORKER_RESTARTED, "worker0", NOON, "the process of worker0 died: killed", ["a", "b"]),
            Restart(DETECTOR_RESTARTED, "champion", NOON, "process 7 of m-1 does not answer any more"),
        ),
    )
    bench.see(LIVE)
    worker, detector = bench.events()
    assert (worker.kind, worker.started_at, worker.ended_at) == ("worker_restarted", NOON, NOON)
    assert worker.detail == {"process": "worker0", "cameras": ["a", "b"]}
    assert worker.cause == "the process of worker0 died: killed"
    assert (detector.kind, detector.detail["process"]) == ("detector_restarted", "champion")


def test_what_the_ledger_does_not_take_is_written_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = True

    def begin(ledger: Ledger, *args: object, **others: object) -> int:
        if is_full:
            raise LedgerError("database or disk is full")
        return begin_event(ledger, *args, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(outage_recorder, "begin_event", begin)
    restart = Restart(WORKER_RESTARTED, "worker0", NOON, "killed", ["a"])
    bench.see(LOST, restarts=(restart,))
    bench.see(LOST)
    assert bench.events() == []
    assert bench.told == ["outages are kept until the ledger can be written: database or disk is full"]
    is_full = False
    bench.see(LOST)
    bench.see(LOST)
    assert [event.kind for event in bench.events()] == ["camera_lost", "worker_restarted"]


def test_outages_end_with_the_run_and_with_the_camera(bench: Bench) -> None:
    bench.see(LOST, replace(LOST, camera_id="b"))
    bench.recorder.leave(["a"])
    assert {event.camera_id: event.ended_at is None for event in bench.events()} == {"a": False, "b": True}
    bench.recorder.close()
    assert all(event.ended_at is not None for event in bench.events())


def test_what_a_killed_run_left_open_ends_when_the_next_begins(bench: Bench) -> None:
    bench.began_before(*["camera_lost"] * 150, "drift")
    bench.see(LIVE)
    assert bench.open_kinds() == ["drift"]
