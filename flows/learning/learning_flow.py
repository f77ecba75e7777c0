"""The learning flow: runs unattended from drift or new labels to a new champion.

::

    labeling <-> training -> rollout -> promoted
                   |           |-> rolled back
                   |-> refused by the judge
    a failed step is retried with growing pauses, then the run is parked with the reason
    a refused one is parked at once: nothing becomes of it before somebody acts

A run is of all cameras, or of one city: if its cameras alone drifted, if its schedule is due, or
if a person asks. It learns from the city's labels, starts from the common champion, and is rolled
out on the city's cameras.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.learning.learning_spans import record_step
from flows.learning.training_plan import TrainingRequest
from flows.learning.triggers import Triggers, city_of, place_of
from serve.rollout.control.request import request_rollout
from serve.rollout.policy import Policy
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.errors import (
    ConfigError,
    DatasetError,
    DatasetInvalid,
    LearningError,
    RolloutError,
    StreetloopError,
    TooFewToJudge,
)
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.host.processes import in_background
from streetloop.ledger import Ledger
from streetloop.ledger.learning import (
    LearningRun,
    Step,
    begin_learning,
    change_trigger,
    go_on,
    note_failure,
    open_learning,
)
from streetloop.ledger.rollouts import RolloutState, list_rollouts, open_rollout
from streetloop.settings import Settings
from train.fine_tuning.recipe import THREADS

_log = logging.getLogger(__name__)

_STEP_EVERY_S = 1.0
_CLOSE_S = 10.0
_MAX_ATTEMPTS = 3
_FIRST_RETRY_S = 30.0
_TOO_FEW = "too_few_labels"  # how many there were when a training could not be accepted


@dataclass(frozen=True, slots=True)
class Learned:
    """Result of a training.

    Attributes:
        version: Registry version of the candidate.
        accepted: Whether the judge accepted it as a challenger.
        reasons: The judge's reasons.
    """

    version: int
    accepted: bool
    reasons: Sequence[str]


class LearningFlow:
    """Advances the open learning run once a second, on a thread of its own.

    The ledger stores every step before it begins, so that a killed process resumes the run.

    Args:
        settings: The triggers, limits and options of learning.
        ledger: Holds runs, labels, findings and rollouts.
        train: Trains, judges and registers; may take hours. After a restart it is called again
            with the same name, and resumes that training.
        policy: What a rollout must show.
        clock: The current time.
        tell: Called with each message for the user.
        cameras: Called for the cameras that run, which say what cities there are.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        train: Callable[[TrainingRequest], Learned],
        policy: Policy,
        clock: Clock,
        tell: Callable[[str], None],
        cameras: Callable[[], Sequence[Camera]] = tuple,
    ) -> None:
        self._settings, self._ledger, self._train = settings, ledger, train
        self._policy, self._clock, self._tell, self._cameras = policy, clock, tell, cameras
        self._triggers = Triggers(settings, ledger, cameras, clock.now())
        self._work: Future[Learned] | None = None
        self._thread = PollingThread("learning", self.step, _STEP_EVERY_S, _log, SayOnce(tell))

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop; the run resumes after the next start."""
        self._thread.close(_CLOSE_S)

    def step(self) -> None:
        """Advance the open run by one step, or begin one if something triggers it.

        Raises:
            LedgerError: The ledger did not answer.
        """
        run = open_learning(self._ledger)
        if run is None:
            self._begin_if_asked()
            return
        if run.next_at is not None and self._clock.now() < run.next_at:
            return
        if run.step is Step.LABELING:
            self._label(run)
        elif run.step is Step.TRAINING:
            self._learn(run)
        elif run.step is Step.ROLLOUT:
            self._roll_out(run)

    def _begin_if_asked(self) -> None:
        now = self._clock.now()
        trigger = self._triggers.due(now)
        if trigger is None:
            return
        run = begin_learning(self._ledger, f"learn-{now:%Y%m%dT%H%M%SZ}", trigger, now)
        self._tell(f"learning run {run.id} begins: {trigger['because']}")

    # Steps

    def _label(self, run: LearningRun) -> None:
        run = self._widened(run)
        of_drift, city = run.trigger["kind"] == "drift", city_of(run.trigger)
        count = self._triggers.labels(city, of_drift=of_drift)
        settings = self._settings
        enough = count >= (settings.learn_drift_labels if of_drift else settings.learn_labels)
        more = self._triggers.labels(city) > run.detail.get(_TOO_FEW, 0)
        if more and (enough or run.trigger["kind"] in {"a person", "schedule"}):
            self._to(run, Step.TRAINING, reason=f"{count} frames are labeled")

    def _widened(self, run: LearningRun) -> LearningRun:
        """For all cameras, if what was found in one city was found in others meanwhile, too."""
        if run.trigger["kind"] != "drift" or city_of(run.trigger) is None:
            return run
        now = self._triggers.of_drift()
        if now is None or city_of(now) is not None:
            return run
        self._tell(f"learning run {run.id} is for all cities: {now['because']}")
        return change_trigger(self._ledger, run, now)

    def _learn(self, run: LearningRun) -> None:
        if self._work is None:
            trigger = {**run.trigger, "learning_run": run.id}
            # Training threads wait for each other: all are as slow as the one on the busiest core.
            threads = max(1, self._settings.threads - 1)
            recipe = {THREADS: threads, **self._settings.learn_recipe}
            try:
                place = place_of(self._cameras(), city_of(run.trigger))
            except LearningError as nowhere:
                self._failed(run, nowhere)
                return
            request = TrainingRequest(
                run.name, trigger=trigger, recipe=recipe, classes=self._settings.classes, place=place
            )
            self._work = in_background("learning", lambda: self._train(request))
            return
        if not self._work.done():
            return
        work, self._work = self._work, None
        error = work.exception()
        if isinstance(error, TooFewToJudge):  # more labels help, another attempt does not
            too_few = {_TOO_FEW: self._triggers.labels(city_of(run.trigger))}
            self._to(run, Step.LABELING, too_few, str(error))
            return
        if error is not None:
            self._failed(run, error)
            return
        learned = work.result()
        found = {"version": learned.version, "verdict": list(learned.reasons)}
        why = "; ".join(learned.reasons)
        self._to(run, Step.ROLLOUT if learned.accepted else Step.REFUSED, found, why)

    def _roll_out(self, run: LearningRun) -> None:
        version = str(run.detail["version"])
        mine = [r for r in list_rollouts(self._ledger) if r.id == run.detail.get("rollout")]
        if not mine:
            self._ask_for_rollout(run, version)
        elif mine[0].state is RolloutState.PROMOTED:
            city = city_of(run.trigger)
            where = "" if city is None else f" of {city}"
            self._to(run, Step.PROMOTED, reason=f"version {version} is the champion{where}")
        elif mine[0].state is RolloutState.ROLLED_BACK:
            self._to(run, Step.ROLLED_BACK, reason=f"version {version} was sent back")

    def _ask_for_rollout(self, run: LearningRun, version: str) -> None:
        there = open_rollout(self._ledger)
        if there is not None and there.model == version:  # asked for just before a restart
            self._to(run, Step.ROLLOUT, {"rollout": there.id})
            return
        try:
            rollout = request_rollout(
                self._settings, self._ledger, version, self._policy, "learning flow", city_of(run.trigger)
            )
        except RolloutError as error:
            self._failed(run, error)
            return
        self._to(run, Step.ROLLOUT, {"rollout": rollout.id})

    def _failed(self, run: LearningRun, error: BaseException) -> None:
        sentence = str(error) if isinstance(error, StreetloopError) else repr(error)
        if _is_refusal(error):
            self._to(run, Step.PARKED, {"parked": str(run.step)}, f"{run.step} was refused: {sentence}")
            return
        if run.attempts + 1 >= _MAX_ATTEMPTS:
            reason = f"{run.step} failed {_MAX_ATTEMPTS} times: {sentence}"
            self._to(run, Step.PARKED, {"parked": str(run.step)}, reason)
            return
        pause = timedelta(seconds=_FIRST_RETRY_S * 4**run.attempts)
        note_failure(self._ledger, run, sentence, self._now() + pause)
        self._tell(f"learning run {run.id}: {run.step} failed, and is tried again: {sentence}")

    def _to(
        self, run: LearningRun, step: Step, detail: Mapping[str, Any] | None = None, reason: str | None = None
    ) -> None:
        now = self._now()
        go_on(self._ledger, run, step, now, detail, reason)
        if step is not run.step:
            record_step(run, step, now, {**run.detail, **(detail or {})})
            self._tell(f"learning run {run.id}: {step}" + (f": {reason}" if reason else ""))

    def _now(self) -> datetime:
        return self._clock.now()


def _is_refusal(error: BaseException) -> bool:
    """True if another attempt with the same labels, settings and models ends alike.

    A dataset that is invalid may be so because the store, which has its images, was away.
    """
    asked_wrongly = isinstance(error, (ConfigError, DatasetError, LearningError))
    return asked_wrongly and not isinstance(error, DatasetInvalid)
