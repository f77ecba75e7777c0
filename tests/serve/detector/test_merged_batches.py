"""What waits at a detector is answered in order, and as one batch where that pays."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import pytest

from serve.detector.client import Answer
from serve.detector.merged_batches import MergedBatches
from streetloop.errors import AnswerInvalid
from streetloop.types import Detections, Image

PATIENCE_S = 60.0


class _Model:
    """Answers each image with as many boxes as its first pixel says; the first batch is held."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, images: Image) -> Answer:
        self.sizes.append(len(images))
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        if any(image[0, 0, 0] == 255 for image in images):
            raise AnswerInvalid("it is no picture")
        counts = [int(image[0, 0, 0]) for image in images]
        boxes = [
            Detections(np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros(n, int)) for n in counts
        ]
        return Answer("m-1", boxes, float(len(images)), "fake/fp32")


@pytest.fixture
def model() -> _Model:
    return _Model()


def batch(*values: int, size: int = 4) -> Image:
    return np.stack([np.full((size, size, 3), value, np.uint8) for value in values])


def waiting(model: _Model, most: int) -> tuple[MergedBatches, Callable[[], None]]:
    """A detector that is busy with a first image; and what lets it go on."""
    merged = MergedBatches(model, most)
    first = merged.submit(batch(0))
    assert model.begun.wait(PATIENCE_S)

    def go_on() -> None:
        model.go_on.set()
        first.result(PATIENCE_S)

    return merged, go_on


def counts(future: "Future[Answer]") -> list[int]:
    return [len(found) for found in future.result(PATIENCE_S).detections]


def test_what_waits_is_one_batch_and_everybody_gets_their_own(model: _Model) -> None:
    merged, go_on = waiting(model, 8)
    asked = [merged.submit(batch(1, 2)), merged.submit(batch(3)), merged.submit(batch(4, 5, 6))]
    go_on()
    assert [counts(one) for one in asked] == [[1, 2], [3], [4, 5, 6]]
    assert model.sizes == [1, 6]
    assert [one.result().seconds for one in asked] == [2.0, 1.0, 3.0]


def test_a_merged_batch_has_a_bound_and_one_shape(model: _Model) -> None:
    merged, go_on = waiting(model, 4)
    asked = [merged.submit(batch(1, 2, 3)), merged.submit(batch(4, 5)), merged.submit(batch(6, size=8))]
    asked.append(merged.submit(batch(7)))
    go_on()
    assert [counts(one) for one in asked] == [[1, 2, 3], [4, 5], [6], [7]]
    assert model.sizes == [1, 4, 2, 1]


def test_on_a_processor_nobody_waits_for_another(model: _Model) -> None:
    merged, go_on = waiting(model, 1)
    asked = [merged.submit(batch(1, 2)), merged.submit(batch(3))]
    go_on()
    assert [counts(one) for one in asked] == [[1, 2], [3]]
    assert model.sizes == [1, 2, 1]


def test_a_bad_batch_fails_alone(model: _Model) -> None:
    merged, go_on = waiting(model, 8)
    good, bad = merged.submit(batch(1)), merged.submit(batch(255))
    go_on()
    assert counts(good) == [1]
    with pytest.raises(AnswerInvalid, match="it is no picture"):
        bad.result(PATIENCE_S)


def test_something_else_is_done_in_its_turn_and_what_is_cancelled_is_not(model: _Model) -> None:
    merged, go_on = waiting(model, 8)
    done: list[str] = []
    merged.submit(batch(1)).cancel()
    between = merged.call(lambda: done.append("between"))
    after = merged.submit(batch(2))
    go_on()
    between.result(PATIENCE_S)
    assert (done, counts(after), model.sizes) == (["between"], [2], [1, 1])
