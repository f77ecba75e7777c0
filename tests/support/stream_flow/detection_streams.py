"""Streams of detections to a sink, in tests."""

from collections.abc import Iterable

from flows.event_sinks.detections.detection_stream import DetectionStream
from flows.stream.analysis.results import Result
from streetloop.errors import EventSinkError


def complaints(stream: DetectionStream, results: Iterable[Result]) -> list[str]:
    """What is said while frames are taken."""
    said = []
    for one in results:
        try:
            stream.take(one)
        except EventSinkError as error:
            said.append(str(error))
    return said
