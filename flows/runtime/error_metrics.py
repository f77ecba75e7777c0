"""The metric ``streetloop_errors``: how many errors were logged."""

import logging
from collections import Counter as CounterOf
from collections.abc import Iterator
from contextlib import contextmanager

from ray.util.metrics import Counter

_PACKAGES = frozenset({"streetloop", "labeling", "drift", "train", "serve", "flows"})


class ErrorCount(logging.Handler):
    """Counts each error that a module of this project logs, also as Ray's ``streetloop_errors``.

    Attributes:
        counts: Errors so far, by module.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.counts: CounterOf[str] = CounterOf()
        self._errors = Counter(
            "streetloop_errors", "Errors that were logged, by module.", tag_keys=("module",)
        )

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        if record.name.partition(".")[0] in _PACKAGES:
            self.counts[record.name] += 1
            self._errors.inc(tags={"module": record.name})


@contextmanager
def errors_counted() -> Iterator[ErrorCount]:
    """Count the errors of this process within the ``with`` block."""
    counting = ErrorCount()
    logging.getLogger().addHandler(counting)
    try:
        yield counting
    finally:
        logging.getLogger().removeHandler(counting)
