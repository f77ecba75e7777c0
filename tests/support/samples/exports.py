"""A real checkpoint as people export it to ONNX with Ultralytics."""

import shutil
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from train import ultralytics_adapter

OPTIONS: dict[str, dict[str, Any]] = {
    "dynamic": {"dynamic": True},
    "fixed": {},
    "small": {"imgsz": 320},
    "wide": {"imgsz": (384, 640)},
    "batch of 4": {"batch": 4},
    "nms": {"nms": True, "dynamic": True},
}
"""Options of the exporter by name; without any it fixes a batch of 1 at 640x640."""


def export(checkpoint: str | Path, name: str, folder: Path) -> Path:
    """Export a checkpoint with `OPTIONS`, once.

    Args:
        checkpoint: Its path, or the name of a network that Ultralytics describes in a YAML.
        name: Of the options.
        folder: Where it goes.
    """
    copy = folder / f"{Path(checkpoint).stem}-{name.replace(' ', '-')}.pt"
    if copy.with_suffix(".onnx").is_file():
        return copy.with_suffix(".onnx")
    ultralytics_adapter.prepare()  # first: it keeps Ultralytics quiet and offline
    from ultralytics import YOLO  # type: ignore[attr-defined]

    if isinstance(checkpoint, str):
        YOLO(checkpoint).save(copy)
    else:
        shutil.copy(checkpoint, copy)
    usual = {"imgsz": 640, "simplify": False, "verbose": False}
    return Path(YOLO(copy).export(format="onnx", **{**usual, **OPTIONS[name]}))


def in_half_precision(path: Path, target: Path) -> Path:
    """The model with float16 images, weights and answers."""
    from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]

    model = onnx.load(path)
    half = convert_float_to_float16(model)
    if not half.metadata_props:
        helper.set_model_props(half, {entry.key: entry.value for entry in model.metadata_props})
    onnx.save(half, target)
    return target
