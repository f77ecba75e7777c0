"""The API over a real house."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.house import Content, Screens, api_of, jpeg


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Content]:
    """Two cameras in the file, and nothing else."""
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


@pytest.fixture
def content(empty: Content) -> Content:
    """Everything there can be, but for a registry."""
    return empty.fill()


@pytest.fixture
def screens() -> Screens:
    """One camera shows a picture."""
    return Screens(a40=(3, jpeg()))


@pytest.fixture
def client(content: Content, screens: Screens) -> TestClient:
    return api_of(content, screens=screens)
