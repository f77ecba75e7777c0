"""The API over a real service."""

import pytest
from fastapi.testclient import TestClient

from tests.support.control_service import Content, Screens, api_of, jpeg
from tests.support.control_service import content as content
from tests.support.control_service import empty as empty


@pytest.fixture
def screens() -> Screens:
    """One camera shows a picture."""
    return Screens(a40=(3, jpeg()))


@pytest.fixture
def client(content: Content, screens: Screens) -> TestClient:
    return api_of(content, screens=screens)
