"""Exports of a checkpoint that streetloop does not serve, through Ultralytics.

OpenVINO and TorchScript are checked: their answer to one picture is that of the checkpoint. What
else `yolo export` knows is written as it comes.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streetloop.errors import ModelUnsupported
from train import ultralytics_adapter

CHECKED: Mapping[str, Mapping[str, Any]] = {"openvino": {"dynamic": True}, "torchscript": {}}
"""Formats whose answers are compared, with Ultralytics' options for them."""

_PIXELS, _SCORE = 2.0, 0.02  # a runtime that computes in bfloat16 may differ so much


def export_other(checkpoint: Path, kind: str, target: Path, image_size: int) -> bool:
    """Export a checkpoint in a format of `yolo export`.

    Args:
        checkpoint: The ``.pt`` file.
        kind: The format, such as ``openvino``.
        target: The file, or the folder where a format is one, which must not exist.
        image_size: Sides of the input in pixels, where the format has a fixed one.

    Returns:
        True if the answers were compared; False for a format that is not checked.

    Raises:
        ModelUnsupported: It cannot be exported, or answers something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = {"format": kind, "imgsz": image_size, **CHECKED.get(kind, {})}
        ultralytics_adapter.export_with(checkpoint, options, Path(folder) / "exported")
        written = next((Path(folder) / "exported").iterdir())
        if kind in CHECKED:
            pixels, score = ultralytics_adapter.export_differences(checkpoint, written, image_size)
            if pixels > _PIXELS or score > _SCORE:
                far = f"boxes differ by {pixels:.1f} pixels, scores by {score:.3f}"
                raise ModelUnsupported(f"{target}: {far} from those of the checkpoint")
        move = shutil.copytree if written.is_dir() else shutil.copyfile
        move(written, target)
    return kind in CHECKED
