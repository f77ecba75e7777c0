"""A home with a queue of frames, somebody who labels, and what was said."""

from datetime import timedelta
from pathlib import Path

from labeling.label_loop import LabelLoop
from labeling.labeler import Labeler
from labeling.queue import ReviewQueue
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.reviews import ReviewState
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.fakes import FakeClock
from tests.support.frames import NOON, WebApp

CLASSES = ["car", "bus"]


class ControlService:
    """A home with a queue.

    Args:
        home: Its folder.
        settings: Other than the usual ones.
    """

    def __init__(self, home: Path, **settings: object) -> None:
        given = {"home": home, "label_budget": 10, "label_every_s": 1} | settings
        self.settings = Settings.model_validate(given)
        self.store = FolderStore(self.settings.store)
        self.ledger = open_ledger(self.settings.ledger)
        self.clock = FakeClock(NOON + timedelta(hours=1))
        self.queue = ReviewQueue(self.ledger, self.clock)
        self.desk = WebApp()
        self.said: list[str] = []

    def loop(self, labeler: Labeler | None, store: FolderStore | None = None) -> LabelLoop:
        """Labels by themselves, in this house."""
        where, tell = store or self.store, self.said.append
        return LabelLoop(self.queue, where, labeler, self.settings, self.ledger, CLASSES, tell)

    def count(self, state: ReviewState) -> int:
        """How many frames are there."""
        return self.queue.counts()[state]

    def finding(self, camera: str, causes: list[str], asks: bool) -> None:
        """A camera drifts."""
        open_finding(self.ledger, camera, NOON, NOON, "m-1", causes, asks, {})
