"""The model card of the baseline, written from its figures."""

from collections.abc import Mapping
from typing import Any

from streetloop.city.render.shapes import CLASSES

_TEXT = """# Baseline detector

A YOLO nano detector (3 million parameters) of the simulated city **by day**. It comes along so that
streetloop runs with no download, and so that there is something to improve: it was shown no night,
no rain and no fog, and the table says what that costs. It knows no real street.

| | |
|---|---|
| version | `{version}` |
| classes | {classes} |
| made by | `{command}` (`make baseline`), {minutes} minutes on two cores |
| starts from | yolov8n.pt as Ultralytics publishes it, sha256 `{start}` |
| training pictures | {train_images} of {train_cameras} cameras, seeds from 0, digest `{train}` |
| drawn by | the city as of commit `{commit}` |
| validation pictures | {val_images} of the same cameras, other seeds, digest `{val}` |
| options | {options} |
| licence | AGPL-3.0, as Ultralytics' |

## Measured

On cameras and seeds that nothing was chosen by: the last camera of each city, {held_out_images}
pictures a condition, `baseline.pt` exported to ONNX and run as it is served, at 640. COCO's mAP50;
what could hardly be seen counts neither way.

| condition | mAP50 | mAP50-95 | {class_columns} |
|---|---|---|{bars}
{rows}

`python -m train.baseline --measure-only` measures again and writes this card.

## Not for

Real streets, people's faces, decisions about anybody.
"""


def card_text(content: Mapping[str, Any], sizes: Mapping[str, int]) -> str:
    """The model card of a trained baseline as Markdown.

    Args:
        content: What `train.baseline` writes to ``card.json``.
        sizes: Numbers of images and cameras.
    """
    made_of = content["made_of"]
    rows = [
        f"| {condition} | {score['map50']:.3f} | {score['map50_95']:.3f} | "
        + " | ".join(f"{score[name]:.3f}" for name in CLASSES)
        + " |"
        for condition, score in content["held_out"].items()
    ]
    return _TEXT.format(
        **made_of,
        **sizes,
        version=content["version"],
        classes=", ".join(CLASSES),
        options=", ".join(f"{name} {value}" for name, value in content["options"].items()),
        class_columns=" | ".join(CLASSES),
        bars="---|" * len(CLASSES),
        rows="\n".join(rows),
    )
