"""The stream flow of one worker: several cameras, one way to the detector."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.stream.accounting import Fate, FrameAccount, Reason
from flows.stream.analysis import Analysis
from flows.stream.batching import Batch, Pace, choose, pack
from flows.stream.feed import Feed
from flows.stream.gate import MotionGate
from flows.stream.mailbox import Mailbox
from flows.stream.results import Result, Tap
from flows.stream.source import Source
from flows.stream.status import CameraStatus
from serve.client import Answer, DetectorClient, Pending
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import DetectorError, StreetloopError
from streetloop.settings import Settings

_log = logging.getLogger(__name__)

_UNDER_WAY = 2  # batches: one is detected while the next is packed and sent
_ATTEMPTS = 3
_RETRY_PAUSE_S = 0.5
_MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class _Sent:
    batch: Batch
    pending: Pending
    at_s: float


class _Refused:
    """The answer of a detector that did not even take the question."""

    def __init__(self, error: DetectorError) -> None:
        self._error = error

    def result(self, timeout_s: float) -> Answer:  # noqa: ARG002 - as `Pending` has it
        raise self._error


class StreamPipeline:
    """Runs cameras from their sources to the taps.

    Threads: one a camera reads and decodes; one chooses, packs and sends batches; one takes the
    answers in order of sending and does all that comes after, so that trackers, rules and taps
    need no locks.

    Args:
        cameras: The cameras with their sources.
        detector: Who detects.
        settings: As given at the roof.
        clock: Time.
        taps: Who listens to the results.
        generation: How many times these cameras were taken over after a crash; keeps track ids
            apart.
    """

    def __init__(
        self,
        cameras: Sequence[tuple[Camera, Source]],
        detector: DetectorClient,
        settings: Settings,
        clock: Clock,
        taps: Sequence[Tap] = (),
        generation: int = 0,
    ) -> None:
        self._detector = detector
        self._settings = settings
        self._clock = clock
        self._taps = taps
        self._ready = threading.Condition()
        self._feeds = [self._feed(camera, source) for camera, source in cameras]
        self._analyses = {c.id: Analysis(c, settings, generation) for c, _ in cameras}
        self._by_id = {feed.camera.id: feed for feed in self._feeds}
        self._pace = Pace(settings.staleness_s, settings.max_batch)
        self._places = threading.Semaphore(_UNDER_WAY)
        self._sent: queue.Queue[_Sent | None] = queue.Queue()
        self._stop = threading.Event()
        self._faults: list[str] = []
        self._gave_up = False
        self._started = False
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._send_batches, name="send", daemon=True),
            threading.Thread(target=self._take_answers, name="answers", daemon=True),
        ]

    def _feed(self, camera: Camera, source: Source) -> Feed:
        account = FrameAccount()
        mailbox = Mailbox(
            account, self._settings.staleness_s, self._ready, lossless=not source.live
        )
        gate = MotionGate(self._settings.keyframe_s) if self._settings.gate else None
        return Feed(camera, source, mailbox, account, self._clock, gate)

    def start(self) -> None:
        """Begin."""
        self._started = True
        for thread in self._threads:
            thread.start()
        for feed in self._feeds:
            feed.start()

    def close(self) -> None:
        """Stop the cameras, wait for the answers under way and close the taps."""
        for feed in self._feeds:
            feed.close()
        self._stop.set()
        with self._ready:
            self._ready.notify_all()
        if self._started:
            self._done.wait()
        for feed in self._feeds:
            # A reader that hangs in its time-out holds no frame; it may end by itself.
            feed.join(timeout_s=5.0)
        self._settle_what_is_left()

    def wait(self, timeout_s: float) -> bool:
        """Wait until every camera has ended by itself and all is detected; True if so."""
        return self._done.wait(timeout_s)

    def snapshot(self) -> dict[str, CameraStatus]:
        """Every camera now, by id."""
        return {feed.camera.id: self._status(feed) for feed in self._feeds}

    def _status(self, feed: Feed) -> CameraStatus:
        analysis = self._analyses[feed.camera.id]
        return CameraStatus(
            camera_id=feed.camera.id,
            state=feed.state,
            error=feed.error,
            account=feed.account.snapshot(),
            reconnects=feed.reconnects,
            lag_p95_s=analysis.lags.p95_s(),
            objects=analysis.objects,
            lines=analysis.line_counts(),
            faults=tuple(self._faults),
        )

    # Sending

    def _send_batches(self) -> None:
        try:
            self._send_batches_until_end()
        except Exception as error:  # noqa: BLE001
            self._give_up(error)
        finally:
            self._sent.put(None)

    def _give_up(self, error: Exception) -> None:
        """The boundary of a thread: without it the flow cannot go on, so all cameras end."""
        _log.exception("the stream flow failed")
        self._gave_up = True
        self._faults.append(f"the stream flow failed: {type(error).__name__}: {error}")
        self._stop.set()
        for feed in self._feeds:
            feed.close()

    def _send_batches_until_end(self) -> None:
        turn = 0
        while True:
            # First the place, then the frames: they are chosen as late, and as fresh, as can be.
            self._places.acquire()
            batch = self._next_batch(turn)
            if batch is None:
                return
            turn += 1
            self._sent.put(self._send(batch))

    def _send(self, batch: Batch) -> _Sent:
        return _Sent(batch, self._submit(batch), self._clock.monotonic())

    def _submit(self, batch: Batch) -> Pending:
        try:
            return self._detector.submit(batch.images)
        except DetectorError as error:
            return _Refused(error)

    def _next_batch(self, turn: int) -> Batch | None:
        """Wait for frames and pack them; None once there will be no more."""
        with self._ready:
            while True:
                frames = choose(
                    self._feeds,
                    turn,
                    self._pace,
                    self._settings.max_batch,
                    self._settings.image_size,
                    self._clock.monotonic(),
                )
                if frames:
                    break
                if self._stop.is_set() or all(feed.finished for feed in self._feeds):
                    return None
                self._ready.wait(0.5)
        return pack(frames, self._settings.image_size)

    # Answers

    def _take_answers(self) -> None:
        try:
            self._take_answers_until_end()
        except Exception as error:  # noqa: BLE001
            self._give_up(error)
            while self._sent.get() is not None:
                self._places.release()
        for tap in self._taps:
            self._tap(tap.close)
        self._done.set()

    def _take_answers_until_end(self) -> None:
        free_since = 0.0
        while (sent := self._sent.get()) is not None:
            answer = self._answer(sent)
            self._places.release()
            now = self._clock.monotonic()
            if answer is None:
                self._fail(sent.batch)
            else:
                self._pace.answered(len(sent.batch.frames), now - max(sent.at_s, free_since))
                self._give(sent.batch, answer)
            free_since = now

    def _answer(self, sent: _Sent) -> Answer | None:
        """The answer, if need be to a repeated question; None if there is none to be had."""
        pending = sent.pending
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return pending.result(self._settings.detector_timeout_s)
            except DetectorError as error:
                _log.warning("detector, attempt %d of %d: %s", attempt, _ATTEMPTS, error)
            if attempt < _ATTEMPTS:
                self._clock.wait(self._stop, _RETRY_PAUSE_S)
                pending = self._submit(sent.batch)
        return None

    def _fail(self, batch: Batch) -> None:
        for frame in batch.frames:
            self._by_id[frame.camera_id].account.settle(Fate.FAILED, Reason.DETECTOR)

    def _give(self, batch: Batch, answer: Answer) -> None:
        for frame, box, found in zip(batch.frames, batch.boxes, answer.detections, strict=True):
            feed = self._by_id[frame.camera_id]
            analysis = self._analyses[frame.camera_id]
            result = analysis.update(frame, box, found, answer.model_version)
            analysis.lags.add(self._clock.monotonic() - frame.arrived_s)
            if feed.gate is not None and analysis.moving:
                feed.gate.keep_open(frame.pts)
            feed.account.settle(Fate.DETECTED)
            for tap in self._taps:
                self._tap(tap.take, result)

    def _settle_what_is_left(self) -> None:
        """After giving up, frames that nobody works on any more have failed.

        Only once the readers have ended: one may stand between counting a frame and settling it.
        """
        if self._gave_up:
            for feed in self._feeds:
                lost = feed.account.snapshot().pending
                feed.account.settle(Fate.FAILED, Reason.WORKER, lost)

    def _tap(self, call: Callable[..., None], *args: Result) -> None:
        try:
            call(*args)
        except StreetloopError as error:
            self._note_fault(str(error), error)
        except Exception as error:  # noqa: BLE001
            # The boundary of a tap: whatever fails in one must not take the streams along.
            self._note_fault(f"{type(error).__name__}: {error}", error)

    def _note_fault(self, fault: str, error: Exception) -> None:
        """Once each: a tap may fail at every frame."""
        if len(self._faults) < _MOST_FAULTS and fault not in self._faults:
            self._faults.append(fault)
            _log.error("a tap failed: %s", fault, exc_info=error)
