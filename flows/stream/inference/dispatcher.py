"""One application's way: batches go there, answers come back."""

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.stream.inference.batching import Batch, Pace, choose, pack
from flows.stream.inference.router import Router
from flows.stream.inference.shadow_comparison import Sample, ShadowComparison
from flows.stream.ingest.reader import CameraReader
from serve.detector.client import Answer, DetectorClient, Pending
from streetloop.clock import Clock
from streetloop.errors import DetectorError
from streetloop.settings import Settings

_log = logging.getLogger(__name__)

_UNDER_WAY = 2  # batches: one is detected while the next is packed and sent
_ATTEMPTS = 3
_RETRY_PAUSE_S = 0.5
_TIMES_USUAL, _LEAST_PATIENCE_S = 4.0, 0.3


class Flow(Protocol):
    """What a lane is part of."""

    readers: Sequence[CameraReader]
    router: Router
    ready: threading.Condition
    stop: threading.Event

    def client(self, application: str) -> DetectorClient:
        """Of an application."""

    def give(self, batch: Batch, answer: Answer, application: str) -> None:
        """A batch was answered, by this application."""

    def fail(self, batch: Batch) -> None:
        """There is no answer to be had for a batch."""

    def give_up(self, error: Exception) -> None:
        """A thread of the flow cannot go on."""

    def dispatcher_ended(self, dispatcher: "Dispatcher") -> None:
        """All that the lane had taken is answered, and it takes no more."""


@dataclass(frozen=True, slots=True)
class _Sent:
    batch: Batch
    pending: Pending
    at_s: float
    sample: Sample | None


class _Refused:
    """The answer of a detector that did not even take the question."""

    def __init__(self, error: DetectorError) -> None:
        self._error = error

    def result(self, timeout_s: float) -> Answer:  # noqa: ARG002 - as `Pending` has it
        raise self._error


class Dispatcher:
    """Chooses, packs and sends batches on one thread, takes the answers in order on another.

    Args:
        application: The application.
        flow: What it is part of.
        settings: As given at the roof.
        clock: Time.
        shadow: Shows some batches to the other model, too; None where there is none.
        usual: Pace of the lane that jumps in if this one fails; None for one that must not fail.
    """

    def __init__(
        self,
        application: str,
        flow: Flow,
        settings: Settings,
        clock: Clock,
        shadow: ShadowComparison | None = None,
        usual: Pace | None = None,
    ) -> None:
        self.application = application
        self.pace = Pace(settings.staleness_s, settings.max_batch)
        self._flow, self._settings, self._clock = flow, settings, clock
        self._shadow, self._usual = shadow, usual
        self._client = flow.client(application)
        self._places = threading.Semaphore(_UNDER_WAY)
        self._sent: queue.Queue[_Sent | None] = queue.Queue()
        self._retired = False
        self._threads = [
            threading.Thread(target=self._send_batches, name=f"send-{application}", daemon=True),
            threading.Thread(target=self._take_answers, name=f"answers-{application}", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def retire(self) -> None:
        """Take no more frames; the caller holds the flow's condition."""
        self._retired = True

    # Sending

    def _send_batches(self) -> None:
        try:
            turn = 0
            while True:
                # First the place, then the frames: they are chosen as fresh as can be.
                self._places.acquire()
                batch = self._next_batch(turn)
                if batch is None:
                    return
                turn += 1
                self._sent.put(self._send(batch))
        except Exception as error:  # noqa: BLE001 - the boundary of the thread
            self._flow.give_up(error)
        finally:
            self._sent.put(None)

    def _send(self, batch: Batch) -> _Sent:
        pending = self._submit(self._client, batch)
        sample = self._shadow.sample(self.application, batch) if self._shadow is not None else None
        return _Sent(batch, pending, self._clock.monotonic(), sample)

    def _submit(self, client: DetectorClient, batch: Batch) -> Pending:
        try:
            return client.submit(batch.images)
        except DetectorError as error:
            return _Refused(error)

    def _next_batch(self, turn: int) -> Batch | None:
        """Wait for frames and pack them; None once there will be no more."""
        flow, settings = self._flow, self._settings
        with flow.ready:
            while True:
                if self._retired:
                    return None
                now = self._clock.monotonic()
                mine = flow.router.of(self.application, flow.readers, now)
                frames = choose(mine, turn, self.pace, settings.max_batch, settings.image_size, now)
                if frames:
                    flow.router.sent(frames)
                    break
                if self._is_over():
                    return None
                flow.ready.wait(0.5)
        return pack(frames, settings.image_size)

    def _is_over(self) -> bool:
        flow = self._flow
        return flow.stop.is_set() or all(
            reader.finished and not len(reader.mailbox) for reader in flow.readers
        )

    # Answers

    def _take_answers(self) -> None:
        try:
            self._take_answers_until_end()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread
            self._flow.give_up(error)
            while self._sent.get() is not None:
                self._places.release()
        self._flow.dispatcher_ended(self)

    def _take_answers_until_end(self) -> None:
        free_since = 0.0
        while (sent := self._sent.get()) is not None:
            answer, application = self._answer(sent)
            self._places.release()
            now = self._clock.monotonic()
            if answer is None:
                self._flow.fail(sent.batch)
            else:
                self.pace.answered(len(sent.batch.frames), now - max(sent.at_s, free_since))
                self._flow.give(sent.batch, answer, application)
            free_since = now

    def _answer(self, sent: _Sent) -> tuple[Answer | None, str]:
        """The answer, if need be from the champion, and whose; None if there is none to be had."""
        application = self.application
        if self._usual is None:
            answer = own = self._insist(sent.pending, self._client, sent.batch)
        else:
            answer = own = self._tolerate(sent, self._usual)
            if own is None:
                application = self._flow.router.table.champion_application(sent.batch.frames[0].camera_id)
                champion_application = self._flow.client(application)
                answer = self._insist(
                    self._submit(champion_application, sent.batch), champion_application, sent.batch
                )
        if self._shadow is not None and sent.sample is not None:
            self._shadow.answered(sent.sample, own)
        return answer, application

    def _insist(self, pending: Pending, client: DetectorClient, batch: Batch) -> Answer | None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = pending.result(self._settings.detector_timeout_s)
            except DetectorError as error:
                _log.warning("detector, attempt %d of %d: %s", attempt, _ATTEMPTS, error)
                self._note_call(len(batch.frames), error, challenger=False)
            else:
                self._note_call(len(batch.frames), None, challenger=False)
                return answer
            if attempt < _ATTEMPTS:
                self._clock.wait(self._flow.stop, _RETRY_PAUSE_S)
                pending = self._submit(client, batch)
        return None

    def _tolerate(self, sent: _Sent, usual: Pace) -> Answer | None:
        """A challenger is asked once, and not for long: whatever it does, no frame is lost."""
        frames = len(sent.batch.frames)
        patience = max(_LEAST_PATIENCE_S, _TIMES_USUAL * usual.seconds(frames))
        waited = self._clock.monotonic() - sent.at_s
        try:
            answer = sent.pending.result(max(patience - waited, 0.05))
            if self._shadow is not None:
                self._shadow.require_sane(answer, sent.batch)
        except DetectorError as error:
            _log.warning("challenger: %s", error)
            self._note_call(frames, error, challenger=True)
            with self._flow.ready:
                self._flow.router.rest_challenger(self._clock.monotonic())
            return None
        self._note_call(frames, None, challenger=True)
        return answer

    def _note_call(self, frames: int, error: DetectorError | None, *, challenger: bool) -> None:
        if self._shadow is not None:
            self._shadow.note_call(frames, error, challenger=challenger)
