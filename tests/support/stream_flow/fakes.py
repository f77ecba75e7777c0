"""Fakes of what the stream flow depends on: clock, source, detector and sink."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from flows.stream.analysis.results import Result
from flows.stream.sources.source import SourceFrame
from serve.detector.client import Answer
from streetloop.errors import SourceError, SourceRefused, SourceUnavailable, SourceUnreadable
from streetloop.types import Detections, Image
from streetloop.video import VideoInfo

PATIENCE_S = 60.0
"""Longest real wait of a fake in seconds; a test that reaches it has failed."""

_POLL_S = 0.002


class FakeClock:
    """A `streetloop.clock.Clock` that advances only by `advance` and `wait`.

    Attributes:
        waits: The time-out of every `wait`, in seconds.
    """

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._start = start
        self._elapsed_s = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        with self._lock:
            return self._elapsed_s

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._start + timedelta(seconds=self.monotonic())

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """See `Clock.wait`; the time passes at once unless the event is already set."""
        self.waits.append(timeout_s)
        if not event.is_set():
            self.advance(max(0.0, timeout_s))
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        with self._lock:
            self._elapsed_s += seconds


Step: TypeAlias = SourceFrame | Exception | threading.Event | Callable[[], None]
"""A step of a scripted source: yield a frame, raise, wait for an event, or call a function."""


class ScriptedSource:
    """A `flows.stream.sources.source.Source` that follows a script.

    Each connection is a list of steps, whose end is the end of the recording. After the last
    connection every attempt fails, and `wait_for_return` blocks until the camera is stopped.

    Attributes:
        connections: Number of calls of `read`.
        waits: The time-out of every `wait_for_return`, in seconds.
        over: Set once `wait_for_return` is called after the last connection.
    """

    def __init__(
        self,
        *script: Sequence[Step],
        live: bool = True,
        fps: float = 25.0,
        on_wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.live = live
        self.nominal_fps = fps
        self.connections = 0
        self.waits: list[float] = []
        self.over = threading.Event()
        self._script = script
        self._on_wait = on_wait

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        return VideoInfo("scripted", 64, 48, self.nominal_fps, 0)

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        self.connections += 1
        if self.connections > len(self._script):
            raise SourceUnavailable("the script is over")
        for step in self._script[self.connections - 1]:
            if stop.is_set():
                return
            if isinstance(step, SourceFrame):
                yield step
            elif isinstance(step, Exception):
                raise step
            elif isinstance(step, threading.Event):
                _until(step, stop)
            else:
                step()

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`."""
        return isinstance(error, SourceRefused | SourceUnreadable)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`; at once if a connection is left."""
        self.waits.append(timeout_s)
        self._on_wait(timeout_s)
        if self.connections >= len(self._script):
            self.over.set()
            stop.wait(PATIENCE_S)


def eventually(
    is_true: Callable[[], bool], patience_s: float = PATIENCE_S, poll_s: float = _POLL_S, why: str = ""
) -> None:
    """Wait until a condition that other threads or programs bring about is true.

    Args:
        is_true: The condition.
        patience_s: A condition that is not true after so many seconds has failed.
        poll_s: Seconds between two looks.
        why: What is said of a failure.
    """
    never, end = threading.Event(), time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < end, why or "the condition did not become true"
        never.wait(poll_s)


def _until(step: threading.Event, stop: threading.Event) -> None:
    eventually(lambda: step.is_set() or stop.is_set())


class ScriptedDetector:
    """A scripted `serve.detector.client.DetectorClient`.

    Args:
        find: Detects objects in one image; none by default.
        failures: Raised in place of the first answers, one each; None lets an answer through.
        hold: Answers wait until this event is set.
        refuse: Raised by every `submit`.

    Attributes:
        shapes: Shapes of the batches it was sent.
        asked: Set once a batch was sent.
    """

    version = "scripted-1"

    def __init__(
        self,
        find: Callable[[Image], Detections] = lambda _: Detections.empty(),
        failures: Sequence[Exception | None] = (),
        hold: threading.Event | None = None,
        refuse: Exception | None = None,
    ) -> None:
        self._find = find
        self._failures = iter(failures)
        self._hold = hold
        self._refuse = refuse
        self.shapes: list[tuple[int, ...]] = []
        self.asked = threading.Event()

    def submit(self, images: Image) -> "_Scripted":
        """See `DetectorClient.submit`."""
        if self._refuse is not None:
            raise self._refuse
        self.shapes.append(images.shape)
        self.asked.set()
        return _Scripted(self, images)

    def answer(self, images: Image) -> Answer:
        """The result of `Pending.result` for a batch."""
        if self._hold is not None and not self._hold.wait(PATIENCE_S):
            raise AssertionError("a scripted detector was held for too long")
        if (failure := next(self._failures, None)) is not None:
            raise failure
        return Answer(self.version, [self._find(image) for image in images], 0.01, "fake/fp32")


@dataclass(frozen=True)
class _Scripted:
    detector: ScriptedDetector
    images: Image

    def result(self, timeout_s: float) -> Answer:
        return self.detector.answer(self.images)


@dataclass
class CollectingSink:
    """A `flows.stream.analysis.results.Sink` that keeps the results.

    Attributes:
        raises: Raised by every `take`, after the result was kept.
        on_take: Called with every result.
        results: The results in order.
        closed: How often it was closed.
    """

    raises: Exception | None = None
    on_take: Callable[[Result], None] = lambda _: None
    results: list[Result] = field(default_factory=list)
    closed: int = 0

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        self.results.append(result)
        self.on_take(result)
        if self.raises is not None:
            raise self.raises

    def close(self) -> None:
        """See `Sink.close`."""
        self.closed += 1

    def frame_ids(self, camera_id: str) -> list[int]:
        """Ids of the frames of one camera, in the order of their results."""
        return [r.frame.frame_id for r in self.results if r.frame.camera_id == camera_id]
