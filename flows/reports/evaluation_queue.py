"""Runs the evaluations that were asked for over HTTP, one at a time, beside running streams."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias

from streetloop.clock import Clock, SystemClock
from streetloop.errors import LedgerError, StoreError, StreetloopError
from streetloop.host.output import foreign_output_to
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.host.processes import in_background, in_own_process
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.evaluations import (
    EvaluationRun,
    fail_evaluation,
    fail_running_evaluations,
    finish_evaluation,
    note_evaluation_progress,
    start_next_evaluation,
)
from streetloop.settings import Settings, change_settings

_log = logging.getLogger(__name__)

EvaluateRun: TypeAlias = Callable[[Settings, EvaluationRun], dict[str, Any]]
"""Evaluates; the JSON of the report. May take hours."""

OUTPUT = "evaluation.log"
"""File in the home: what libraries print in the process that evaluates."""

_INTERRUPTED = "interrupted: the run ended before it was done"
_LOOK_EVERY_S = 1.0
_PROGRESS_EVERY_S = 1.0
_CLOSE_S = 10.0


def evaluate_apart(settings: Settings, run: EvaluationRun) -> dict[str, Any]:
    """Evaluate in a process of its own, which gets the CPU time that the streams leave.

    Raises:
        ProcessDied: It was killed, or ran out of memory.
        StreetloopError: The evaluation failed.
    """
    return in_own_process(evaluate_here, settings, run)


def evaluate_here(settings: Settings, run: EvaluationRun) -> dict[str, Any]:
    """Evaluate in this process, and write its progress into the ledger.

    Curves and frames go into the object store, for whoever compares two versions.

    Returns:
        What ``streetloop evaluate --json`` prints.

    Raises:
        StreetloopError: It failed, or was given up meanwhile.
    """
    # They load the runtimes of models, which takes seconds and memory: only in this process.
    from flows.reports.evaluation import EvaluationRequest, evaluate_model, open_labels
    from streetloop.storage.open import open_store
    from train.evaluation.kept_evaluation import evaluation_key, keep_evaluation, kept_evaluation

    options = run.options
    request = EvaluationRequest(
        run.dataset, options.get("map", {}), options.get("classes"), options.get("split")
    )
    changed = change_settings(settings, image_size=options.get("image_size"))
    with foreign_output_to(settings.home / OUTPUT):
        store = open_store(settings)
        total = len(open_labels(request, store).examples)
        told = _Progress(open_ledger(settings.ledger), run.id, total)
        done = evaluate_model(run.model, request, changed, None, None, told)
        kept = kept_evaluation(done.report, done.examples, done.found)
        try:
            keep_evaluation(store, evaluation_key(run.id, run.asked_at), kept)
        except StoreError as error:  # the report is there all the same
            _log.warning("curves and frames of evaluation %d are not kept: %s", run.id, error)
        return done.as_json()


class EvaluationQueue:
    """Takes evaluations from the ledger, one at a time, on a thread of its own.

    What ran when a process was killed is failed at the next start; what waited goes on waiting.

    Args:
        settings: Where state is kept.
        tell: Called with a sentence for people.
        evaluate: Evaluates.
        clock: The current time.

    Raises:
        LedgerError: The ledger cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Callable[[str], None],
        evaluate: EvaluateRun = evaluate_apart,
        clock: Clock | None = None,
    ) -> None:
        self._settings, self._evaluate = settings, evaluate
        self._ledger, self._clock = open_ledger(settings.ledger), clock or SystemClock()
        self._run: EvaluationRun | None = None
        self._work: Future[dict[str, Any]] | None = None
        self._thread = PollingThread("evaluations", self.step, _LOOK_EVERY_S, _log, SayOnce(tell))

    def start(self) -> None:
        """Fail what was interrupted, and start the thread.

        Raises:
            LedgerError: The ledger did not answer.
        """
        fail_running_evaluations(self._ledger, _INTERRUPTED, self._clock.now())
        self._thread.start()

    def step(self) -> None:
        """Begin the evaluation that waits longest, or write down what came of the one that ran.

        Raises:
            LedgerError: The ledger did not answer.
        """
        if self._run is None or self._work is None:
            run = start_next_evaluation(self._ledger, self._clock.now())
            if run is not None:
                self._run = run
                self._work = in_background("evaluation", lambda: self._evaluate(self._settings, run))
        elif self._work.done():
            self._write_down(self._run, self._work)
            self._run = self._work = None

    def close(self) -> None:
        """Stop. An evaluation that runs is failed; its process ends with this one at the latest."""
        self._thread.close(_CLOSE_S)
        try:
            if self._run is not None and self._work is not None and self._work.done():
                self._write_down(self._run, self._work)
            elif self._run is not None:
                fail_evaluation(self._ledger, self._run.id, _INTERRUPTED, self._clock.now())
        except LedgerError as error:  # the next start fails it
            _log.warning("%s", error)
        self._ledger.close()

    def _write_down(self, run: EvaluationRun, work: "Future[dict[str, Any]]") -> None:
        error = work.exception()
        if error is None:
            finish_evaluation(self._ledger, run.id, work.result(), self._clock.now())
            return
        if not isinstance(error, StreetloopError):
            _log.error("evaluation %d failed", run.id, exc_info=error)
        sentence = str(error) if isinstance(error, StreetloopError) else f"it failed: {error!r}"
        fail_evaluation(self._ledger, run.id, sentence, self._clock.now())


class _Progress:
    """Writes how far an evaluation is into the ledger, once a second at most.

    Args:
        ledger: The ledger.
        number: The evaluation.
        total: Number of its images.
    """

    def __init__(self, ledger: Ledger, number: int, total: int) -> None:
        self._ledger, self._number, self._total = ledger, number, total
        self._due = time.monotonic()

    def __call__(self, done: int) -> None:
        """Take the number of images that are done.

        Raises:
            StreetloopError: The evaluation was given up.
        """
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _PROGRESS_EVERY_S
        if not note_evaluation_progress(self._ledger, self._number, done / self._total):
            raise StreetloopError(_INTERRUPTED)
