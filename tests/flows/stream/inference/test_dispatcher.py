"""A dispatcher by itself: callables in, callbacks out, and no pipeline around it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from flows.stream.inference.batch import Batch, SourceAnswer
from flows.stream.inference.batching import pack
from flows.stream.inference.dispatcher import Callbacks, Dispatcher
from flows.stream.inference.pace import Pace
from streetloop.errors import DetectorError
from tests.support.stream_flow.build import frame, plain
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock, eventually

_FAILURE = DetectorError("out of memory")


@dataclass
class _Dispatched:
    """A dispatcher of batches of one frame each, and what its callbacks were passed."""

    answered: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    ends: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(
        self,
        batches: Iterable[Batch | Exception],
        receive: Callable[[int], SourceAnswer | DetectorError],
        pace: Pace | None = None,
    ) -> None:
        """Start a dispatcher; ``receive`` answers the batch with the given frame."""
        rest = iter(batches)

        def take_batch() -> Batch | None:
            batch = next(rest, None)
            if isinstance(batch, Exception):
                raise batch
            return batch

        def send(batch: Batch) -> Callable[[], SourceAnswer | DetectorError]:
            return lambda: receive(_number(batch))

        callbacks = Callbacks(
            lambda batch, _: self.answered.append(_number(batch)), self._fail, self.errors.append, self._end
        )
        Dispatcher("champion", take_batch, send, pace or Pace(0.5, 8), FakeClock(), callbacks).start()

    def _fail(self, batch: Batch, error: DetectorError) -> None:
        self.failed.append(_number(batch))
        self.reasons.append(str(error))

    def _end(self) -> None:
        self.ends += 1
        self.ended.set()


def _number(batch: Batch) -> int:
    return batch.frames[0].frame_id


def _batches(count: int) -> list[Batch]:
    return [pack([frame(k, picture=plain(64, 32))], 64) for k in range(count)]


def _answer(number: int) -> SourceAnswer:
    return SourceAnswer("champion", "model-1", [], 0.01, "fake/fp32", 1)


@pytest.fixture
def dispatched() -> _Dispatched:
    return _Dispatched()


def test_answers_come_in_the_order_of_sending_and_the_end_once(dispatched: _Dispatched) -> None:
    dispatched.run(_batches(20), _answer)
    assert dispatched.ended.wait(PATIENCE_S)
    assert dispatched.answered == list(range(20))
    assert (dispatched.failed, dispatched.errors, dispatched.ends) == ([], [], 1)


def test_a_batch_without_an_answer_is_passed_as_a_failure_with_its_reason(dispatched: _Dispatched) -> None:
    dispatched.run(_batches(5), lambda number: _FAILURE if number == 2 else _answer(number))
    assert dispatched.ended.wait(PATIENCE_S)
    assert (dispatched.answered, dispatched.failed) == ([0, 1, 3, 4], [2])
    assert dispatched.reasons == ["out of memory"]


def test_two_batches_are_in_flight_at_most(dispatched: _Dispatched) -> None:
    go = threading.Event()
    taken: list[Batch] = []

    def receive(number: int) -> SourceAnswer:
        assert go.wait(PATIENCE_S)
        return _answer(number)

    def batches() -> Iterator[Batch]:
        for batch in _batches(6):
            taken.append(batch)
            yield batch

    dispatched.run(batches(), receive)
    eventually(lambda: len(taken) == 2)
    go.set()
    assert dispatched.ended.wait(PATIENCE_S)
    assert len(taken) == len(dispatched.answered) == 6


def test_an_error_while_batches_are_taken_ends_it_after_the_answers_in_flight(
    dispatched: _Dispatched,
) -> None:
    error = ZeroDivisionError("a bug")
    dispatched.run([*_batches(1), error, *_batches(3)], _answer)
    assert dispatched.ended.wait(PATIENCE_S)
    assert (dispatched.answered, dispatched.errors, dispatched.ends) == ([0], [error], 1)


def test_an_error_while_an_answer_is_received_abandons_the_rest(dispatched: _Dispatched) -> None:
    error = ZeroDivisionError("a bug")

    def receive(number: int) -> SourceAnswer:
        raise error

    dispatched.run(_batches(5), receive)
    assert dispatched.ended.wait(PATIENCE_S)
    assert (dispatched.answered, dispatched.failed) == ([], [])
    assert (dispatched.errors, dispatched.ends) == ([error], 1)


def test_the_pace_is_told_the_service_time_of_answered_batches_only(dispatched: _Dispatched) -> None:
    pace = Pace(0.5, 8)
    dispatched.run(_batches(3), lambda _: _FAILURE, pace)
    assert dispatched.ended.wait(PATIENCE_S)
    assert pace.expected_s(1) == 0.5
