"""Writes line counts into the ledger while cameras run."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.line_counts import LineCounts, add_line_counts

_log = logging.getLogger(__name__)

_WRITE_EVERY_S = 2.0


class CountRecorder:
    """Adds counts to the ledger, and keeps those that it could not write for the next time.

    The ledger is opened at the first counts.

    Args:
        ledger: URL of the ledger.
        tell: Called with a sentence when counts cannot be written, and when they are again.
        write_every_s: Time between two writes. Higher writes less often; a process that is killed
            loses the counts, and the coverage, of at most this time.
        now_s: The monotonic clock.

    Attributes:
        faults: What was still not written at `close`.
        covered_s: Seconds in which each line was looked at so far, by camera and name.
    """

    def __init__(
        self,
        ledger: str,
        tell: Callable[[str], None],
        write_every_s: float = _WRITE_EVERY_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._tell = ledger, tell
        self._write_every_s, self._now_s = write_every_s, now_s
        self._ledger: Ledger | None = None
        self._waiting = LineCounts()
        self._due_s = 0.0
        self._error: str | None = None
        self.faults: list[str] = []
        self.covered_s: defaultdict[tuple[str, str], float] = defaultdict(float)

    def take(self, found: LineCounts) -> None:
        """Take counts; a ledger that cannot be written stops nothing."""
        if found:
            self._waiting += found
            for key, covered in found.covered_ms.items():
                self.covered_s[key.camera_id, key.line] += covered / 1000
        if self._waiting and self._now_s() >= self._due_s:
            self._write()

    def close(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._write()
        if self._waiting:
            minutes = self._waiting.minutes
            self.faults.append(f"line counts of {minutes} camera minutes are lost: {self._error}")
        if self._ledger is not None:
            self._ledger.close()

    def _write(self) -> None:
        try:
            if self._ledger is None:
                self._ledger = open_ledger(self._url)
            add_line_counts(self._ledger, self._waiting)
        except LedgerError as error:
            _log.error("line counts are not written, and are kept: %s", error)
            if self._error is None:
                self._tell(f"line counts are kept until the ledger can be written: {error}")
            self._error = str(error)
        else:
            self._waiting = LineCounts()
            if self._error is not None:
                self._tell("line counts are written again; none is lost")
            self._error = None
        self._due_s = self._now_s() + self._write_every_s
