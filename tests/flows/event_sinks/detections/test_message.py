import json

from flows.event_sinks.detections.message import message_of
from tests.support.stream_flow.build import found, frame, plain, result


def test_a_message_has_the_frame_and_what_was_shown_of_it() -> None:
    boxes = found((1, 2, 30.04, 40), (5, 5, 9, 9), (7, 7, 9, 9), confidence=[0.9, 0.1, 0.1])
    of = frame(50, camera_id="a40", picture=plain(640, 360))
    made = message_of(result(of, boxes, [7, 8, -1]), ("car",), 0.25)
    assert made.camera_id == "a40"
    content = json.loads(made.payload)
    boxes_sent = content.pop("detections")
    assert content == {
        "schema": 1,
        "camera_id": "a40",
        "frame_id": 50,
        "pts": 2.0,
        "captured_at": "2026-03-01T12:00:02Z",
        "width": 640,
        "height": 360,
        "model": "model-1",
    }
    assert boxes_sent == [
        {"track_id": 7, "class": "car", "confidence": 0.9, "box": [1.0, 2.0, 30.0, 40.0], "counted": True},
        {"track_id": 8, "class": "car", "confidence": 0.1, "box": [5.0, 5.0, 9.0, 9.0], "counted": True},
    ], "a weak box is sent where it extends a track"


def test_a_box_without_a_track_has_none_and_an_empty_street_is_a_message_too() -> None:
    content = json.loads(message_of(result(frame(), found((0, 0, 9, 9))), ("car",), 0.25).payload)
    assert content["detections"][0]["track_id"] is None
    empty = json.loads(message_of(result(frame()), ("car",), 0.25).payload)
    assert empty["detections"] == []
