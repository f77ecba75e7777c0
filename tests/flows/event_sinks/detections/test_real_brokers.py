"""Detections through a real mosquitto and a real Kafka broker: away, back, refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.event_sinks.detections.detection_stream import DetectionStream
from flows.event_sinks.open_sink import open_detection_sink
from flows.stream.analysis.results import Result
from flows.stream.sources.backoff import Backoff
from streetloop.alerting.sink_config import parse_sinks
from streetloop.errors import EventSinkError
from tests.support.servers import event_receivers
from tests.support.servers.event_receivers import PASSWORD, KafkaReceiver, MqttReceiver
from tests.support.stream_flow.build import found, frame, result
from tests.support.stream_flow.detection_streams import complaints
from tests.support.stream_flow.fakes import eventually

pytestmark = pytest.mark.broker

_TIMEOUT_S = 1.5


@pytest.fixture(params=["mqtt", "kafka"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MqttReceiver | KafkaReceiver]:
    receiver = event_receivers.start(request.param, tmp_path)
    assert isinstance(receiver, MqttReceiver | KafkaReceiver)
    yield receiver
    receiver.kill()


def stream_to(
    receiver: MqttReceiver | KafkaReceiver, max_waiting: int = 1000, **more: Any
) -> DetectionStream:
    values = {**receiver.config, "detections": True, "detection_fps": 1000, "timeout_s": _TIMEOUT_S, **more}
    if isinstance(receiver, KafkaReceiver):
        values["detection_topic"] = receiver.TOPIC
    config = parse_sinks({"bus": values})["bus"]
    sink = open_detection_sink(config)
    return DetectionStream("bus", config, sink, ("car",), 0.25, max_waiting, Backoff(0.1, 0.1))


def seen(number: int) -> Result:
    return result(frame(number, camera_id=("a", "b")[number % 2]), found((0, 0, 9, 9)))


def numbers(receiver: MqttReceiver | KafkaReceiver, camera: str) -> list[int]:
    """Numbers of the frames of a camera that arrived, in order."""
    if isinstance(receiver, KafkaReceiver):
        return [value["frame_id"] for key, value in receiver.records() if key == camera]
    topic = f"streetloop/{camera}/detections"
    return [json.loads(payload)["frame_id"] for name, payload, _ in list(receiver.got) if name == topic]


def test_detections_arrive_by_camera_and_in_order(receiver: MqttReceiver | KafkaReceiver) -> None:
    stream = stream_to(receiver)
    for number in range(60):
        stream.take(seen(number))
    stream.close()
    assert (stream.sent, stream.dropped) == (60, 0)
    eventually(lambda: len(numbers(receiver, "a")) == len(numbers(receiver, "b")) == 30)
    assert numbers(receiver, "a") == list(range(0, 60, 2))
    assert numbers(receiver, "b") == list(range(1, 60, 2))


def test_a_broker_that_was_away_gets_the_newest(receiver: MqttReceiver | KafkaReceiver) -> None:
    stream = stream_to(receiver, max_waiting=10)
    receiver.kill()
    said = complaints(stream, map(seen, range(40)))
    assert said
    assert PASSWORD not in str(said)
    receiver.start()
    eventually(lambda: len({*numbers(receiver, "a"), *numbers(receiver, "b")}) >= 10)
    stream.close()
    assert stream.sent + stream.dropped == 40
    arrived = {*numbers(receiver, "a"), *numbers(receiver, "b")}
    assert set(range(30, 40)) <= arrived


def test_a_broker_that_hangs_blocks_nothing(receiver: MqttReceiver | KafkaReceiver) -> None:
    stream = stream_to(receiver, max_waiting=5)
    with receiver.frozen():
        assert complaints(stream, map(seen, range(200)))
        with pytest.raises(EventSinkError, match="are dropped"):
            stream.close()


def test_the_connection_of_detections_does_not_say_that_streetloop_is_there(tmp_path: Path) -> None:
    receiver = MqttReceiver(tmp_path)
    stream = stream_to(receiver)
    stream.take(seen(0))
    stream.close()
    eventually(lambda: numbers(receiver, "a") == [0])
    assert [topic for topic, _, _ in receiver.got] == ["streetloop/a/detections"]
    receiver.kill()
