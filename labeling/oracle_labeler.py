"""A labeler that knows the ground truth of the simulated city, with human-like errors."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from labeling.answers import Answer, Labeled, Skipped
from streetloop.city.oracle import Oracle
from streetloop.city.world.rng import draw
from streetloop.clock import Clock
from streetloop.errors import ConfigError, LabelerError
from streetloop.ledger.reviews import AskedFrame, FrameRecord
from streetloop.types import Detections

_NAME = "oracle"


@dataclass(frozen=True, slots=True)
class Flaws:
    """Errors that the oracle makes.

    Attributes:
        delay_s: Seconds from push to answer.
        missed: Share of objects that it misses, 0 to 1.
        wrong_class: Share of objects that it gives a wrong class, 0 to 1.
        jitter: Standard deviation of a box's sides, as a share of its size.
    """

    delay_s: float = 0.0
    missed: float = 0.0
    wrong_class: float = 0.0
    jitter: float = 0.0


class OracleLabeler:
    """A `labeling.labeler.Labeler` for frames of the simulated city.

    Classes of the city that the model of a frame does not have are left out.

    Args:
        clock: The current time.
        flaws: Its errors; the same frame always gets the same ones.
        find: Finds a frame by digest, such as one that was pushed before a restart.
    """

    def __init__(
        self, clock: Clock, flaws: Flaws = Flaws(), find: Callable[[str], FrameRecord | None] = lambda _: None
    ) -> None:
        self._clock = clock
        self._flaws = flaws
        self._find = find
        self._asked: dict[str, tuple[FrameRecord, datetime]] = {}
        self._truth = Oracle()

    def push(self, frames: Sequence[FrameRecord], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; a frame that is not of the city does not hold the others back."""
        elsewhere = next((frame.camera_id for frame in frames if "uri" not in frame.origin), None)
        for frame in frames:
            if "uri" not in frame.origin:
                continue
            self._asked.setdefault(frame.digest, (frame, self._clock.now()))
            pushed(frame.digest)
        if elsewhere is not None:
            raise LabelerError(f"the oracle knows the simulated city alone; {elsewhere} is elsewhere")

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        """See `Labeler.pull`; its answers never change."""
        answers: list[Answer] = []
        for digest in [one.digest for one in asked if one.answered_at is None]:
            if digest not in self._asked:
                frame = self._find(digest)  # pushed before a restart
                if frame is None:
                    continue
                self._asked[digest] = (frame, frame.pushed_at or self._clock.now())
            frame, since = self._asked[digest]
            if (self._clock.now() - since).total_seconds() >= self._flaws.delay_s:
                answers.append(self._answer(frame))
                del self._asked[digest]
        return answers

    def _answer(self, frame: FrameRecord) -> Answer:
        try:
            truth = self._truth.truth(str(frame.origin["uri"]), int(frame.origin["frame"]))
        except (ConfigError, KeyError, ValueError):
            return Skipped(frame.digest, _NAME, self._clock.now())
        rng = draw("oracle", frame.digest)
        boxes: list[tuple[float, float, float, float]] = []
        class_ids: list[int] = []
        classes = frame.classes
        for one in truth.clear():
            if one.class_name not in classes or rng.random() < self._flaws.missed:
                continue
            class_id = classes.index(one.class_name)
            if rng.random() < self._flaws.wrong_class:
                class_id = (class_id + rng.randrange(1, max(len(classes), 2))) % len(classes)
            boxes.append(_shaken(one.xyxy, self._flaws.jitter, rng))
            class_ids.append(class_id)
        limits = np.array([frame.width, frame.height] * 2, np.float32)
        found = Detections(
            np.clip(np.array(boxes, np.float32).reshape(-1, 4), 0, limits).astype(np.float32),
            np.ones(len(boxes), np.float32),
            np.array(class_ids, np.int64),
        )
        return Labeled(frame.digest, found, classes, _NAME, self._clock.now())


def _shaken(xyxy: Sequence[float], jitter: float, rng: random.Random) -> tuple[float, float, float, float]:
    """A box with its sides moved at random; at least a pixel wide and high."""
    left, top, right, bottom = xyxy
    dx, dy = (right - left) * jitter, (bottom - top) * jitter
    x1, y1, x2, y2 = (side + rng.gauss(0, size) for side, size in zip(xyxy, (dx, dy, dx, dy), strict=True))
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
