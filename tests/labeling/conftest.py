"""What tests of labeling share; Label Studio itself is in the conftest of all tests."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from labeling.label_studio.adapter import LabelStudio
from labeling.queue import ReviewQueue
from streetloop.ledger import Ledger, open_ledger
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import NOON
from tests.support.servers.labels.label_studio import Annotator, Make, Studio
from tests.support.stream_flow.fakes import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where the frames are."""
    return FolderStore(tmp_path / "store")


@pytest.fixture
def make(studio: Studio, title: str, store: FolderStore) -> Make:
    """Makes a labeler of the test's project, of the usual parts or others."""

    def labeler(**more: Any) -> LabelStudio:
        given = {"token": studio.access.token, "store": store} | more
        return LabelStudio(studio.access.url, title=title, **given)

    return labeler


@pytest.fixture
def ann(studio: Studio) -> Iterator[Annotator]:
    """Somebody in front of it."""
    with studio.owner() as annotator:
        yield annotator


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one, in ``ledger.db``."""
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def clock() -> FakeClock:
    """Two hours after the first frame."""
    return FakeClock(NOON + timedelta(hours=2))


@pytest.fixture
def queue(ledger: Ledger, clock: FakeClock) -> ReviewQueue:
    """An empty one."""
    return ReviewQueue(ledger, clock)
