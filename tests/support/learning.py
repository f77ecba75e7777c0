"""Labeled frames of the simulated city, and a detector that has much to learn from few."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from streetloop.boxes import to_boxes
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, add_reviews
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.frames import NOON
from train.data.dataset import TRAIN
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.model.model_file import _BASELINE_FILE
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

SOON_BETTER: dict[str, Any] = {**SMALL, "epochs": 6, "lr0": 0.001, "imgsz": 320, "blend": 1.0}
"""Options with which `write_weak_model` learns enough to be let in."""

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
) -> list[FrameRecord]:
    """Frames that were asked about and labeled, a minute apart, as the oracle would."""
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
            embedding=np.zeros(1, np.float32),
            drift=drift,
            origin={"uri": "sim://somewhere"},
            state=ReviewState.LABELED,
            labeler="oracle",
            label=to_boxes(e.truth()),
        )
        for number, e in enumerate(examples)
    ]
    add_reviews(ledger, found)
    return found
