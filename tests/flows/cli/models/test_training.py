"""What the commands about models print."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.control.views import ModelView
from streetloop.errors import ConfigError, TrainingError
from tests.flows.conftest import Chain

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def test_models_are_listed(chain: Chain) -> None:
    rows = json.loads(CliRunner().invoke(app, ["models", "--json"], env=chain.environment).stdout)
    first, second = sorted(rows, key=lambda row: row["number"])[:2]
    assert list(first) == list(ModelView.model_fields)
    assert (first["aliases"], first["parent"]) == (["champion"], None)
    assert (second["aliases"], second["parent"]) == (["challenger"], 1)
    assert second["dataset"] == chain.said["dataset"]
    assert second["scores"]["map50/all"] > second["champion_scores"]["map50/all"]
    assert (first["lacks"], second["lacks"]) == ([], [])
    shown = CliRunner().invoke(app, ["models"], env={**chain.environment, "COLUMNS": "160"}).stdout
    assert "challenger" in shown
    assert f"({second['champion_scores']['map50/all']:.3f})" in shown
    assert chain.said["dataset"][:12] in shown


def test_a_registered_version_is_evaluated_by_alias(chain: Chain) -> None:
    result = CliRunner().invoke(
        app, ["evaluate", "challenger", chain.said["dataset"][:16], "--json"], env=chain.environment
    )
    content = json.loads(result.stdout)
    assert content["images"] == 12
    # Interpolated alike, on the same frames: the judge's figure.
    assert content["map50"] == pytest.approx(chain.said["gains"]["all"]["candidate"], abs=1e-3)


def test_no_versions_is_said() -> None:
    assert "no versions yet" in CliRunner().invoke(app, ["models"]).stdout


@pytest.mark.parametrize("name", ["../up", "a b", "", "x" * 80])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    from flows.learning.training_plan import read_plan
    from streetloop.settings import Settings

    with pytest.raises(ConfigError, match="a name is letters"):
        read_plan(Settings(), name)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"papers": {}}'])
def test_a_file_that_no_training_left_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "x.papers.json"
    file.write_text(content)
    result = CliRunner().invoke(app, ["train", "--register", str(file)])
    assert isinstance(result.exception, TrainingError)
    assert "is not what a training left" in str(result.exception)


def test_a_mapping_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["train", "--map", "bike"])
    assert isinstance(result.exception, ConfigError)
    assert "write ONE=OTHER" in str(result.exception)
