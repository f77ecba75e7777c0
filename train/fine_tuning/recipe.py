"""What a training is asked for, and how far it is; plain values that need no Ray."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECIPE: dict[str, Any] = {
    "epochs": 4,
    "imgsz": 448,
    "batch": 16,
    "nbs": 16,
    "optimizer": "AdamW",
    "lr0": 0.00015,
    "lrf": 0.05,
    "cos_lr": True,
    "warmup_epochs": 0.5,
    "warmup_bias_lr": 0.0,
    "close_mosaic": 3,
    "hsv_h": 0.01,
    "hsv_s": 0.3,
    "hsv_v": 0.2,
    "scale": 0.4,
    "erasing": 0.0,
    "patience": 5,
    "seed": 7,
    "deterministic": True,
    "cache": "ram",
    "blend": 0.6,
}
"""Ultralytics' options for adding a condition to a detector that knows others, and ``blend``.

With the number of ``threads`` it is all that a training on a CPU can be done again from.
"""

BLEND = "blend"
"""Option of ours: the candidate is so far on the way from the champion's weights to the trained.

What is on that way keeps most of what was learned and loses little of what was known: Wortsman et
al., "Robust fine-tuning of zero-shot models", 2022.
"""

THREADS = "threads"
"""Option of ours: of each worker on a CPU; without it as many as Ultralytics takes.

Other threads add floats in another order, so it belongs to what a training is repeated with.
"""


@dataclass(frozen=True, slots=True)
class Training:
    """What is to be trained.

    Attributes:
        name: Names it; the same name goes on where it was stopped.
        start: Checkpoint to start from.
        data: A YOLO ``data.yaml`` with absolute paths.
        folder: Where checkpoints and curves go; on a cluster one that all machines see.
        recipe: Ultralytics' options, and ours.
        workers: How many train together.
        gpu: Whether each has a GPU.
        retries: How often it goes on after a worker has failed.
    """

    name: str
    start: Path
    data: Path
    folder: Path
    recipe: Mapping[str, Any] = field(default_factory=lambda: dict(RECIPE))
    workers: int = 1
    gpu: bool = False
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes:
        epoch: From 0.
        epochs: How many there will be.
        share: Of the epoch, 0 to 1.
        numbers: Losses while it runs; with them mAP once an epoch is over.
        epoch_over: True if the epoch is.
    """

    epoch: int
    epochs: int
    share: float
    numbers: Mapping[str, float]
    epoch_over: bool = False
