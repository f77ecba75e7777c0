"""``streetloop evaluate``: how good is a model on a dataset?"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from flows.reports.evaluation_plots import write_plots
from streetloop.host.home import require_home
from streetloop.host.output import RAY_OUTPUT, foreign_output_to
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.data.dataset import Dataset, Example
from train.data.joined_classes import JoinedClasses, join_classes
from train.data.open_dataset import judged_examples, open_dataset
from train.evaluation.coco_map import Map
from train.evaluation.joined_boxes import joins_classes, without_doubles
from train.evaluation.metrics import Report, class_map, evaluate, refuse_missing
from train.evaluation.ultralytics_map import WHY_OTHER
from train.model.find_model import find_model, open_registry
from train.model.model_file import ModelFile
from train.model.predictions import predict_examples
from train.model_registry import Version

Cluster: TypeAlias = Callable[[], AbstractContextManager[object]]
"""Starts Ray for the duration of a `with` block."""

ImagesDone: TypeAlias = Callable[[int], None]
"""Called with the number of images that are done."""

_FEW_BOXES = 20  # of a class: below that its best confidence is mostly chance
_MIN_IMAGES_FOR_RAY = 1000  # from this number on, parallel prediction pays for the start of Ray


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is evaluated on what.

    Attributes:
        dataset: A digest, a YOLO ``data.yaml`` or a COCO JSON.
        mapping: The dataset's class by class of the model, where names do not say it.
        classes: Classes of the dataset to score, each with those that it joins; None for all.
        split: One of `train.data.dataset.SPLITS`; None for validation and test, else all.
        images: Folder of the images of a COCO JSON; None for one near it.
    """

    dataset: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, Sequence[str]] | None = None
    split: str | None = None
    images: Path | None = None


@dataclass(frozen=True, slots=True)
class LabeledImages:
    """The part of a dataset that is evaluated on.

    Attributes:
        source: The dataset as it was opened.
        joined: With the wanted split and classes.
        images: Gives the images by key.
        notes: What was mended, one sentence each.
    """

    source: Dataset
    joined: JoinedClasses
    images: ObjectStore
    notes: tuple[str, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """The labeled images."""
        return self.joined.dataset.examples


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation, and what was mended in the labels.

    Attributes:
        report: The metrics.
        notes: One sentence each.
        thresholds: The confidence of the best F1, by class of the model.
        few_boxes: Classes of the dataset whose best confidence rests on few boxes.
        examples: The labeled images.
        found: What the model found in each.
    """

    report: Report
    notes: tuple[str, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    few_boxes: tuple[str, ...] = ()
    examples: Sequence[Example] = ()
    found: Sequence[Detections] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values; null without ground truths."""
        return {**self.report.as_json(), "why_ultralytics_differs": WHY_OTHER, "notes": list(self.notes)}


def open_labels(request: EvaluationRequest, store: ObjectStore) -> LabeledImages:
    """Open the part of a dataset that is asked for.

    Raises:
        DatasetError: It cannot be read, or has no such split or class.
    """
    opened = open_dataset(request.dataset, store, request.images)
    examples = judged_examples(opened.dataset, request.split)
    part = replace(opened.dataset, examples=tuple(examples))
    joined = join_classes(part, request.classes)
    return LabeledImages(opened.dataset, joined, opened.images, opened.notes + joined.notes)


def evaluate_model(
    model: str,
    request: EvaluationRequest,
    settings: Settings,
    out: Path | None,
    cluster: Cluster | None,
    progress: ImagesDone | None = None,
) -> Evaluation:
    """Evaluate a model on a dataset.

    Args:
        model: A file, a registry version or an alias.
        request: On what.
        settings: Input size, and where models and state are kept.
        out: Folder for plots and the worst frames; None for none.
        cluster: Starts Ray; entered from 1,000 images on. None stays in this process.
        progress: Called with the number of images done; None shows a bar on the terminal.

    Raises:
        DatasetError: The dataset cannot be read, or the classes do not match.
        ModelError: The model cannot be used.
    """
    return evaluate_file(find_model(model, settings), request, settings, out, cluster, progress)


def evaluate_file(
    model: ModelFile,
    request: EvaluationRequest,
    settings: Settings,
    out: Path | None,
    cluster: Cluster | None,
    progress: ImagesDone | None = None,
) -> Evaluation:
    """Evaluate an open model file; see `evaluate_model`."""
    labels = open_labels(request, open_store(settings))
    found = detect(model, labels, request.mapping, settings, cluster, progress)
    report = evaluate(labels.joined.dataset, labels.examples, found)
    if out is not None:
        write_plots(out, report, labels.examples, found, labels.images)
    boxes = Counter(box.class_id for e in labels.examples for box in e.boxes if not box.ignored)
    few = tuple(report.classes[k] for k, count in sorted(boxes.items()) if count < _FEW_BOXES)
    best = best_thresholds(model, labels, request.mapping, report)
    return Evaluation(report, labels.notes, best, few, labels.examples, found)


def best_thresholds(
    model: ModelFile, labels: LabeledImages, mapping: Mapping[str, str], report: Report
) -> dict[str, float]:
    """The confidence of the best F1 by class of the model; none where nothing was found right."""
    best = {}
    for own, number in class_ids(model, labels, mapping).items():
        curve = report.curves.get(labels.joined.dataset.classes[number])
        f1, confidence = (0.0, 1.0) if curve is None else curve.best_f1()
        if f1 > 0:
            best[model.names[own]] = round(confidence, 4)
    return best


def keep_thresholds(settings: Settings, version: Version, evaluation: Evaluation) -> str:
    """Write the thresholds of an evaluation into a version's record; a sentence about it.

    Args:
        settings: Name the registry.
        version: What was evaluated.
        evaluation: Its result.

    Raises:
        RegistryError: The registry does not take them.
    """
    open_registry(settings).set_thresholds(version.number, evaluation.thresholds)
    classes, few = evaluation.report.by_class, evaluation.few_boxes
    doubt = f"; {len(few)} of {len(classes)} classes have fewer than {_FEW_BOXES} boxes" if few else ""
    count = len(evaluation.thresholds)
    return f"version {version.number} shows {count} classes from their best F1 on, once it is loaded{doubt}"


def detect(
    model: ModelFile,
    labels: LabeledImages,
    mapping: Mapping[str, str],
    settings: Settings,
    cluster: Cluster | None,
    progress: ImagesDone | None = None,
) -> list[Detections]:
    """What a model finds in each image, with the class ids of the labels.

    Where several classes of the model are one class of the labels, one object has one box.

    Args:
        model: The model.
        labels: The images.
        mapping: The dataset's class by class of the model, where names do not say it.
        settings: Input size, and where state is kept.
        cluster: See `evaluate_model`.
        progress: See `evaluate_model`.

    Raises:
        DatasetError: The model lacks a class that the labels have.
    """
    classes = class_ids(model, labels, mapping)
    model = replace(model, thresholds={})  # the model's own confidences are measured
    with contextlib.ExitStack() as shown:
        told = progress or shown.enter_context(_progress_bar(len(labels.examples)))
        found = _detect(model, labels, classes, settings, told, cluster)
    return [without_doubles(one) for one in found] if joins_classes(classes) else found


@contextlib.contextmanager
def _progress_bar(total: int) -> Iterator[ImagesDone]:
    columns = ("images", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("images", total=total)

        def progress(done: int) -> None:
            bar.update(task, completed=done)

        yield progress


def class_ids(model: ModelFile, labels: LabeledImages, mapping: Mapping[str, str]) -> dict[int, int]:
    """Class ids of the labels by those of the model; only classes with boxes are needed.

    Raises:
        DatasetError: The model lacks a class that the labels have.
    """
    known = class_map(model.names, labels.source.classes, mapping, needed=())
    new_id = labels.joined.new_id
    classes = {own: new_id[old] for own, old in known.items() if old in new_id}
    present = {box.class_id for e in labels.examples for box in e.boxes if not box.ignored}
    names = labels.joined.dataset.classes
    refuse_missing(model.names, [names[k] for k in sorted(present - set(classes.values()))])
    return classes


def _detect(
    model: ModelFile,
    labels: LabeledImages,
    classes: Mapping[int, int],
    settings: Settings,
    progress: ImagesDone,
    cluster: Cluster | None,
) -> list[Detections]:
    examples, images, size = labels.examples, labels.images, settings.image_size
    if cluster is None or len(examples) < _MIN_IMAGES_FOR_RAY:  # done before a cluster would be up
        return predict_examples(model, examples, images, classes, size, progress)
    require_home(settings.home)
    with foreign_output_to(settings.home / RAY_OUTPUT), cluster():
        from train.model.ray_predictions import predict_on_ray  # after Ray's settings are made

        return predict_on_ray(model, examples, images, classes, size, progress, workers=settings.threads)


def print_report(console: Console, report: Report) -> None:
    """Print a report for people."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("mAP50", "mAP50-95", "best F1", "at confidence"):
        table.add_column(name, justify="right")
    table.add_row(f"all, {report.images} images", *_cells(report.overall), style="bold")
    table.add_row("the same by Ultralytics' definition", *_cells(report.ultralytics))
    for name, score in report.by_class.items():
        best = [f"{value:.3f}" for value in report.curves[name].best_f1()]
        table.add_row(name, *_cells(score), *best)
    for name, score in report.by_slice.items():
        table.add_row(name, *_cells(score))
    console.print(table)
    console.print(WHY_OTHER, soft_wrap=True)


def _cells(score: Map) -> list[str]:
    return [f"{value:.3f}" for value in (score.map50, score.map50_95)]
