"""Zones, masks and anomalies of the camera file."""

import json
import time
from typing import Any

import pytest

from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.cameras.camera_file import Camera, camera_document, parse_camera, parse_cameras
from streetloop.cameras.zones import ZoneKind
from streetloop.errors import ConfigError

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
BOW_TIE = [[0, 0], [1, 1], [1, 0], [0, 1]]


def camera(**keys: Any) -> Camera:
    return parse_camera({"id": "a40", "uri": "rtsp://10.0.0.7/a40", **keys})


def refusal(**keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        camera(**keys)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_zones_read_as_the_docs_write_them() -> None:
    text = """
    cameras:
      - id: a40
        uri: rtsp://10.0.0.7/a40
        zones:
          eastbound:
            polygon: [[0.1, 0.9], [0.4, 0.3], [0.5, 0.3], [0.6, 0.9]]
            kind: carriageway
            direction: [[0.3, 0.9], [0.45, 0.3]]
          bays: {polygon: [[0.6, 0.9], [0.5, 0.3], [0.7, 0.9]], kind: parking}
        mask:
          - [[0.8, 0], [1, 0], [1, 0.2], [0.8, 0.2]]
        anomalies: {stopped_vehicle: {min_stop_s: 20}, wrong_way: }
    """
    (found,) = parse_cameras(text).cameras
    assert {name: zone.kind for name, zone in found.zones.items()} == {
        "eastbound": ZoneKind.CARRIAGEWAY,
        "bays": ZoneKind.PARKING,
    }
    assert found.zones["eastbound"].direction == ((0.3, 0.9), (0.45, 0.3))
    assert len(found.mask) == 1
    assert found.anomalies is not None
    assert list(found.anomalies.chosen) == [AnomalyKind.STOPPED_VEHICLE, AnomalyKind.WRONG_WAY]
    assert found.anomalies.stopped_vehicle is not None
    assert found.anomalies.stopped_vehicle.min_stop_s == 20
    assert parse_camera(json.loads(json.dumps(camera_document(found)))) == found


@pytest.mark.parametrize("given", [[], ["queue"], {"queue": None}, {"queue": {"min_vehicles": 3}}])
def test_anomalies_survive_their_document(given: Any) -> None:
    found = camera(anomalies=given)
    again = parse_camera(json.loads(json.dumps(camera_document(found))))
    assert again == found
    assert again.anomalies is not None
    assert len(again.anomalies.chosen) == len(given)


@pytest.mark.parametrize("name", ["Fahrbahn Süd", "道路", "شارع", "дорога 1", "🚧"])
def test_a_zone_has_a_name_in_any_script(name: str) -> None:
    assert list(camera(zones={name: {"polygon": SQUARE, "kind": "ignore"}}).zones) == [name]


@pytest.mark.parametrize("name", ["", " ", "a ", "a\nb", "x" * 101])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    assert "is no name of a zone" in refusal(zones={name: {"polygon": SQUARE, "kind": "ignore"}})


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ({"polygon": BOW_TIE, "kind": "ignore"}, "zones.z.polygon: crosses itself near (0.5, 0.5)"),
        ({"polygon": [[0, 0], [0.5, 0.5], [1, 1]], "kind": "ignore"}, "zones.z.polygon: has no area"),
        ({"polygon": [[0.5, 0.5]] * 4, "kind": "ignore"}, "zones.z.polygon: has no area"),
        ({"polygon": [[0, 0], [1, 1]], "kind": "ignore"}, "zones.z.polygon"),
        ({"polygon": [[0, 0], [1.2, 0], [1, 1]], "kind": "ignore"}, "zones.z.polygon.1.0"),
        ({"polygon": [[0, 0], [float("nan"), 0], [1, 1]], "kind": "ignore"}, "zones.z.polygon.1.0"),
        ({"polygon": SQUARE}, "'zones.z.kind' is missing"),
        ({"polygon": SQUARE, "kind": "lawn"}, "carriageway"),
        ({"polygon": SQUARE, "kind": "ignore", "colour": "red"}, "unknown key 'zones.z.colour'"),
        (
            {"polygon": SQUARE, "kind": "carriageway", "direction": [[0, 0], [0, 0]]},
            "zones.z.direction: starts where it ends",
        ),
    ],
)
def test_a_wrong_zone_is_one_sentence_that_names_it(zone: dict[str, Any], words: str) -> None:
    said = refusal(zones={"z": zone})
    assert said.startswith("camera 'a40': ")
    assert words in said


def test_a_thousand_zones_are_read_and_more_are_refused() -> None:
    zones = {f"zone {k}": {"polygon": SQUARE, "kind": "ignore"} for k in range(1001)}
    assert refusal(zones=zones) == "camera 'a40': zones: more than 1000 zones"
    del zones["zone 0"]
    began = time.process_time()
    assert len(camera(zones=zones).zones) == 1000
    assert time.process_time() - began < 10


def test_a_wrong_mask_says_which_polygon() -> None:
    assert refusal(mask=[SQUARE, BOW_TIE]) == ("camera 'a40': mask: polygon 2 crosses itself near (0.5, 0.5)")
    assert "has no area" in refusal(mask=[[[0, 0], [0.5, 0], [1, 0]]])


@pytest.mark.parametrize(
    ("anomalies", "words"),
    [
        (["flood"], "unknown kind 'flood'; known are stopped_vehicle, wrong_way"),
        ({"flood": {}}, "flood"),
        ({"queue": {"min_vehicles": 0}}, "anomalies.queue.min_vehicles"),
        ({"queue": {"colour": 1}}, "anomalies.queue.colour"),
        ("queue", "anomalies"),
    ],
)
def test_a_wrong_anomaly_is_one_sentence(anomalies: Any, words: str) -> None:
    assert words in refusal(anomalies=anomalies)
