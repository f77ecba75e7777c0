"""Anomalies are in the ledger as events, with begin, end and picture."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.runtime.observers import anomaly_recorder
from flows.runtime.observers.anomaly_recorder import AnomalyRecorder
from flows.runtime.workers.stream_fleet import WORKER_RESTARTED, FleetReport, Restart
from flows.stream.anomalies.anomaly_watch import Anomaly
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.errors import LedgerError
from streetloop.ledger import Ledger
from tests.support.recorder_bench import RecorderBench
from tests.support.stream_flow.build import NOON

BEGIN = Anomaly(
    "stopped_vehicle-0-0",
    "a",
    AnomalyKind.STOPPED_VEHICLE,
    NOON,
    None,
    0.8,
    (0.1, 0.2, 0.3, 0.4),
    {"tracks": [7], "zone": "road"},
    "m-1",
    "stopped_vehicle/1",
    0.9,
    ("events/x.jpg",),
)
END = replace(
    BEGIN, ended_at=NOON + timedelta(seconds=30), certainty=0.9, coverage=0.95, detail={"tracks": [7, 9]}
)


class Bench(RecorderBench):
    """Reports for a recorder."""

    def see(self, *anomalies: Anomaly, restarts: tuple[Restart, ...] = ()) -> None:
        self.recorder.take(FleetReport({}, anomalies=anomalies, restarts=restarts))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(AnomalyRecorder, tmp_path)
    yield bench
    bench.recorder.close()


def test_an_anomaly_is_an_event_with_all_that_is_known(bench: Bench) -> None:
    bench.see(BEGIN)
    (event,) = bench.events()
    assert (event.kind, event.camera_id, event.started_at) == ("stopped_vehicle", "a", NOON)
    assert (event.ended_at, event.certainty, event.coverage) == (None, 0.8, 0.9)
    assert (event.evidence, event.rule_version, event.model_version) == (
        ["events/x.jpg"],
        "stopped_vehicle/1",
        "m-1",
    )
    assert event.detail == {"tracks": [7], "zone": "road", "box": [0.1, 0.2, 0.3, 0.4]}
    bench.see(END)
    (event,) = bench.events()
    assert (event.ended_at, event.certainty, event.coverage) == (END.ended_at, 0.9, 0.95)
    assert event.detail["tracks"] == [7, 9]


def test_what_the_ledger_does_not_take_is_written_later_in_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> Ledger:
        raise LedgerError("the disk is full")

    with monkeypatch.context() as away:
        away.setattr(anomaly_recorder, "open_ledger", refuse)
        bench.see(BEGIN)
        bench.see(END, replace(BEGIN, key="stopped_vehicle-0-1"))
    assert len(bench.told) == 1
    bench.see()
    first, second = bench.events()
    assert (first.ended_at, second.ended_at) == (END.ended_at, None)


@pytest.mark.parametrize("how", ["removed", "its worker died", "the run ends"])
def test_what_is_open_ends_with_its_camera(bench: Bench, how: str) -> None:
    bench.see(BEGIN, replace(BEGIN, camera_id="b"))
    if how == "removed":
        bench.recorder.leave(["a"])
    elif how == "its worker died":
        bench.see(restarts=(Restart(WORKER_RESTARTED, "worker0", NOON, "killed", ("a",)),))
    else:
        bench.recorder.close()
    first, second = bench.events()
    assert first.ended_at is not None
    assert (second.ended_at is None) == (how != "the run ends")
    bench.see(END)  # too late to say anything
    assert bench.events()[0].ended_at == first.ended_at


def test_what_a_run_before_left_open_ends_and_other_kinds_stay(bench: Bench) -> None:
    bench.began_before("wrong_way", "drift")
    bench.see()
    assert bench.open_kinds() == ["drift"]
