"""Stand-ins for what the stream flow asks of the world: time, cameras, a detector, a listener."""

import threading
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

PATIENCE_S = 10.0
"""Longest real wait of a fake; a test that reaches it has failed."""

_POLL_S = 0.002


class FakeClock:
    """A `streetloop.clock.Clock` that stands still until someone waits or advances it.

    Attributes:
        waits: Every wait that was asked for, in seconds.
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
        """See `Clock.wait`; the time passes at once unless the event is set already."""
        self.waits.append(timeout_s)
        if not event.is_set():
            self.advance(max(0.0, timeout_s))
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        with self._lock:
            self._elapsed_s += seconds


Step: TypeAlias = SourceFrame | Exception | threading.Event | Callable[[], None]
"""What a scripted source does next: give a shot, raise, wait for an event, or call something."""


class ScriptedSource:
    """A `flows.stream.sources.source.Source` that follows a script.

    Each connection is a list of steps; the end of the list is the end of the recording. Once the
    script is over, every attempt to connect fails, and waiting lasts until the camera is stopped.

    Attributes:
        connections: How often someone connected.
        waits: The time-out of every `wait_for_return`, in seconds.
        over: Set once the script is over and someone waits for more.
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
        """See `Source.wait_for_return`; at once while the script goes on."""
        self.waits.append(timeout_s)
        self._on_wait(timeout_s)
        if self.connections >= len(self._script):
            self.over.set()
            stop.wait(PATIENCE_S)


def eventually(is_true: Callable[[], bool]) -> None:
    """Wait for what other threads bring about."""
    never = threading.Event()
    for _ in range(round(PATIENCE_S / _POLL_S)):
        if is_true():
            return
        never.wait(_POLL_S)
    raise AssertionError("what was waited for did not come about")


def _until(step: threading.Event, stop: threading.Event) -> None:
    eventually(lambda: step.is_set() or stop.is_set())


class ScriptedDetector:
    """A `serve.detector.client.DetectorClient` that answers as it is told.

    Args:
        find: What it sees in one image; nothing by default.
        failures: Raised in place of the first answers, one each; None lets that answer through.
        hold: Answers wait until this is set.
        refuse: Raised by every `submit`.

    Attributes:
        shapes: Shape of every batch that was sent.
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
        """What `Pending.result` gives for a batch."""
        if self._hold is not None and not self._hold.wait(PATIENCE_S):
            raise AssertionError("a scripted detector was held in vain")
        if (failure := next(self._failures, None)) is not None:
            raise failure
        return Answer(self.version, [self._find(image) for image in images], 0.01)


@dataclass(frozen=True)
class _Scripted:
    detector: ScriptedDetector
    images: Image

    def result(self, timeout_s: float) -> Answer:
        return self.detector.answer(self.images)


@dataclass
class CollectingTap:
    """A `flows.stream.analysis.results.Sink` that keeps what it is given.

    Attributes:
        raises: Raised by every `take`, after the result was noted.
        on_take: Called with every result.
        results: What came, in order.
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
        """Ids of the frames of one camera, in the order they came."""
        return [r.frame.frame_id for r in self.results if r.frame.camera_id == camera_id]
