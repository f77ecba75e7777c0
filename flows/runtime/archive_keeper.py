"""Removes old video, logs and whatever else has a rule, while streams run."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from flows.archive.prune import plan_prune, prune
from flows.service.data_retention import plan_data_removal, remove_data
from streetloop.cameras.camera_file import Camera
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store

_log = logging.getLogger(__name__)

_HOUR_S = 3600.0


def archive_keeper(
    settings: Settings, cameras: Callable[[], Sequence[Camera]], tell: Callable[[str], None]
) -> PollingThread:
    """A thread that applies the rules of retention every ``archive_prune_h`` hours.

    Args:
        settings: Where the archive is, and its rules.
        cameras: Called for the cameras that run now; they may have rules of their own.
        tell: Called with a sentence once something cannot be removed.
    """

    def step() -> None:
        ledger = open_ledger(settings.ledger)
        try:
            now, store = datetime.now(UTC), open_store(settings)
            prune(ledger, store, plan_prune(ledger, settings, cameras(), now))
            remove_data(ledger, store, settings, plan_data_removal(ledger, store, settings, now))
        finally:
            ledger.close()

    period_s = settings.archive_prune_h * _HOUR_S
    return PollingThread("retention of the archive", step, period_s, _log, SayOnce(tell))
