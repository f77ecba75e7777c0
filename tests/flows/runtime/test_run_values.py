import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.runtime.run_values import RunSummary
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from tests.support.stream_flow.build import fault

_NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_ACCOUNT = Account(decoded=100, detected=60, gated=30, dropped=8, failed=2, reasons={"still": 30, "stale": 8})


def _summary(*statuses: CameraStatus, seconds: float = 8.0) -> RunSummary:
    cameras = {status.camera_id: status for status in statuses}
    return RunSummary(
        cameras,
        "/store/detections/run=1",
        "/store/frames/run=1",
        {"version": "m-1", "device": "cpu"},
        seconds,
    )


def test_the_json_is_exactly_the_documented_one() -> None:
    status = CameraStatus(
        camera_id="a40",
        state=CameraState.LOST,
        error="the network is down",
        account=_ACCOUNT,
        reconnects=3,
        gaps=2,
        lag_p95_s=0.123456,
        objects_by_class={"bus": 1, "car": 16},
        lines={"gate": LineTotals({"car": {"in": 4, "out": 5}}, inferred=1)},
        first_at=_NOON,
        last_at=_NOON + timedelta(seconds=4),
    )
    summary = replace(_summary(status, seconds=8.12345), covered_s={("a40", "gate"): 3.0})

    assert json.loads(json.dumps(summary.as_json())) == {
        "cameras": {
            "a40": {
                "state": "lost",
                "error": "the network is down",
                "decoded": 100,
                "detected": 60,
                "gated": 30,
                "dropped": 8,
                "failed": 2,
                "reasons": {"still": 30, "stale": 8},
                "reconnects": 3,
                "gaps": 2,
                "fps": 7.386,
                "lag_p95_s": 0.1235,
                "objects": 17,
                "objects_by_class": {"bus": 1, "car": 16},
                "lines": {
                    "gate": {
                        "in": 4,
                        "out": 5,
                        "by_class": {"car": {"in": 4, "out": 5}},
                        "inferred": 1,
                        "coverage": 0.3693,  # of a camera that was lost the whole run counts
                    }
                },
            }
        },
        "log": "/store/detections/run=1",
        "frames": "/store/frames/run=1",
        "model": {"version": "m-1", "device": "cpu"},
        "drift": {},
        "seconds": 8.123,
        "problems": [],
    }


def test_cameras_stay_in_their_order() -> None:
    summary = _summary(CameraStatus("z"), CameraStatus("a"), CameraStatus("m"))

    assert list(summary.as_json()["cameras"]) == ["z", "a", "m"]


def test_a_camera_that_never_came_has_zeros() -> None:
    camera = _summary(CameraStatus("a")).as_json()["cameras"]["a"]

    assert camera["state"] == "connecting"
    assert camera["error"] is None
    counts = ("decoded", "detected", "gated", "dropped", "failed", "reconnects", "objects")
    assert {camera[name] for name in counts} == {0}
    assert camera["fps"] == camera["lag_p95_s"] == 0.0
    assert camera["reasons"] == camera["lines"] == {}


@pytest.mark.parametrize("seconds", [0.0, -0.001])
def test_a_run_without_time_has_no_rate(seconds: float) -> None:
    summary = _summary(CameraStatus("a", account=_ACCOUNT), seconds=seconds)

    assert summary.as_json()["cameras"]["a"]["fps"] == 0.0


@pytest.mark.parametrize(
    "state", [CameraState.CONNECTING, CameraState.LIVE, CameraState.LOST, CameraState.ENDED]
)
def test_a_camera_that_detected_and_may_yet_come_back_is_no_problem(state: CameraState) -> None:
    assert _summary(CameraStatus("a", state, "the network is down", _ACCOUNT)).problems == []


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (
            CameraStatus("a", CameraState.LOST, "the network is down"),
            "camera 'a': no picture was decoded: the network is down",
        ),
        (CameraStatus("a"), "camera 'a': no picture was decoded: none came within 8 s"),
        (
            CameraStatus("a", waiting_for="/clips holds no clip yet"),
            "camera 'a': no picture was decoded: /clips holds no clip yet",
        ),
        (
            CameraStatus("a", account=Account(decoded=9, gated=2, failed=7), detector_error="out of memory"),
            "camera 'a': the detector failed on 7 of 7 frames, also on the last: out of memory",
        ),
        (
            CameraStatus("a", account=Account(decoded=9, detected=5, failed=4), detector_error="it died"),
            "camera 'a': the detector failed on 4 of 9 frames, also on the last: it died",
        ),
        (
            CameraStatus("a", account=Account(decoded=9, gated=3, dropped=6)),
            "camera 'a': none of its 9 frames was detected: 3 gated, 6 dropped, 0 failed",
        ),
    ],
)
def test_a_camera_of_which_nothing_was_detected_is_a_problem_with_its_reason(
    status: CameraStatus, problem: str
) -> None:
    assert _summary(status, CameraStatus("b", account=_ACCOUNT)).problems == [problem]


def test_a_camera_that_was_removed_before_it_came_is_no_problem() -> None:
    assert replace(_summary(CameraStatus("a")), removed={"a"}).problems == []


def test_a_detector_that_answered_in_the_end_is_no_problem() -> None:
    assert _summary(CameraStatus("a", account=Account(decoded=9, detected=5, failed=4))).problems == []


def test_a_failed_camera_is_a_problem_that_names_it() -> None:
    summary = _summary(
        CameraStatus("a", CameraState.FAILED, "wrong user or password"),
        CameraStatus("b", CameraState.LIVE, account=_ACCOUNT),
    )

    assert summary.problems == ["camera 'a': wrong user or password"]
    assert summary.as_json()["problems"] == summary.problems


def test_a_fault_that_cameras_share_is_one_problem() -> None:
    summary = _summary(
        CameraStatus(
            "a", account=_ACCOUNT, faults=(fault("the disk is full"), fault("another", "sink_failed"))
        ),
        CameraStatus("b", account=_ACCOUNT, faults=(fault("the disk is full"),)),
    )

    assert summary.problems == ["another", "the disk is full"]


def test_what_workers_could_not_store_at_one_server_is_one_problem() -> None:
    first = replace(fault("cannot store a: away"), count=11, is_over=True, last_at=_NOON)
    later = replace(
        fault("cannot store b: away"), count=13, is_over=True, last_at=_NOON + timedelta(minutes=1)
    )
    cameras = [
        CameraStatus("a", account=_ACCOUNT, faults=(first,)),
        CameraStatus("b", account=_ACCOUNT, faults=(first,)),
    ]
    summary = _summary(*cameras, CameraStatus("c", account=_ACCOUNT, faults=(later,)))

    assert summary.problems == ["cannot store b: away (24 times, the last at 12:01:00 UTC)"]
