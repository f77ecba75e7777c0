"""A home folder with a queue of frames, a labeler, and the messages so far."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from labeling.class_guard import LabelGuard
from labeling.label_loop import LabelLoop
from labeling.labeler import Labeler
from labeling.queue import ReviewQueue
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.reviews import ReviewState
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.fakes import FakeClock
from tests.support.frames import NOON, FakeLabeler

CLASSES = ["car", "bus"]


class LabelSetup:
    """A home folder with a queue; the model m-1 is open there, whose classes are `CLASSES`.

    Attributes:
        known: Class names of other models that are on record.

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
        self.known: dict[str, Sequence[str]] = {"m-2": CLASSES}
        self.guard = LabelGuard("m-1", CLASSES, lambda _: self.known)
        self.queue = ReviewQueue(self.ledger, self.clock, fits=self.guard.fits)
        self.people = FakeLabeler()
        self.said: list[str] = []

    def loop(self, labeler: Labeler | None, store: FolderStore | None = None) -> LabelLoop:
        """A label loop of this setup."""
        where, tell = store or self.store, self.said.append
        return LabelLoop(self.queue, where, labeler, self.settings, self.ledger, self.guard, tell)

    def count(self, state: ReviewState) -> int:
        """How many frames are there."""
        return self.queue.counts()[state]

    def finding(self, camera: str, causes: list[str], asks: bool) -> None:
        """A camera drifts."""
        open_finding(self.ledger, camera, NOON, NOON, "m-1", causes, asks, {})
