"""Runs on a Ray that somebody else started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs.cli import Command, camera_file, processes_of
from tests.support.rollout import wait_for
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay

pytestmark = pytest.mark.ray

STREET = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}


TOKEN = "f00d" * 16


@pytest.fixture(scope="module", params=[None, TOKEN], ids=["open to all", "with a token"])
def foreign(request: pytest.FixtureRequest) -> Iterator[ForeignRay]:
    ray = ForeignRay(request.param)
    yield ray
    ray.close()


@pytest.fixture(autouse=True)
def known_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)


def test_a_run_leaves_a_ray_as_it_was(foreign: ForeignRay, tmp_path: Path) -> None:
    path, home = camera_file(tmp_path, STREET), tmp_path / "home"
    done = Command("run", path, "--address", foreign.address, "--duration", "8", "--json", home=home).finish()
    assert done.code == 0, done.stderr
    assert done.json["cameras"]["crossing"]["detected"] > 0
    assert all(line.endswith(" ...") for line in done.stderr.strip().splitlines()), done.stderr
    wait_for(lambda: not foreign.busy(), "everything of ours ends")
    assert not processes_of(home)
    assert TOKEN not in done.stdout + done.stderr


def test_gpus_that_a_ray_lacks_are_said(foreign: ForeignRay, tmp_path: Path) -> None:
    done = Command("train", "--gpu", "--address", foreign.address, home=tmp_path / "home").finish()
    assert done.code == 2
    (sentence,) = done.stderr.strip().splitlines()
    assert "--gpu: 1 GPU are asked for, and this Ray has 0" in sentence
