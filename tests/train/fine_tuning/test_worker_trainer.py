"""A worker's checkpoints are whole, whenever it dies; the best is that of the judged classes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ultralytics.models.yolo.detect import DetectionTrainer

from train.fine_tuning.worker_trainer import WorkerTrainer


@pytest.fixture
def trainer(tmp_path: Path) -> WorkerTrainer:
    """One that has saved an epoch before."""
    made: Any = WorkerTrainer.__new__(WorkerTrainer)
    made.last, made.best = tmp_path / "last.pt", tmp_path / "best.pt"
    for path in (made.last, made.best):
        path.write_bytes(b"the epoch before")
    return made  # type: ignore[no-any-return]


def test_a_checkpoint_replaces_the_one_before(
    trainer: WorkerTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: Any) -> bool:
        self.last.write_bytes(b"this epoch")  # which is not the best
        return True

    monkeypatch.setattr(DetectionTrainer, "save_model", save)
    assert trainer.save_model()
    assert (tmp_path / "last.pt").read_bytes() == b"this epoch"
    assert (tmp_path / "best.pt").read_bytes() == b"the epoch before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt"]


def test_one_that_is_cut_short_leaves_the_one_before(
    trainer: WorkerTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(self: Any) -> bool:
        self.last.write_bytes(b"this ep")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DetectionTrainer, "save_model", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        trainer.save_model()
    assert (tmp_path / "last.pt").read_bytes() == b"the epoch before"
    assert trainer.last == tmp_path / "last.pt"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt"]


@pytest.mark.parametrize(("judged", "fitness"), [(None, 0.5), ((2, 7), 0.2), ((7,), 0.5)])
def test_the_classes_that_are_judged_choose_the_best_epoch(
    trainer: Any, monkeypatch: pytest.MonkeyPatch, judged: tuple[int, ...] | None, fitness: float
) -> None:
    box = SimpleNamespace(ap_class_index=np.array([0, 2]), ap=np.array([0.8, 0.2]))
    validator = SimpleNamespace(metrics=SimpleNamespace(box=box), get_stats=lambda: {"fitness": 0.5})
    monkeypatch.setattr(DetectionTrainer, "get_validator", lambda self: validator)
    trainer._judged = judged
    assert trainer.get_validator().get_stats() == {"fitness": pytest.approx(fitness)}
