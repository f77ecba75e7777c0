"""``streetloop evaluate``: how good is a model on a dataset?"""

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from streetloop.errors import ConfigError, DatasetError
from streetloop.images import encode_jpeg
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Image
from train.data.dataset import TEST, VALIDATION, Dataset, Example, load_dataset
from train.data.formats import read_coco, read_yolo
from train.evaluation.coco_map import Map
from train.evaluation.metrics import Report, class_map, evaluate
from train.model.find_model import find_model
from train.model.model_file import ModelFile
from train.model.predictions import predict_examples, read_image

Cluster: TypeAlias = Callable[[], AbstractContextManager[None]]

_TRUTH_COLOUR, _DETECTION_COLOUR = (80, 200, 80), (60, 60, 230)
_SHOWN_CONFIDENCE = 0.25
_MIN_IMAGES_FOR_RAY = 1000  # from this number on, Ray Data predicts


def open_dataset(name: str, store: ObjectStore) -> Dataset:
    """A dataset by its digest, or from a YOLO ``data.yaml`` or a COCO JSON.

    Raises:
        DatasetError: There is none, or it cannot be read.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.is_dir():
        if not path.exists():
            raise DatasetError(f"{path}: no such file")
        return read_yolo(path, store)
    if path.suffix == ".json":
        return read_coco(path, store)
    return load_dataset(store, name)


def evaluate_model(
    model: str,
    dataset: str,
    settings: Settings,
    mapping: Mapping[str, str],
    out: Path | None,
    cluster: Cluster,
) -> Report:
    """Evaluate a model on the images of a dataset that are for validation or test, else on all.

    Args:
        model: A file, a registry version or an alias.
        dataset: A digest, a YOLO ``data.yaml`` or a COCO JSON.
        settings: Input size, and where models and state are kept.
        mapping: Which class of the model is which of the dataset, where names do not say it.
        out: Folder for plots and the worst frames; None for none.
        cluster: Starts Ray for the duration of a `with` block; entered from 1,000 images on, where
            parallel prediction pays for the start.

    Raises:
        DatasetError: The dataset cannot be read, or the classes do not match.
        ModelError: The model cannot be used.
    """
    store = open_store(settings)
    data = open_dataset(dataset, store)
    examples = [e for e in data.examples if e.split in {VALIDATION, TEST}] or list(data.examples)
    file = find_model(model, settings)
    classes = class_map(file.names, data.classes, mapping)
    columns = ("images", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("images", total=len(examples))

        def progress(done: int) -> None:
            bar.update(task, completed=done)

        found = _found(file, examples, store, classes, settings, progress, cluster)
    report = evaluate(data, examples, found)
    if out is not None:
        _write(out, report, examples, found, store)
    return report


def _found(
    model: ModelFile,
    examples: Sequence[Example],
    store: ObjectStore,
    classes: Mapping[int, int],
    settings: Settings,
    progress: Callable[[int], None],
    cluster: Cluster,
) -> list[Detections]:
    if len(examples) < _MIN_IMAGES_FOR_RAY:  # done before a cluster would be up
        return predict_examples(model, examples, store, classes, settings.image_size, progress)
    with contextlib.redirect_stdout(sys.stderr), cluster():
        from train.model.ray_predictions import predict_on_ray  # after Ray's settings are made

        return predict_on_ray(
            model, examples, store, classes, settings.image_size, progress, workers=settings.threads
        )


def print_report(console: Console, report: Report) -> None:
    """Print a report for people."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("mAP50", "mAP50-95"):
        table.add_column(name, justify="right")
    table.add_row(f"all, {report.images} images", *_cells(report.overall), style="bold")
    for name, score in (*report.by_class.items(), *report.by_slice.items()):
        table.add_row(name, *_cells(score))
    console.print(table)


def _cells(score: Map) -> list[str]:
    return [f"{value:.3f}" for value in (score.map50, score.map50_95)]


def _write(
    folder: Path, report: Report, examples: Sequence[Example], found: Sequence[Detections], store: ObjectStore
) -> None:
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
