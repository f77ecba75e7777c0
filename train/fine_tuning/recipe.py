"""The options and the progress of a training; plain values that need no Ray."""

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

With ``threads`` they make a training on a CPU repeatable.
"""

BLEND = "blend"
"""Own option: weight of the trained network in the interpolation with the champion's, 0 to 1.

Lower forgets less and learns less. Reference: Wortsman et al., "Robust fine-tuning of zero-shot
models", 2022.
"""

BLEND_WITHOUT_REPLAY = 0.5
"""`BLEND` by default where a start knows more than the dataset that could be replayed.

The middle, which Wortsman et al. recommend where there is no data to choose by.
"""

THREADS = "threads"
"""Own option: CPU threads of each worker; by default as many as Ultralytics takes.

Another number adds floats in another order, so a repeated training needs the same.
"""


def default_recipe(*, replays: bool) -> dict[str, Any]:
    """The default options of a training.

    >>> default_recipe(replays=True)["blend"], default_recipe(replays=False)["blend"]
    (0.6, 0.5)

    Args:
        replays: True if the dataset has what the start was first trained on; False for a published
            checkpoint, which forgets more.
    """
    return RECIPE if replays else {**RECIPE, BLEND: BLEND_WITHOUT_REPLAY}


@dataclass(frozen=True, slots=True)
class Training:
    """The options of a training.

    Attributes:
        name: Its name; a training of the same name resumes.
        start: Checkpoint to start from.
        data: A YOLO ``data.yaml`` with absolute paths.
        folder: Keeps checkpoints and curves; on a cluster all machines must see it.
        recipe: Ultralytics' options, `BLEND` and `THREADS`.
        workers: Workers that share each batch; more are faster and give the same model.
        gpu: True gives each worker a GPU; False trains on CPUs.
        retries: Worker failures after which the training resumes; one more ends it.
        judged: Ids of the classes by whose mAP50-95 the best epoch is chosen, and by which a
            training stops early; None for all.
    """

    name: str
    start: Path
    data: Path
    folder: Path
    recipe: Mapping[str, Any] = field(default_factory=lambda: dict(RECIPE))
    workers: int = 1
    gpu: bool = False
    retries: int = 3
    judged: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training.

    Attributes:
        epoch: The current one, from 0.
        epochs: Number of epochs.
        share: Done of the current epoch, 0 to 1.
        numbers: Losses by name; at the end of an epoch also mAP.
        epoch_over: True at the end of an epoch.
    """

    epoch: int
    epochs: int
    share: float
    numbers: Mapping[str, float]
    epoch_over: bool = False
