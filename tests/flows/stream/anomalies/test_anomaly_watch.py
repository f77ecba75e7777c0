"""The watch over one camera, from detections to anomalies."""

import time
from datetime import timedelta
from typing import Any

import numpy as np

from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.anomalies.anomaly_watch import Anomaly
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings
from streetloop.types import ArrayPicture, Detections
from tests.support.stream_flow.build import NOON, frame

NAMES = ("car", "person", "debris")
ROAD = [[0, 0.3], [1, 0.3], [1, 0.9], [0, 0.9]]
PICTURE = ArrayPicture(np.zeros((360, 640, 3), np.uint8))


def analysis(**keys: Any) -> CameraAnalysis:
    zones = {"road": {"polygon": ROAD, "kind": "carriageway"}}
    camera = parse_camera({"id": "a", "uri": "rtsp://10.0.0.7/a", "zones": zones, "fps": 5, **keys})
    return CameraAnalysis(camera, Settings(), names=NAMES)


def look(at: CameraAnalysis, pts: float, *boxes: tuple[float, float, float, float, int]) -> list[Anomaly]:
    table = np.array(boxes, np.float64).reshape(-1, 5)
    found = Detections(
        table[:, :4].astype(np.float32), np.full(len(table), 0.9, np.float32), table[:, 4].astype(np.int64)
    )
    return list(at.update(frame(round(pts * 5), pts=pts, picture=PICTURE), found, "m-1").anomalies)


CAR = (300.0, 180.0, 360.0, 220.0, 0)


def drive_and_stop(at: CameraAnalysis, seconds: float, stop: float = 10.0) -> list[Anomaly]:
    """A car that drives in, stands from second ``stop`` on, and is gone at the end."""
    found = []
    for step in range(round(seconds * 5)):
        pts = step / 5
        x = 300 - 30 * max(0.0, stop - pts)
        boxes = [(x, 180.0, x + 60, 220.0, 0)] if x > 0 and pts < seconds - 15 else []
        found += look(at, pts, *boxes)
    return found


def test_a_car_that_stops_is_one_event_with_zone_and_times() -> None:
    begin, end = drive_and_stop(analysis(), 60.0)
    assert (begin.kind, begin.key, begin.ended_at) == (
        AnomalyKind.STOPPED_VEHICLE,
        "stopped_vehicle-0-0",
        None,
    )
    assert abs(begin.started_at - NOON - timedelta(seconds=10)) < timedelta(seconds=2)
    assert begin.detail["zone"] == "road"
    assert begin.box is not None
    assert np.allclose(begin.box, (300 / 640, 0.5, 360 / 640, 220 / 360), atol=0.02)
    assert (begin.model_version, begin.rule_version) == ("m-1", "stopped_vehicle/3")
    assert begin.coverage > 0.95
    assert end.key == begin.key
    assert end.ended_at is not None
    assert abs(end.ended_at - NOON - timedelta(seconds=45)) < timedelta(seconds=3)


def test_where_one_may_park_it_is_none() -> None:
    zones = {"road": {"polygon": ROAD, "kind": "carriageway"}, "bays": {"polygon": ROAD, "kind": "parking"}}
    assert drive_and_stop(analysis(zones=zones), 60.0) == []
    zones["bays"]["kind"] = "ignore"
    assert drive_and_stop(analysis(zones=zones), 60.0) == []


def test_what_is_not_asked_for_is_not_looked_for() -> None:
    assert drive_and_stop(analysis(anomalies=["queue"]), 60.0) == []
    assert drive_and_stop(analysis(anomalies=[]), 60.0) == []
    assert drive_and_stop(analysis(zones={}), 60.0) == []


def test_a_stopped_car_in_a_quiet_street_is_found_by_the_frames_that_the_gate_lets_through() -> None:
    at = analysis()
    found = []
    for step in range(300):
        pts = step / 5
        if pts < 11 or step % 10 == 0:
            x = 300 - 30 * max(0.0, 10 - pts)
            found += look(at, pts, *([(x, 180.0, x + 60, 220.0, 0)] if x > 0 else []))
        else:
            at.anomalies.skip(frame(step, pts=pts, picture=PICTURE))
    (begin,) = found
    assert abs(begin.started_at - NOON - timedelta(seconds=10)) < timedelta(seconds=3)
    assert begin.coverage > 0.9


def test_something_on_the_road_and_somebody_on_it() -> None:
    at = analysis()
    found = []
    for step in range(75):
        found += look(
            at,
            step / 5,
            (400.0, 250.0, 430.0, 270.0, 2),
            (100.0 + 3 * step, 200.0, 116.0 + 3 * step, 240.0, 1),
        )
    assert sorted(one.kind for one in found) == ["object_on_road", "pedestrian_on_carriageway"]


def test_all_rules_with_thirty_tracks_and_a_thousand_zones_are_quick() -> None:
    corner = [[0.9, 0], [1, 0], [1, 0.1]]
    zones = {f"zone {k}": {"polygon": corner, "kind": "parking"} for k in range(999)}
    at = analysis(zones=zones | {"road": {"polygon": ROAD, "kind": "carriageway"}})
    boxes = [(20.0 * k, 150.0 + 4 * k, 20.0 * k + 18, 166.0 + 4 * k, 0) for k in range(30)]
    for step in range(20):
        look(at, step / 5, *boxes)
    seen, watch = list(at._tracker.seen), at.anomalies
    assert len(seen) == 30
    costs = []
    for step in range(20, 60):
        moment = frame(step, pts=step / 5, picture=PICTURE)
        began = time.process_time()
        watch.update(seen, moment, (640, 360), "m-1")
        costs.append(time.process_time() - began)
    assert min(costs) < 0.005  # a bound for a machine that is five times slower
