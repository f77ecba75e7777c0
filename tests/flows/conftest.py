"""A control service, empty or full, and one real training with its record."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import flows.learning.training_job
from flows.cli.main import app
from streetloop.causes import Cause
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.settings import Settings
from tests.support.control_service import content as content
from tests.support.control_service import empty as empty
from tests.support.learning import SMALL, WeakHome, write_weak_home
from tests.support.samples.frames import NOON
from train.fine_tuning.recipe import RECIPE


@dataclass(frozen=True)
class Chain:
    """What `streetloop train` came to.

    Attributes:
        settings: Of its home.
        said: What it printed as JSON.
        environment: For the command line.
        digests: Of the frames that were labeled.
    """

    settings: Settings
    said: dict[str, Any]
    environment: dict[str, str]
    digests: frozenset[str]


@pytest.fixture(scope="session")
def weak_home(tmp_path_factory: pytest.TempPathFactory) -> WeakHome:
    """Sixty labeled frames and a weak model, written once; a test takes a copy."""
    return write_weak_home(tmp_path_factory.mktemp("weak"))


@pytest.fixture
def weak(weak_home: WeakHome, tmp_path: Path) -> Settings:
    """A home with a weak model and labels."""
    return weak_home.copy(tmp_path / "home")


@pytest.fixture(scope="session")
def chain(weak_home: WeakHome, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A weak champion, sixty labeled frames of cameras on which night fell, one training."""
    settings = weak_home.copy(tmp_path_factory.mktemp("chain") / "home")
    environment = {
        "STREETLOOP_HOME": str(settings.home),
        "STREETLOOP_MODEL": settings.model,
        "STREETLOOP_IMAGE_SIZE": "160",
    }
    ledger = open_ledger(settings.ledger)
    labels = list_reviews(ledger, [ReviewState.LABELED])
    drifted, version = labels[0].camera_id, weak_home.version
    open_finding(
        ledger, drifted, NOON, NOON, version, [Cause("night", 0.6), Cause("dirty lens", 0.4)], True, {}
    )
    open_finding(ledger, "elsewhere", NOON, NOON, version, [Cause("night", 0.9)], True, {})
    ledger.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.learning.training_job, "default_recipe", lambda replays: {**RECIPE, **SMALL})
        result = CliRunner().invoke(
            app, ["train", "--name", "first", "--json"], env=environment, catch_exceptions=False
        )
    assert result.exit_code == 0, result.output
    digests = frozenset(review.digest for review in labels)
    return Chain(settings, json.loads(result.stdout), environment, digests)
