"""Counts the errors that are logged: who watches the metrics need not read the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ray.util.metrics import Counter

_ROOMS = frozenset({"streetloop", "labeling", "drift", "train", "serve", "flows"})


class ErrorCount(logging.Handler):
    """Adds one to ``streetloop_errors`` for each error that a module of ours logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._errors = Counter(
            "streetloop_errors", "Errors that were logged, by module.", tag_keys=("module",)
        )

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        if record.name.partition(".")[0] in _ROOMS:
            self._errors.inc(tags={"module": record.name})


@contextmanager
def errors_counted() -> Iterator[None]:
    """Count the errors of this process meanwhile."""
    counting = ErrorCount()
    logging.getLogger().addHandler(counting)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(counting)
