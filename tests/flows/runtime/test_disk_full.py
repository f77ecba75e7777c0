"""A training on a disk that is full: a small file system of its own, filled to the last bytes."""

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import flows.learning.training_job
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest
from streetloop.errors import StreetloopError
from streetloop.ledger import Ledger, open_ledger
from streetloop.settings import Settings
from tests.support.learning import SMALL, WeakHome
from train.fine_tuning.recipe import Training
from train.model.find_model import open_registry

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

_MB = 2**20


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def settings(disk: Path, weak_home: WeakHome, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home on the disk with labels; the registry, which fails in its own way, is elsewhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    home = weak_home.copy(disk / "home").home
    shutil.move(home / "ledger.db", elsewhere)
    return Settings.model_validate(
        {
            "home": home,
            "model": str(weak_home.model),
            "image_size": 160,
            "tracking_uri": f"sqlite:///{elsewhere / 'mlflow.db'}",
            "ledger_url": f"sqlite:///{elsewhere / 'ledger.db'}",
        }
    )


@contextlib.contextmanager
def _only(disk: Path, free_bytes: int) -> Iterator[None]:
    """Leave so many bytes free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        part = b"\0" * _MB
        while shutil.disk_usage(disk).free > free_bytes + _MB:
            file.write(part)
        file.write(b"\0" * max(0, shutil.disk_usage(disk).free - free_bytes))
    try:
        yield
    finally:
        ballast.unlink()


def _train(settings: Settings, ledger: Ledger, name: str) -> None:
    train_model(settings, ledger, TrainingRequest(name, recipe=SMALL), lambda _: None, lambda _: None)


@pytest.mark.usefixtures("shared_ray")
def test_a_disk_that_fills_up_is_one_clear_sentence_and_costs_nothing(
    settings: Settings, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first file, while checkpoints are written, and when going on with them."""
    ledger = open_ledger(settings.ledger)
    # Each retry is a new process that imports PyTorch, and finds the same disk.
    monkeypatch.setattr(flows.learning.training_job, "Training", partial(Training, retries=1))
    for free in (500 * 1024, 60 * _MB, 2 * _MB):
        with _only(disk, free), pytest.raises(StreetloopError) as caught:
            _train(settings, ledger, "first")
        assert re.search("No space left on device|disk of .* is full", str(caught.value))
        assert "\n" not in str(caught.value)
    assert len(open_registry(settings).versions()) == 1
    _train(settings, ledger, "first")
    assert open_registry(settings).find("2").record.parent == 1
