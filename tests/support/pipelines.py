"""A stream flow of scripted cameras and detectors, in this process."""

import threading
from collections.abc import Callable

from flows.stream.ingest.accounting import Account
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.source import SourceFrame
from streetloop.settings import Settings
from streetloop.types import ArrayPicture
from tests.support.build import with_square
from tests.support.fakes import PATIENCE_S, ScriptedSource, Step

# Pictures of 320 x 192 are the detector's input as they are.
SETTINGS = Settings(image_size=320, max_batch=4, gate=False, staleness_s=0.5)

Start = Callable[..., StreamPipeline]
"""Starts a pipeline of some cameras; see the fixture ``start``."""


def close(pipeline: StreamPipeline) -> None:
    """Close, and fail rather than hang if that does not end."""
    closing = threading.Thread(target=pipeline.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()


def clip(*steps: Step) -> ScriptedSource:
    """A camera that loses nothing."""
    return ScriptedSource(steps, live=False)


def account_of(pipeline: StreamPipeline, camera_id: str = "a") -> Account:
    """What became of a camera's frames so far."""
    return pipeline.snapshot()[camera_id].account


def driving(count: int, start: int = 20, step: int = 8) -> list[SourceFrame]:
    """A white square that drives to the right."""
    return [SourceFrame(i / 25, ArrayPicture(with_square(start + step * i, 80, 24))) for i in range(count)]
