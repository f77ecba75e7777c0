"""A dry run counts what the baseline's registration would draw, as the training does."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from flows.learning.readiness import _faults, _with_replay
from streetloop.settings import BASELINE, Settings
from streetloop.storage.store import FolderStore
from tests.train.data.test_dataset import example
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.model_registry import Version, VersionRecord

CLASSES = ("car", "bus")


def test_what_only_the_replay_has_is_not_missing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    champion = Version(0, datetime.now(UTC), "", (), VersionRecord("", None, CLASSES, ""))
    settings = Settings(home=tmp_path, model=BASELINE)
    learned = example(store, 1, TRAIN, boxes=())
    for own in (learned, example(store, 2, VALIDATION)):
        dataset = Dataset(CLASSES, (own,))
        assert _faults(dataset, store, CLASSES), "alone it cannot be learned from"
        assert _faults(_with_replay(dataset, settings, champion), store, CLASSES) == []
    lost = Dataset(CLASSES, (replace(learned, key="frames/lost.png"),))
    (fault,) = _faults(_with_replay(lost, settings, champion), store, CLASSES)
    assert "is not in the object store" in fault
