"""Labeled frames of the simulated city, and a detector that has much to learn from few."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from labeling.appearance import EMBEDDING
from streetloop.boxes import to_boxes
from streetloop.city.render.shapes import CLASSES
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, add_reviews
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import NOON
from train.data.dataset import TRAIN
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.model.model_file import _BASELINE_FILE, open_model
from train.ultralytics_adapter import prepare

SMALL: dict[str, Any] = {
    "epochs": 2,
    "imgsz": 160,
    "batch": 8,
    "nbs": 8,
    "lr0": 0.01,
    "freeze": 22,
    "mosaic": 0,
    "close_mosaic": 0,
}
"""Options with which a detector's head is learned in seconds."""

SOON_BETTER: dict[str, Any] = {**SMALL, "epochs": 5, "lr0": 0.001, "imgsz": 320, "blend": 1.0}
"""Options with which `write_weak_model` learns enough to be let in."""

SOON_PROMOTED: dict[str, Any] = {
    "steps": [0.5, 1.0],
    "sample": 0.5,
    "block_s": 3.0,
    "minutes": 0.05,
    "frames": 10,
    "harmful_errors": 0.1,
    "latency": 5.0,
    "margin": 0.9,  # what is learned in seconds is better in all, and not in every class
    "track_minutes": 10_000,
}
"""A policy that lets in what `SOON_BETTER` made of it, within a minute."""


@dataclass(frozen=True)
class WeakHome:
    """A home with sixty labeled frames of cameras on which night fell, and a weak model.

    Attributes:
        folder: The home; nobody changes it.
        model: The model, outside of the home.
        version: Of the model.
    """

    folder: Path
    model: Path
    version: str

    def copy(self, home: Path) -> Settings:
        """A home of one's own with all of that; its settings."""
        shutil.copytree(self.folder, home)
        return Settings(home=home, model=str(self.model), image_size=160)


def write_weak_home(folder: Path) -> WeakHome:
    """Write the model, its export and the labels."""
    settings = Settings(home=folder / "home", model=str(write_weak_model(folder / "weak.pt")))
    ledger = open_ledger(settings.ledger)
    version = open_model(settings.model, settings.models).version
    add_labels(settings, ledger, version)
    ledger.close()
    return WeakHome(settings.home, folder / "weak.pt", version)


_REFERENCE = ".reference.npz"


def write_weak_model(path: Path) -> Path:
    """The baseline, but that its head has forgotten which class is which."""
    import torch  # takes seconds: only where needed

    prepare()  # or Ultralytics, which it is full of, changes how this process opens pictures
    content = torch.load(_BASELINE_FILE, map_location="cpu", weights_only=False)
    torch.manual_seed(0)
    for branch in content["model"].model[-1].cv3:
        torch.nn.init.normal_(branch[-1].weight, std=0.01)
    torch.save(content, path)
    shutil.copy(_BASELINE_FILE.with_suffix(_REFERENCE), path.with_suffix(_REFERENCE))
    return path


def add_labels(
    settings: Settings,
    ledger: Ledger,
    model_version: str,
    *,
    frames: int = 15,
    cameras: int = 4,
    first_seed: int = 0,
    drift: str = "night",
    classes: tuple[str, ...] = CLASSES,
) -> list[FrameRecord]:
    """Frames that were asked about and labeled, a minute apart, as the oracle would.

    Class ids are those of `CLASSES`, whatever ``classes`` says that they are called.
    """
    split = Split("labels", TRAIN_CAMERAS[:cameras], first_seed, frames, "day")
    examples = gather_split(split, FolderStore(settings.store), TRAIN)
    found = [
        FrameRecord(
            digest=e.image,
            image_key=e.key,
            width=e.width,
            height=e.height,
            camera_id=e.camera_id,
            captured_at=NOON + timedelta(minutes=number),
            reason=SelectionReason.UNSURE,
            score=0.5,
            model_version=model_version,
            boxes=(),
            fingerprint=np.zeros(4, np.uint64),
            embedding=np.zeros(EMBEDDING, np.float32),
            drift=drift,
            origin={"uri": "sim://somewhere"},
            classes=classes,
            state=ReviewState.LABELED,
            labeler="oracle",
            label=to_boxes(e.truth()),
        )
        for number, e in enumerate(examples)
    ]
    add_reviews(ledger, found)
    return found
