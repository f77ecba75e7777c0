"""A pipeline for every test of the stream flow."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from flows.stream.analysis.results import Sink
from flows.stream.ingest.accounting import SettledFrame
from flows.stream.pipeline import StreamPipeline
from serve.detector.client import DetectorClient
from streetloop.cameras.camera_file import Camera
from streetloop.settings import Settings
from streetloop.types import Frame
from tests.support.stream_flow.fakes import FakeClock, ScriptedDetector, ScriptedSource
from tests.support.stream_flow.pipelines import SETTINGS, Start, close


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a pipeline, and closes it after the test."""
    pipelines: list[StreamPipeline] = []

    def make(
        cameras: Sequence[tuple[Camera, ScriptedSource]],
        detector: DetectorClient | None = None,
        sinks: Sequence[Sink] = (),
        settings: Settings = SETTINGS,
        clock: FakeClock | None = None,
        generation: int = 0,
        on_still: Callable[[Frame], None] = lambda _: None,
        on_settled: Callable[[SettledFrame], None] = lambda _: None,
    ) -> StreamPipeline:
        champion = detector or ScriptedDetector()
        pipeline = StreamPipeline(
            cameras,
            lambda _: champion,
            settings,
            clock or FakeClock(),
            sinks,
            generation,
            on_still=on_still,
            on_settled=on_settled,
        )
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    yield make
    for pipeline in pipelines:
        close(pipeline)
