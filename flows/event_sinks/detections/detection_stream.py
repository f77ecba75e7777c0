"""Sends sampled detections to one sink. It may lose some; streams never wait for it."""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from flows.event_sinks.detections.message import DetectionMessage, message_of
from flows.stream.analysis.results import Result
from flows.stream.sources.backoff import Backoff
from streetloop.alerting.sink_config import EventSinkConfig
from streetloop.errors import EventSinkError

_log = logging.getLogger(__name__)

MAX_WAITING = 1000
"""Frames that wait for a sink; beyond that the oldest are dropped."""

_COLLECT_S = 0.5  # what comes within it is sent together
_LIMIT_S = 20.0  # of the wait between attempts
_CLOSE_S = 3.0
_SLACK_S = 0.005  # of rounded time stamps


class DetectionSink(Protocol):
    """Takes detections to one receiver. One thread calls it, and nobody else.

    Attributes:
        batch_size: Most messages of one call.
    """

    batch_size: int

    def send_detections(self, messages: Sequence[DetectionMessage]) -> None:
        """Hand messages over, in their order; the receiver has confirmed all of them at the return.

        Raises:
            EventSinkError: The receiver did not take one; ``taken`` says how many it took before.
        """

    def close(self) -> None:
        """Give the connection back; called once, at the end."""


class DetectionStream:
    """A `flows.stream.analysis.results.Sink` that samples results and sends them on its own thread.

    What the sink does not take waits, 1000 frames at most. Beyond that the oldest are dropped and
    counted, and `take` raises, which is shown as a fault of the cameras.

    Args:
        name: Name of the sink.
        config: Its cameras, and how many frames a second of each are sent.
        sink: The sink; `close` closes it.
        names: Class names by class id.
        confidence: See `flows.event_sinks.detections.message.message_of`.
        max_waiting: Frames that may wait. More bear a longer outage, and take memory.
        backoff: Waits between attempts.

    Attributes:
        sent: Frames whose detections were confirmed.
        dropped: Frames whose detections were dropped.
    """

    def __init__(
        self,
        name: str,
        config: EventSinkConfig,
        sink: DetectionSink,
        names: tuple[str, ...],
        confidence: float,
        max_waiting: int = MAX_WAITING,
        backoff: Backoff | None = None,
    ) -> None:
        self._name, self._sink, self._names, self._confidence = name, sink, names, confidence
        self._cameras = None if config.cameras is None else frozenset(config.cameras)
        self._period_s = 1 / config.detection_fps
        self._due: dict[str, float] = {}
        self._max_waiting = max_waiting
        self._waiting: deque[DetectionMessage] = deque()
        self._lock = threading.Lock()
        self._backoff = backoff or Backoff(1.0, _LIMIT_S)
        self._error = "it is too slow"
        self._told = self._under_way = 0
        self.sent = self.dropped = 0
        self._come, self._closing, self._given_up = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"detections-{name}", daemon=True)
        self._thread.start()

    def take(self, result: Result) -> None:
        """See `Sink.take`.

        Raises:
            EventSinkError: Detections were dropped since the last call.
        """
        if self._is_due(result):
            message = message_of(result, self._names, self._confidence)
            with self._lock:
                self._waiting.append(message)
                self._drop_oldest()
            self._come.set()
        self._tell_dropped()

    def counts(self) -> dict[tuple[str, str], int]:
        """Frames so far by sink and fate: ``sent`` or ``dropped``."""
        with self._lock:
            return {(self._name, "sent"): self.sent, (self._name, "dropped"): self.dropped}

    def close(self) -> None:
        """See `Sink.close`; what the sink does not take within 3 s is dropped.

        Raises:
            EventSinkError: Detections were dropped.
        """
        self._closing.set()
        self._come.set()
        self._thread.join(_CLOSE_S)
        self._given_up.set()
        with self._lock:
            self.dropped += len(self._waiting) + self._under_way
            self._waiting.clear()
        self._tell_dropped()

    def _is_due(self, result: Result) -> bool:
        """True for the first frame of each period of a camera, by its media time."""
        camera, pts = result.frame.camera_id, result.frame.pts
        if self._cameras is not None and camera not in self._cameras:
            return False
        due = self._due.get(camera, pts)
        if pts < due - _SLACK_S:
            return False
        # A rate that does not divide the camera's is kept on average; a pause is not made up for.
        soon = due + self._period_s
        self._due[camera] = soon if soon > pts else pts + self._period_s
        return True

    def _drop_oldest(self) -> None:
        while len(self._waiting) > self._max_waiting:
            self._waiting.popleft()
            self.dropped += 1

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, is_new = self.dropped, self.dropped > self._told
            self._told = dropped
        if is_new:
            raise EventSinkError(
                f"sink {self._name}: detections of {dropped} frames are dropped: {self._error}"
            )

    def _run(self) -> None:
        while not self._given_up.is_set():
            self._come.wait()
            self._come.clear()
            was_closing = self._closing.is_set()
            if not was_closing:
                self._closing.wait(_COLLECT_S)
            wait_s = self._send_all()
            if was_closing:
                break
            if wait_s:
                self._closing.wait(wait_s)
                self._come.set()
        self._sink.close()

    def _send_all(self) -> float:
        """Send what waits; how long to wait before the next attempt, in seconds."""
        while not self._given_up.is_set():
            with self._lock:
                batch = [
                    self._waiting.popleft() for _ in range(min(len(self._waiting), self._sink.batch_size))
                ]
                self._under_way = len(batch)
            if not batch:
                return 0.0
            taken = self._send(batch)
            with self._lock:
                self.sent += taken
                self._under_way = 0
                self._waiting.extendleft(reversed(batch[taken:]))
                self._drop_oldest()
            if taken < len(batch):
                return self._backoff.next_s()
            self._backoff.reset()
        return 0.0

    def _send(self, batch: Sequence[DetectionMessage]) -> int:
        """How many of the first messages the sink took."""
        try:
            self._sink.send_detections(batch)
        except EventSinkError as error:
            self._error = str(error)
            return error.taken
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: it must not end for good
            _log.exception("sink %s: detections were not sent", self._name)
            self._error = type(error).__name__
            return 0
        return len(batch)
