"""One Label Studio for all tests that want one, with a project each."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streetloop.store import FolderStore
from tests.support import label_studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[label_studio.Studio]:
    """A running Label Studio; a test that kills it starts it again."""
    yield from label_studio.start(tmp_path_factory.mktemp("studio"))


@pytest.fixture
def title() -> str:
    """A project that no other test uses."""
    return f"test {uuid.uuid4().hex[:12]}"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where the frames are."""
    return FolderStore(tmp_path / "store")
