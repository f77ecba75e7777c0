"""The progress of a training, kept in the ledger for whoever looks at the learning run."""

import logging
import time
from collections.abc import Callable

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger
from streetloop.ledger.learning import TrainingProgress, note_training
from train.fine_tuning.recipe import Progress

_log = logging.getLogger(__name__)

_EVERY_S = 5.0
_SURE = 0.02  # of the training; before, what is left cannot be told


class ProgressNote:
    """Called with the progress of the training of a learning run.

    Args:
        ledger: The ledger.
        name: Of the learning run.
        seconds: The time.
    """

    def __init__(self, ledger: Ledger, name: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._name, self._seconds = ledger, name, seconds
        self._first: tuple[float, float] | None = None
        self._noted: float | None = None

    def __call__(self, now: Progress) -> None:
        """Note it, every five seconds and at the end of an epoch.

        A training does not end because the ledger is away.
        """
        at, done = self._seconds(), (now.epoch + now.share) / now.epochs
        first = self._first = self._first or (at, done)
        if not now.epoch_over and self._noted is not None and at < self._noted + _EVERY_S:
            return
        self._noted = at
        gone = done - first[1]
        left_s = None if gone < _SURE else (at - first[0]) * (1 - done) / gone
        progress = TrainingProgress(now.epoch + 1, now.epochs, round(done, 3), left_s)
        try:
            note_training(self._ledger, self._name, progress)
        except LedgerError as error:
            _log.warning("the progress of %s was not noted: %s", self._name, error)
