"""Sinks whose errors stop nothing but themselves."""

import logging
from collections.abc import Callable, Sequence

from flows.stream.analysis.results import Result, Sink
from streetloop.errors import StreetloopError

_log = logging.getLogger(__name__)

_MAX_FAULTS = 5


class IsolatedSinks:
    """A `Sink` that passes results on to others, and notes the errors that they raise.

    Args:
        sinks: Called in this order; an error of one does not keep the result from the next.

    Attributes:
        faults: Distinct error messages so far, five at most.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self.faults: list[str] = []

    def take(self, result: Result) -> None:
        """See `Sink.take`; raises nothing."""
        for sink in self._sinks:
            self._call(sink.take, result)

    def close(self) -> None:
        """See `Sink.close`; raises nothing."""
        for sink in self._sinks:
            self._call(sink.close)

    def _call(self, call: Callable[..., None], *args: Result) -> None:
        try:
            call(*args)
        except StreetloopError as error:
            self._note(str(error), error)
        except Exception as error:  # noqa: BLE001
            # The boundary of a sink: whatever fails in one must not stop the streams.
            self._note(f"{type(error).__name__}: {error}", error)

    def _note(self, fault: str, error: Exception) -> None:
        """Log and keep each message once: a sink may fail at every frame."""
        if len(self.faults) < _MAX_FAULTS and fault not in self.faults:
            self.faults.append(fault)
            _log.error("a sink failed: %s", fault, exc_info=error)
