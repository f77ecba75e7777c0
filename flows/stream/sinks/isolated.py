"""Sinks whose errors stop nothing but themselves."""

import logging
from collections.abc import Callable, Sequence

from flows.stream.analysis.faults import SINK_FAILED, STORE_FAILED, Fault, FaultBook
from flows.stream.analysis.results import Result, Sink
from streetloop.clock import Clock
from streetloop.errors import StoreError, StreetloopError

_log = logging.getLogger(__name__)


class IsolatedSinks:
    """A `Sink` that passes results on to others, and notes the errors that they raise.

    Args:
        sinks: Called in this order; an error of one does not keep the result from the next.
        clock: Time.
        quiet_s: An error that does not come again for so many seconds is over.
    """

    def __init__(self, sinks: Sequence[Sink], clock: Clock, quiet_s: float) -> None:
        self._sinks = sinks
        self._book = FaultBook(clock, quiet_s)

    def faults(self) -> Sequence[Fault]:
        """The errors so far, one of each kind."""
        return self._book.faults()

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
        except StoreError as error:
            self._note(STORE_FAILED, str(error), error)
        except StreetloopError as error:
            self._note(SINK_FAILED, str(error), error)
        except Exception as error:  # noqa: BLE001
            # The boundary of a sink: whatever fails in one must not stop the streams.
            self._note(SINK_FAILED, f"{type(error).__name__}: {error}", error)

    def _note(self, kind: str, text: str, error: Exception) -> None:
        """Count it, and log the first: a sink may fail at every frame."""
        if self._book.note(kind, text):
            _log.error("a sink failed: %s", text, exc_info=error)
