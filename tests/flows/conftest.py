"""A control service, empty or full, and one real training with its record."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

import flows.learning.training_job
from flows.cli.main import app
from streetloop.ledger import open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.settings import Settings
from tests.support.control_service import content as content
from tests.support.control_service import empty as empty
from tests.support.frames import NOON
from tests.support.learning import SMALL, add_labels, write_weak_model
from train.fine_tuning.recipe import RECIPE
from train.model.model_file import open_model


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
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A weak champion, sixty labeled frames of cameras on which night fell, one training."""
    home = tmp_path_factory.mktemp("chain")
    weak = write_weak_model(home / "weak.pt")
    environment = {
        "STREETLOOP_HOME": str(home),
        "STREETLOOP_MODEL": str(weak),
        "STREETLOOP_IMAGE_SIZE": "160",
    }
    settings = Settings(home=home, model=str(weak), image_size=160)
    ledger = open_ledger(settings.ledger)
    version = open_model(str(weak), settings.models).version
    labels = add_labels(settings, ledger, version)
    drifted = labels[0].camera_id
    open_finding(ledger, drifted, NOON, NOON, version, ["night", "dirty lens"], True, {})
    open_finding(ledger, "elsewhere", NOON, NOON, version, ["night"], True, {})
    ledger.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows.learning.training_job, "RECIPE", {**RECIPE, **SMALL})
        result = CliRunner().invoke(
            app, ["train", "--name", "first", "--json"], env=environment, catch_exceptions=False
        )
    assert result.exit_code == 0, result.output
    digests = frozenset(review.digest for review in labels)
    return Chain(settings, json.loads(result.stdout), environment, digests)
