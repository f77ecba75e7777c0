"""Sampling, batches, the bounded queue, and what is said when a sink is away."""

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from flows.event_sinks.detections.detection_stream import DetectionStream
from flows.event_sinks.detections.message import DetectionMessage
from flows.stream.analysis.results import Result
from flows.stream.sources.backoff import Backoff
from streetloop.alerting.sink_config import parse_sinks
from streetloop.errors import EventSinkError
from tests.support.stream_flow.build import found, frame, result
from tests.support.stream_flow.detection_streams import complaints
from tests.support.stream_flow.fakes import eventually

NAMES = ("car", "bus")


class FakeSink:
    """Takes what it is let take.

    Attributes:
        got: Frame numbers by batch.
        takes: How many messages of a batch it takes; None for all.
        calls: How often it was asked.
    """

    batch_size = 10

    def __init__(self) -> None:
        self.got: list[list[int]] = []
        self.takes: int | None = None
        self.calls = 0
        self.is_open = threading.Event()
        self.is_open.set()
        self.closed = False

    def send_detections(self, messages: Sequence[DetectionMessage]) -> None:
        self.calls += 1
        self.is_open.wait(20)
        numbers = [json.loads(one.payload)["frame_id"] for one in messages]
        if self.takes is None:
            self.got.append(numbers)
            return
        self.got.append(numbers[: self.takes])
        raise EventSinkError("bus.example: cannot be reached", self.takes)

    def close(self) -> None:
        self.closed = True

    @property
    def numbers(self) -> list[int]:
        return [number for batch in self.got for number in batch]


@pytest.fixture
def sink() -> Iterator[FakeSink]:
    sink = FakeSink()
    yield sink
    sink.is_open.set()


def stream_to(sink: FakeSink, max_waiting: int = 1000, **values: Any) -> DetectionStream:
    config = {"type": "kafka", "url": "kafka://host:1", "detections": True, **values}
    parsed = parse_sinks({"bus": config})["bus"]
    return DetectionStream("bus", parsed, sink, NAMES, 0.25, max_waiting, Backoff(0.01, 0.01))


def seen(number: int, camera: str = "a", fps: float = 10) -> Result:
    return result(frame(number, camera_id=camera, pts=number / fps), found((0, 0, 10, 10)))


def test_a_second_of_a_camera_has_one_frame_by_default(sink: FakeSink) -> None:
    stream = stream_to(sink)
    for number in range(31):
        stream.take(seen(number))
        stream.take(seen(1000 + number, "b"))
    stream.close()
    assert [n for n in sink.numbers if n < 1000] == [0, 10, 20, 30]
    assert [n for n in sink.numbers if n >= 1000] == [1000, 1010, 1020, 1030]
    assert stream.sent == 8
    assert sink.closed


@pytest.mark.parametrize(("rate", "expected"), [(4, 13), (1000, 31), (0.5, 2)])
def test_the_rate_is_kept_on_average(sink: FakeSink, rate: float, expected: int) -> None:
    stream = stream_to(sink, detection_fps=rate)
    for number in range(31):
        stream.take(seen(number))
    stream.close()
    assert len(sink.numbers) == expected


def test_a_pause_is_not_made_up_for(sink: FakeSink) -> None:
    stream = stream_to(sink)
    for number in [0, 100, 101, 102, 110]:
        stream.take(seen(number))
    stream.close()
    assert sink.numbers == [0, 100, 110]


def test_only_its_cameras_are_sent(sink: FakeSink) -> None:
    stream = stream_to(sink, cameras=["b"])
    stream.take(seen(0))
    stream.take(seen(1, "b"))
    stream.close()
    assert sink.numbers == [1]


def test_frames_are_sent_in_batches(sink: FakeSink) -> None:
    stream = stream_to(sink, detection_fps=1000)
    for number in range(25):
        stream.take(seen(number))
    stream.close()
    assert sink.numbers == list(range(25))
    assert len(sink.got) <= 4


def test_what_a_sink_did_not_take_is_sent_again_in_order(sink: FakeSink) -> None:
    stream = stream_to(sink, detection_fps=1000)
    sink.takes = 3
    for number in range(8):
        stream.take(seen(number))
    eventually(lambda: len(sink.got) >= 2)
    sink.takes = None
    stream.close()
    assert sink.numbers == list(range(8))
    assert stream.dropped == 0


def test_a_sink_that_hangs_costs_the_oldest_detections_and_never_a_frame(sink: FakeSink) -> None:
    sink.is_open.clear()
    stream = stream_to(sink, max_waiting=5, detection_fps=1000)
    stream.take(seen(0))
    eventually(lambda: sink.calls == 1)
    for number in range(1, 6):
        stream.take(seen(number))
    with pytest.raises(EventSinkError, match="sink bus: detections of 1 frames are dropped: it is too slow"):
        stream.take(seen(6))
    with pytest.raises(EventSinkError, match="of 2 frames"):
        stream.take(seen(7))
    sink.is_open.set()
    stream.close()
    assert sink.numbers == [0, 3, 4, 5, 6, 7]


def test_the_reason_is_that_of_the_sink(sink: FakeSink) -> None:
    sink.takes = 0
    stream = stream_to(sink, max_waiting=1, detection_fps=1000)
    stream.take(seen(0))
    eventually(lambda: sink.calls >= 1)
    said = complaints(stream, map(seen, range(1, 4)))
    assert said[-1].endswith("are dropped: bus.example: cannot be reached")
    with pytest.raises(EventSinkError, match="are dropped"):
        stream.close()


def test_an_end_without_a_sink_says_what_was_lost(sink: FakeSink) -> None:
    sink.takes = 0
    stream = stream_to(sink, detection_fps=1000)
    for number in range(7):
        stream.take(seen(number))
    with pytest.raises(EventSinkError, match="of 7 frames are dropped"):
        stream.close()
    assert stream.counts() == {("bus", "sent"): 0, ("bus", "dropped"): 7}
