"""Calls to the models: how long they are waited for, and what happens when they fail."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flows.stream.inference.batch import Batch, SourceAnswer
from flows.stream.inference.clients import ClientPool
from flows.stream.inference.comparison import Comparison, Sample
from flows.stream.inference.pace import Pace
from flows.stream.inference.router import Router
from serve.detector.client import Answer, Pending
from streetloop.clock import Clock
from streetloop.errors import DetectorError

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
_RETRY_PAUSE_S = 0.5
_PATIENCE_FACTOR, _MIN_PATIENCE_S, _MIN_WAIT_S = 4.0, 0.3, 0.05


@dataclass(frozen=True, slots=True)
class CallContext:
    """What all calls of a pipeline share.

    Attributes:
        clients: Clients by application.
        comparison: Told of every call; takes samples of the batches.
        clock: Time.
        stop: Set when the pipeline closes; cuts the pause before a retry short.
        timeout_s: Longest wait for one answer of a champion.
    """

    clients: ClientPool
    comparison: Comparison
    clock: Clock
    stop: threading.Event
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Call:
    batch: Batch
    pending: Pending
    sent_s: float
    sample: Sample | None


class ModelCalls:
    """Calls to an application that must answer: each batch has three attempts.

    Args:
        application: The application.
        context: What all calls of the pipeline share.
    """

    def __init__(self, application: str, context: CallContext) -> None:
        self._application = application
        self._context = context
        self._client = context.clients.get(application)

    def send(self, batch: Batch) -> Callable[[], SourceAnswer | DetectorError]:
        """Send a batch; returns at once.

        Returns:
            Waits for the answer, with boxes in source pixels, or the last error if there is none.
        """
        pending = self._submit(batch)
        sample = self._context.comparison.sample(self._application, batch)
        return partial(self._receive, _Call(batch, pending, self._context.clock.monotonic(), sample))

    def ask(self, batch: Batch) -> SourceAnswer | DetectorError:
        """Send a batch outside of the samples and wait for the answer, or for the last error."""
        return self._insist(batch, self._submit(batch))

    def _receive(self, call: _Call) -> SourceAnswer | DetectorError:
        answer = self._own_answer(call)
        if isinstance(answer, DetectorError):
            self._compare(call, None)
            return self._fall_back(call.batch, answer)
        self._compare(call, answer)
        return answer

    def _compare(self, call: _Call, answer: SourceAnswer | None) -> None:
        if call.sample is not None:
            self._context.comparison.answered(call.sample, answer)

    def _own_answer(self, call: _Call) -> SourceAnswer | DetectorError:
        return self._insist(call.batch, call.pending)

    def _fall_back(self, batch: Batch, error: DetectorError) -> SourceAnswer | DetectorError:  # noqa: ARG002
        return error  # others have a fallback

    def _submit(self, batch: Batch) -> Pending:
        try:
            return self._client.submit(batch.images)
        except DetectorError as error:
            return _Refused(error)

    def _insist(self, batch: Batch, pending: Pending) -> SourceAnswer | DetectorError:
        context = self._context
        last = DetectorError("no attempt was made")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = pending.result(context.timeout_s)
            except DetectorError as error:
                last = error
                _log.warning("detector, attempt %d of %d: %s", attempt, _ATTEMPTS, error)
                context.comparison.note_call(len(batch.frames), error, challenger=False)
            else:
                context.comparison.note_call(len(batch.frames), None, challenger=False)
                return batch.to_source(answer, self._application)
            if attempt < _ATTEMPTS:
                context.clock.wait(context.stop, _RETRY_PAUSE_S)
                pending = self._submit(batch)
        return last


class ChallengerCalls(ModelCalls):
    """Calls to a challenger: one attempt, a short wait, and the champion as fallback.

    Whatever the challenger does, no frame is lost. After a failure its cameras stay with their
    champions for a while, see `Router.suspend_challenger`.

    Args:
        application: The challenger's application.
        context: What all calls of the pipeline share.
        router: Knows the champion of each camera.
        champion_pace: A challenger has four times as long as the champion usually takes.
    """

    def __init__(self, application: str, context: CallContext, router: Router, champion_pace: Pace) -> None:
        super().__init__(application, context)
        self._router, self._champion_pace = router, champion_pace

    def _own_answer(self, call: _Call) -> SourceAnswer | DetectorError:
        batch, context = call.batch, self._context
        frames = len(batch.frames)
        patience_s = max(_MIN_PATIENCE_S, _PATIENCE_FACTOR * self._champion_pace.expected_s(frames))
        waited_s = context.clock.monotonic() - call.sent_s
        try:
            answer = call.pending.result(max(patience_s - waited_s, _MIN_WAIT_S))
            context.comparison.require_sane(answer, batch)
        except DetectorError as error:
            _log.warning("challenger: %s", error)
            context.comparison.note_call(frames, error, challenger=True)
            self._router.suspend_challenger(context.clock.monotonic())
            return error
        context.comparison.note_call(frames, None, challenger=True)
        return batch.to_source(answer, self._application)

    def _fall_back(self, batch: Batch, error: DetectorError) -> SourceAnswer | DetectorError:  # noqa: ARG002
        champion = self._router.table.champion_application(batch.frames[0].camera_id)
        return ModelCalls(champion, self._context).ask(batch)


class _Refused:
    """The `Pending` of a detector that refused the batch."""

    def __init__(self, error: DetectorError) -> None:
        self._error = error

    def result(self, timeout_s: float) -> Answer:  # noqa: ARG002 - as `Pending` has it
        raise self._error
