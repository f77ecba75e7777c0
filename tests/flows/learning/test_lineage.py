"""Where a version comes from, and whether it can be made again, with the real parts."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.learning.lineage import lineage
from streetloop.errors import DatasetError, RegistryError
from tests.flows.conftest import Chain
from tests.support.samples.frames import NOON
from train.model.find_model import open_registry
from train.model_registry import CHALLENGER

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def _asked(chain: Chain, *arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], env=chain.environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_version_leads_back_to_the_drift_that_asked_for_it(chain: Chain) -> None:
    newest, first = _asked(chain, "lineage", "challenger")
    assert (newest["number"], first["number"], newest["parent"]) == (2, 1, 1)
    assert newest["trigger"]["slices"] == ["night"]
    (finding,) = newest["trigger"]["findings"]
    assert finding["causes"] == ["night", "dirty lens"]
    assert finding["since"] == NOON.isoformat()
    dataset = newest["dataset"]
    assert finding["camera"] in dataset["cameras"]
    assert len(dataset["cameras"]) == 4
    assert dataset["labelers"] == {"oracle": 60}
    assert dataset["splits"] == {"train": 48, "val": 12}
    assert dataset["slices"] == {"night": 60}
    assert first["trigger"] == {"kind": "first champion"}


def test_people_can_read_it(chain: Chain) -> None:
    shown = CliRunner().invoke(app, ["lineage", "2"], env=chain.environment).stdout
    for word in ("version 2", "version 1", "night", "oracle 60", "dataset"):
        assert word in shown


def test_a_dataset_that_is_gone_is_said(chain: Chain, tmp_path: Any) -> None:
    elsewhere = chain.settings.model_copy(
        update={"home": tmp_path, "tracking_uri": _secret(chain.settings.tracking)}
    )
    assert "no dataset begins" in lineage(elsewhere, "2")[0]["dataset"]["problem"]


def test_unknown_versions_are_refused(chain: Chain) -> None:
    with pytest.raises(RegistryError, match="'77'"):
        lineage(chain.settings, "77")


def test_a_first_champion_cannot_be_made_again(chain: Chain) -> None:
    from flows.learning.reproduction import reproduce

    with pytest.raises(DatasetError, match="has no parent"):
        reproduce(chain.settings, "1", lambda _: None, lambda _: None)


def test_a_version_is_made_again_to_the_last_bit(chain: Chain) -> None:
    found = _asked(chain, "reproduce", "2")
    assert found["version"] == 2
    assert (found["equal"], found["largest"]) == (True, 0.0), found
    for before, again in found["scores"].values():
        assert before == again
    registry = open_registry(chain.settings)
    assert registry.find(CHALLENGER).number == 2, "a copy challenges nobody"
    assert registry.find(str(found["again"])).record.trigger["of"] == 2


def _secret(value: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(value)
