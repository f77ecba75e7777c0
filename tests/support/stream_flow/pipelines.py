"""Stream pipelines of scripted cameras and detectors, in this process."""

import threading
from collections.abc import Callable

from flows.stream.ingest.accounting import Account
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.source import SourceFrame
from streetloop.settings import Settings
from streetloop.types import ArrayPicture
from tests.support.stream_flow.build import with_square
from tests.support.stream_flow.fakes import PATIENCE_S, ScriptedSource, Step

# Pictures of 320 x 192 fill the detector's input without scaling.
SETTINGS = Settings(image_size=320, max_batch=4, gate=False, staleness_s=0.5)

Start = Callable[..., StreamPipeline]
"""Starts a pipeline; see the fixture ``start``."""


def close(pipeline: StreamPipeline) -> None:
    """Close a pipeline; fails if that hangs."""
    closing = threading.Thread(target=pipeline.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()


def clip(*steps: Step) -> ScriptedSource:
    """A lossless source."""
    return ScriptedSource(steps, live=False)


def account_of(pipeline: StreamPipeline, camera_id: str = "a") -> Account:
    """The account of a camera so far."""
    return pipeline.snapshot()[camera_id].account


def driving(count: int, start: int = 20, step: int = 8) -> list[SourceFrame]:
    """A white square that moves to the right."""
    return [SourceFrame(i / 25, ArrayPicture(with_square(start + step * i, 80, 24))) for i in range(count)]
