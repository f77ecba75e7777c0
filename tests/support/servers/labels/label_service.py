"""A home folder with a queue of frames, a labeler, and the messages so far."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from labeling.label_loop import LabelLoop
from labeling.labeler import Labeler
from labeling.older_frames import OlderFrames
from labeling.queue import ReviewQueue
from streetloop.causes import Cause
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.reviews import ReviewState
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import CLASSES, NOON, FakeLabeler
from tests.support.stream_flow.fakes import FakeClock

SHIPPED = ("person", "cycle", "car", "truck", "bus")
"""Classes of the model that the settings name by default."""


class LabelSetup:
    """A home folder with a queue.

    Attributes:
        known: Class names of models that are on record.

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
        self.older = OlderFrames(self.ledger, lambda _: self.known, CLASSES, SHIPPED)
        self.queue = ReviewQueue(self.ledger, self.clock)
        self.people = FakeLabeler()
        self.said: list[str] = []

    def loop(self, labeler: Labeler | None, store: FolderStore | None = None) -> LabelLoop:
        """A label loop of this setup."""
        where, tell = store or self.store, self.said.append
        return LabelLoop(self.queue, where, labeler, self.settings, self.ledger, self.older, tell)

    def count(self, state: ReviewState) -> int:
        """How many frames are there."""
        return self.queue.counts()[state]

    def finding(self, camera: str, causes: list[str], asks: bool) -> None:
        """A camera drifts."""
        open_finding(self.ledger, camera, NOON, NOON, "m-1", [Cause(name, 0.9) for name in causes], asks, {})
