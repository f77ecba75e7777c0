"""Asks again and again whether what a run depends on answers."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace

import httpx

from flows.runtime.metrics.ledger_reading import LedgerReading, read_ledger
from flows.runtime.metrics.readings import Readings
from flows.runtime.metrics.spool_reading import SpoolReading, read_spool
from flows.stream.recording.recording import spool_of
from labeling.local_server.server import LocalServer
from streetloop.errors import LedgerError, StoreError
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import Ledger, open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store

_log = logging.getLogger(__name__)

PERIOD_S = 10.0
_PATIENCE_S = 4.0
_NOTHING = "health/"  # a prefix without objects: listing it costs a store little
_CLOSE_S = 5.0


class Dependencies:
    """Keeps what the ledger says, and whether what a run depends on answers.

    Args:
        settings: How to reach each.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open_ledger: Ledger | None = None
        self._store = open_store(settings)
        self._ledger: LedgerReading | None = None
        self._up: dict[str, bool] = {}
        self._disk: tuple[int, int] | None = None
        self._spool: SpoolReading | None = None
        self._thread = PollingThread("metrics", self.look, PERIOD_S, _log, SayOnce(_log.warning), self.look)

    def start(self) -> None:
        """Look now and every ten seconds, on a thread."""
        self._thread.start()
        self._thread.wake()

    def look(self) -> None:
        """Ask all of them once."""
        up = {"ledger": self._asks(self._read_ledger), "store": self._asks(self._read_store)}
        if self._settings.people == "label-studio":
            up["label_studio"] = self._asks(self._ask_label_studio)
        if self._settings.tracking.startswith("http"):
            up["mlflow"] = self._asks(self._ask_mlflow)
        self._up = up
        self._disk, self._spool = self._free(), read_spool(spool_of(self._settings))

    def add_to(self, readings: Readings) -> Readings:
        """The readings with what was found at the last look; any thread may call it."""
        return replace(
            readings, ledger=self._ledger, dependencies=self._up, disk=self._disk, spool=self._spool
        )

    def close(self) -> None:
        """Stop looking."""
        self._thread.close(_CLOSE_S)
        if self._open_ledger is not None:
            self._open_ledger.close()

    def _asks(self, ask: Callable[[], object]) -> bool:
        try:
            ask()
        except (LedgerError, StoreError, httpx.HTTPError, OSError) as error:
            _log.info("a dependency does not answer: %s", type(error).__name__)
            return False
        return True

    def _read_ledger(self) -> None:
        self._ledger = None  # what it said before is not what is
        if self._open_ledger is None:
            self._open_ledger = open_ledger(self._settings.ledger, _PATIENCE_S)
        self._ledger = read_ledger(self._open_ledger)
        with self._open_ledger.transaction():
            pass  # another program may hold it: it is read then, and not written

    def _read_store(self) -> None:
        next(iter(self._store.keys(_NOTHING)), None)

    def _ask_label_studio(self) -> None:
        url = self._settings.label_studio_url
        if url is None:
            access = LocalServer(self._settings.home).status()
            if access is None:
                raise OSError("no Label Studio runs on this machine")
            url = access.url
        httpx.get(f"{url.rstrip('/')}/health", timeout=_PATIENCE_S).raise_for_status()

    def _ask_mlflow(self) -> None:
        httpx.get(f"{self._settings.tracking.rstrip('/')}/health", timeout=_PATIENCE_S).raise_for_status()

    def _free(self) -> tuple[int, int] | None:
        try:
            usage = shutil.disk_usage(self._settings.home)
        except OSError:
            return None
        return usage.free, usage.total
