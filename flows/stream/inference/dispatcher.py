"""Keeps one application busy: batches are sent on one thread, answers received on another."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from flows.stream.inference.batch import Batch, SourceAnswer
from flows.stream.inference.pace import Pace
from streetloop.clock import Clock
from streetloop.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom a dispatcher tells what became of its batches; called from its threads.

    Attributes:
        on_answer: A batch was answered; in the order of sending.
        on_failure: A batch failed for good, and why.
        on_error: A thread of the dispatcher failed; its remaining batches are abandoned.
        on_end: The last call: every batch was answered, failed or abandoned.
    """

    on_answer: Callable[[Batch, SourceAnswer], None]
    on_failure: Callable[[Batch, DetectorError], None]
    on_error: Callable[[Exception], None]
    on_end: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Sent:
    batch: Batch
    receive: Callable[[], SourceAnswer | DetectorError]
    at_s: float


class Dispatcher:
    """Sends the batches of one application and receives the answers in order.

    Args:
        application: Names the threads.
        take_batch: Waits for the next batch; None ends the dispatcher. Called when there is room
            for a batch, and no earlier, so the batch has the freshest frames.
        send: Sends a batch and returns a function that waits for the answer, see
            `flows.stream.inference.calls.ModelCalls.send`.
        pace: Told the service time of each answered batch.
        clock: Time.
        callbacks: Told what became of each batch.
        in_flight: Batches that are on their way at most. One more than the replicas that answer:
            each detects one while the next is packed and sent. More makes answers later.
    """

    def __init__(
        self,
        application: str,
        take_batch: Callable[[], Batch | None],
        send: Callable[[Batch], Callable[[], SourceAnswer | DetectorError]],
        pace: Pace,
        clock: Clock,
        callbacks: Callbacks,
        in_flight: int = 2,
    ) -> None:
        self._take_batch, self._send = take_batch, send
        self._pace, self._clock, self._callbacks = pace, clock, callbacks
        self._room = threading.Semaphore(in_flight)
        self._in_flight: queue.Queue[_Sent | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._run_sender, name=f"send-{application}", daemon=True),
            threading.Thread(target=self._run_receiver, name=f"answers-{application}", daemon=True),
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def _run_sender(self) -> None:
        try:
            while self._room.acquire() and (batch := self._take_batch()) is not None:
                receive = self._send(batch)
                self._in_flight.put(_Sent(batch, receive, self._clock.monotonic()))
        except Exception as error:  # noqa: BLE001 - the boundary of the thread
            self._callbacks.on_error(error)
        finally:
            self._in_flight.put(None)

    def _run_receiver(self) -> None:
        try:
            self._receive_until_end()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread
            self._callbacks.on_error(error)
            while self._in_flight.get() is not None:
                self._room.release()
        self._callbacks.on_end()

    def _receive_until_end(self) -> None:
        free_since_s = 0.0
        while (sent := self._in_flight.get()) is not None:
            answer = sent.receive()
            self._room.release()
            now_s = self._clock.monotonic()
            if isinstance(answer, DetectorError):
                self._callbacks.on_failure(sent.batch, answer)
            else:
                self._pace.observe(len(sent.batch.frames), now_s - max(sent.at_s, free_since_s))
                self._callbacks.on_answer(sent.batch, answer)
            free_since_s = now_s
