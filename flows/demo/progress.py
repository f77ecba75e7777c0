"""How far a demo is: what people read at the bottom of the terminal, and when it is over."""

import time
from collections.abc import Callable, Sequence

from serve.rollout.rollout_record import parse_summary
from streetloop.control.versions.training import time_to_go
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.learning import ENDED, LearningRun, Step, list_learning
from streetloop.ledger.reviews import count_labeled
from streetloop.ledger.rollouts import list_rollouts
from train.fine_tuning.recipe import Progress

_AFTERWARDS_S = 38.0  # the middle of a window of the true curve at least
_OVER = {*ENDED, Step.PARKED}
_LEFT_S = {"drift": 560, Step.LABELING: 500, Step.TRAINING: 450, Step.ROLLOUT: 95}
"""Seconds to the end from the begin of each step on two cores; said until more is known."""


class DemoProgress:
    """Asked twice a second whether the demo is over; tells how far it is meanwhile.

    Args:
        ledger: Where the learning run is.
        labels: How many frames a training needs.
        show: Called with one sentence, which takes the place of the last.
    """

    def __init__(self, ledger: Ledger, labels: int, show: Callable[[str], None]) -> None:
        self._ledger, self._labels, self._show = ledger, labels, show
        self.began = time.time()
        self.steps: dict[str, float] = {}
        self._training: Progress | None = None
        self._trained_since = 0.0

    def __call__(self) -> bool:
        """Whether it is over: some seconds after the learning run."""
        passed = time.time() - self.began
        if "drift" not in self.steps:
            opened = [f.opened_at.timestamp() for f in list_findings(self._ledger)]
            if opened:
                self.steps["drift"] = min(opened) - self.began
        run = run_of_story(list_learning(self._ledger))
        if run is not None and str(run.step) not in self.steps:
            self.steps[str(run.step)] = passed
        over = run is not None and run.step in _OVER
        self._show("the new champion at work" if over else self._sentence(run, passed))
        return run is not None and over and passed - self.steps[str(run.step)] > _AFTERWARDS_S

    def progress(self, now: Progress) -> None:
        """Note how far a training is."""
        self._trained_since = self._trained_since or time.time()
        self._training = now

    def _sentence(self, run: LearningRun | None, passed: float) -> str:
        if run is None:
            return "watching; " + time_to_go(_LEFT_S["drift"] + 60 - passed)
        step = run.step
        if step is Step.TRAINING and self._training is not None:
            return self._trains(self._training)
        left = time_to_go(_LEFT_S.get(step, 0) - (passed - self.steps[str(step)]))
        if step is Step.LABELING:
            done = min(count_labeled(self._ledger, of_drift=True), self._labels)
            return f"labeling: {done} of {self._labels} frames of night; {left}"
        if step is Step.ROLLOUT:
            newest = list_rollouts(self._ledger, 1)
            waits_for = parse_summary(newest[0]).waits_for if newest else ()
            return f"rollout: waiting for {waits_for[0]}; {left}" if waits_for else f"rollout; {left}"
        return f"{step}; {left}"

    def _trains(self, now: Progress) -> str:
        done = (now.epoch + now.share) / now.epochs
        if done >= 1:
            return "judging the new model on frames that it did not learn; " + time_to_go(100)
        passed = time.time() - self._trained_since
        left = passed / done - passed if done > 0.02 else _LEFT_S[Step.TRAINING] - 100
        return f"training: epoch {now.epoch + 1} of {now.epochs}, {done:.0%}; {time_to_go(left + 100)}"


def run_of_story(runs: Sequence[LearningRun]) -> LearningRun | None:
    """The learning run that the demo tells of: the first that is over, or else the newest.

    Another may begin at once, for cities on which night was found later; the story is told by then.

    Args:
        runs: All so far, the newest first.
    """
    over = [run for run in runs if run.step in _OVER]
    return over[-1] if over else next(iter(runs), None)
