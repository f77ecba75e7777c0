"""Plots of an evaluation, and its worst frames as pictures."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from streetloop.errors import ConfigError
from streetloop.images import encode_jpeg
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Image
from train.data.dataset import Example
from train.evaluation.metrics import Report
from train.model.predictions import read_image

_TRUTH_COLOUR, _DETECTION_COLOUR = (80, 200, 80), (60, 60, 230)
_SHOWN_CONFIDENCE = 0.25


def write_plots(
    folder: Path, report: Report, examples: Sequence[Example], found: Sequence[Detections], store: ObjectStore
) -> None:
    """Write precision by recall, the confusion matrix and the worst frames.

    Args:
        folder: Receives the files.
        report: The evaluation.
        examples: Its images.
        found: What the model found in each.
        store: Gives the images.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _curves(report).savefig(folder / "precision_recall.png", dpi=120)
        _confusion(report).savefig(folder / "confusion.png", dpi=120)
        for rank, number in enumerate(report.worst):
            image = _drawn(read_image(examples[number], store), examples[number], found[number])
            name = f"worst_{rank:02d}_{examples[number].image[:12]}.jpg"
            (folder / name).write_bytes(encode_jpeg(image))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from error


def _curves(report: Report) -> Figure:
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots()
    order = sorted(report.curves, key=lambda name: -report.by_class[name].map50)
    for name in order[:10]:
        curve = report.curves[name]
        label = f"{name} ({report.by_class[name].map50:.2f})"
        axes.plot(curve.recall.tolist(), curve.precision.tolist(), label=label, linewidth=1.6)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("precision by recall at IoU 0.50 (mAP50)", fontsize=10, loc="left")
    axes.grid(alpha=0.25)
    if order:
        axes.legend(fontsize=8, loc="lower left")
    return figure


def _confusion(report: Report) -> Figure:
    counts = report.confusion
    shown = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1) > 0)[:16]
    names = [*report.classes, "nothing"]
    part = counts[np.ix_(shown, shown)]
    share = part / np.maximum(part.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.55 * len(shown)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = list(range(len(shown)))
    axes.set_xticks(ticks, [names[k] for k in shown], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(ticks, [names[k] for k in shown], fontsize=8)
    axes.set(xlabel="found", ylabel="true")
    axes.set_title("boxes shown at confidence 0.25", fontsize=10, loc="left")
    for y in ticks:
        for x in ticks:
            if part[y, x]:
                colour = "white" if share[y, x] > 0.5 else "black"
                axes.text(x, y, str(part[y, x]), ha="center", va="center", fontsize=7, color=colour)
    return figure


def _drawn(image: Image, example: Example, found: Detections) -> Image:
    """Truth in green, what was found in red."""
    drawn = image.copy()
    shown = found.take(found.confidence >= _SHOWN_CONFIDENCE)
    for xyxy, colour in ((example.truth().xyxy, _TRUTH_COLOUR), (shown.xyxy, _DETECTION_COLOUR)):
        for x1, y1, x2, y2 in xyxy.round().astype(int).tolist():
            cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, 1)
    return drawn
