"""The oracle: a labeller that knows the truth of the simulated city, with a person's flaws."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from labeling.task import Answer, Labeled, Skipped, Task
from streetloop.city.oracle import Oracle
from streetloop.city.world.rng import draw
from streetloop.clock import Clock
from streetloop.errors import ConfigError, LabelerError
from streetloop.types import Detections

_NAME = "oracle"


@dataclass(frozen=True, slots=True)
class Flaws:
    """What the oracle gets wrong.

    Attributes:
        delay_s: Seconds from question to answer.
        missed: Share of things that it overlooks.
        wrong_class: Share of things that it calls something else.
        jitter: Standard deviation of a box's sides, as a share of its size.
    """

    delay_s: float = 0.0
    missed: float = 0.0
    wrong_class: float = 0.0
    jitter: float = 0.0


class OracleLabeler:
    """A `labeling.labeler.Labeler` for frames of the simulated city.

    Args:
        classes: Class names by class id; classes of the city that are not among them are left out.
        clock: Time.
        flaws: What it gets wrong; the same frame is always got wrong the same way.
        tasks: Finds a task by digest, after a restart too, and when it was asked.
    """

    def __init__(
        self,
        classes: Sequence[str],
        clock: Clock,
        flaws: Flaws = Flaws(),
        tasks: Callable[[str], Task | None] = lambda _: None,
    ) -> None:
        self._classes = list(classes)
        self._clock = clock
        self._flaws = flaws
        self._find = tasks
        self._asked: dict[str, tuple[Task, datetime]] = {}
        self._truth = Oracle()

    def push(self, tasks: Sequence[Task], pushed: Callable[[str], None]) -> None:
        """See `Labeler.push`; a frame from elsewhere does not keep the others back."""
        elsewhere = next((task.camera_id for task in tasks if "uri" not in task.origin), None)
        for task in tasks:
            if "uri" not in task.origin:
                continue
            self._asked.setdefault(task.digest, (task, self._clock.now()))
            pushed(task.digest)
        if elsewhere is not None:
            raise LabelerError(f"the oracle knows the simulated city alone; {elsewhere} is elsewhere")

    def pull(self, waiting: Collection[str]) -> list[Answer]:
        """See `Labeler.pull`."""
        answers: list[Answer] = []
        for digest in waiting:
            if digest not in self._asked:
                task = self._find(digest)  # asked before a restart
                if task is None:
                    continue
                self._asked[digest] = (task, task.asked_at or self._clock.now())
            task, since = self._asked[digest]
            if (self._clock.now() - since).total_seconds() >= self._flaws.delay_s:
                answers.append(self._answer(task))
                del self._asked[digest]
        return answers

    def _answer(self, task: Task) -> Answer:
        try:
            truth = self._truth.truth(str(task.origin["uri"]), int(task.origin["frame"]))
        except (ConfigError, KeyError, ValueError):
            return Skipped(task.digest, _NAME, self._clock.now())
        rng = draw("oracle", task.digest)
        boxes: list[tuple[float, float, float, float]] = []
        class_ids: list[int] = []
        for thing in truth.clear():
            if thing.class_name not in self._classes or rng.random() < self._flaws.missed:
                continue
            class_id = self._classes.index(thing.class_name)
            if rng.random() < self._flaws.wrong_class:
                class_id = (class_id + rng.randrange(1, max(len(self._classes), 2))) % len(self._classes)
            left, top, right, bottom = thing.xyxy
            dx, dy = (right - left) * self._flaws.jitter, (bottom - top) * self._flaws.jitter
            noise = [rng.gauss(0, size) for size in (dx, dy, dx, dy)]
            box = [side + n for side, n in zip(thing.xyxy, noise, strict=True)]
            boxes.append((box[0], box[1], max(box[2], box[0] + 1), max(box[3], box[1] + 1)))
            class_ids.append(class_id)
        xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        limits = np.array([task.width, task.height] * 2, np.float32)
        found = Detections(
            np.clip(xyxy, 0, limits).astype(np.float32),
            np.ones(len(boxes), np.float32),
            np.array(class_ids, np.int64),
        )
        return Labeled(task.digest, found, _NAME, self._clock.now())
