"""Batches that wait at one detector are computed as one."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from serve.detector.client import Answer
from streetloop.types import Image


@dataclass(slots=True, eq=False)
class _Waiting:
    images: Image | None
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of one image; None of what is no batch."""
        return None if self.images is None else self.images.shape[1:]

    @property
    def size(self) -> int:
        """Number of images; 0 of what is no batch."""
        return 0 if self.images is None else len(self.images)


class MergedBatches:
    """Computes on one thread, in order; batches of one shape that wait together are merged.

    Workers of quiet cameras send small batches, and a GPU computes eight images in little more time
    than one. A processor computes them one after the other, so that merging would only let the
    first wait for the last: there ``most`` is 1.

    Args:
        compute: Answers a batch (B, H, W, 3).
        most: Images of a merged batch, at most. Higher has more throughput and more lag. A batch
            that is larger by itself is computed by itself.
    """

    def __init__(self, compute: Callable[[Image], Answer], most: int) -> None:
        self._compute, self._most = compute, most
        self._waiting: deque[_Waiting] = deque()
        self._ready = threading.Condition()
        threading.Thread(target=self._run, name="inference", daemon=True).start()

    def submit(self, images: Image) -> "Future[Answer]":
        """Answer a batch (B, H, W, 3); its seconds are its share of those of the merged one."""
        return self._add(_Waiting(images, lambda: self._compute(images)))

    def call(self, work: Callable[[], Any]) -> "Future[Any]":
        """Do something else between two batches."""
        return self._add(_Waiting(None, work))

    def _add(self, one: _Waiting) -> "Future[Any]":
        with self._ready:
            self._waiting.append(one)
            self._ready.notify()
        return one.future

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._waiting)
                chosen = self._choose()
            running = [one for one in chosen if one.future.set_running_or_notify_cancel()]
            if len(running) == 1 or not self._answered_together(running):
                for one in running:
                    _do(one)

    def _choose(self) -> list[_Waiting]:
        """The first that waits, and what may be merged with it."""
        chosen = [self._waiting.popleft()]
        shape, size = chosen[0].shape, chosen[0].size
        for other in [] if shape is None else list(self._waiting):
            if other.shape == shape and size + other.size <= self._most:
                self._waiting.remove(other)
                chosen.append(other)
                size += other.size
        return chosen

    def _answered_together(self, batches: list[_Waiting]) -> bool:
        """Answer several as one; False if that failed, so that each is to be tried by itself."""
        try:
            whole = self._compute(np.concatenate([one.images for one in batches if one.images is not None]))
        except Exception:  # noqa: BLE001 - each fails by itself then, or does not
            return False
        start = 0
        for one in batches:
            found = whole.detections[start : start + one.size]
            share = whole.seconds * one.size / len(whole.detections)
            one.future.set_result(replace(whole, detections=found, seconds=share))
            start += one.size
        return True


def _do(one: _Waiting) -> None:
    try:
        one.future.set_result(one.work())
    except Exception as error:  # noqa: BLE001 - the boundary of the thread: whoever waits is told
        one.future.set_exception(error)
