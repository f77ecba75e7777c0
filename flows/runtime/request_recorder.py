"""Writes how requests were answered into the ledger."""

import logging
import threading
from collections import Counter

from streetloop.clock import Clock
from streetloop.errors import LedgerError
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.service.request_counts import RequestCount, add_requests

_log = logging.getLogger(__name__)

COUNTED = frozenset({"/predict"})
_WRITE_EVERY_S = 10.0
_MAX_MINUTES = 1440
_SERVER_ERROR = 500


class RequestRecorder:
    """Counts requests by minute, and writes them every ten seconds on a thread.

    What the ledger does not take waits, for a day at most. A replica that is killed loses what it
    had not written.

    Args:
        ledger: URL of the ledger; it is opened at the first write.
        clock: Time.
    """

    def __init__(self, ledger: str, clock: Clock) -> None:
        self._url, self._clock = ledger, clock
        self._ledger: Ledger | None = None
        self._lock = threading.Lock()
        self._requests: Counter[tuple[int, str]] = Counter()
        self._failed: Counter[tuple[int, str]] = Counter()
        self._thread = PollingThread("requests", self.write, _WRITE_EVERY_S, _log, SayOnce(_log.error))

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def answered(self, route: str | None, status: int) -> None:
        """Count a request; any thread may call it.

        Args:
            route: The template of its path; others than `COUNTED` are not counted.
            status: Of HTTP.
        """
        if route not in COUNTED:
            return
        with self._lock:
            key = (minute_of(self._clock.now()), str(route))
            self._requests[key] += 1
            self._failed[key] += status >= _SERVER_ERROR
            if len(self._requests) > _MAX_MINUTES:
                self._forget(min(self._requests))

    def write(self) -> None:
        """Write what was counted.

        Raises:
            LedgerError: The ledger did not take it; it waits for the next time.
        """
        with self._lock:
            found = {key: RequestCount(n, self._failed[key]) for key, n in self._requests.items()}
            self._requests.clear()
            self._failed.clear()
        if not found:
            return
        try:
            self._ledger = self._ledger or open_ledger(self._url)
            add_requests(self._ledger, found)
        except LedgerError:
            with self._lock:
                for key, count in found.items():
                    self._requests[key] += count.requests
                    self._failed[key] += count.failed
            raise

    def _forget(self, key: tuple[int, str]) -> None:
        del self._requests[key], self._failed[key]
