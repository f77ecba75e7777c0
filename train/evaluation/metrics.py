"""Evaluates a model on a dataset: COCO's mAP by class and slice, confusion, the worst images."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streetloop.boxes import iou
from streetloop.errors import DatasetError
from streetloop.json_values import finite_or_none
from streetloop.types import Detections
from train.data.dataset import Dataset, Example
from train.evaluation.coco_map import Map, coco_map
from train.evaluation.matching import match
from train.evaluation.ultralytics_map import ultralytics_map

_CONFIDENCE = 0.25  # from which on a detection counts for the confusion matrix
_MATCH_IOU = 0.5
_MAX_NAMES = 12  # class names in a message
_MAX_WORST = 12


@dataclass(frozen=True, slots=True)
class PrecisionRecallCurve:
    """Precision by recall of one class at IoU 0.50.

    Attributes:
        recall: (N,) rising.
        precision: (N,) of the boxes up to there.
        confidence: (N,) falling.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def best_f1(self) -> tuple[float, float]:
        """The largest F1, and the confidence from which on boxes must be shown to have it.

        F1 is the harmonic mean of precision and recall. Without a correct box it is 0, at a
        confidence of 1.

        >>> recall, precision = np.array([0.5, 0.5]), np.array([1, 0.5])
        >>> PrecisionRecallCurve(recall, precision, confidence=np.array([0.8, 0.3])).best_f1()
        (0.6666666666666666, 0.8)
        """
        f1 = 2 * self.precision * self.recall / np.maximum(self.precision + self.recall, 1e-12)
        best = int(f1.argmax()) if len(f1) else 0
        if not len(f1) or f1[best] == 0:
            return 0.0, 1.0
        return float(f1[best]), float(self.confidence[best])


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        classes: The dataset's classes.
        overall: COCO's mAP over all images and classes.
        ultralytics: The same as Ultralytics defines it.
        by_class: For each class with ground truths.
        by_slice: For each slice of the dataset.
        curves: For each class with ground truths.
        confusion: (C + 1, C + 1) counts, true class by detected class; the last is background.
        worst: Indices of the images with most misses and false detections, the worst first.
        images: Number of images.
    """

    classes: tuple[str, ...]
    overall: Map
    ultralytics: Map
    by_class: Mapping[str, Map]
    by_slice: Mapping[str, Map]
    curves: Mapping[str, PrecisionRecallCurve]
    confusion: NDArray[np.int64]
    worst: tuple[int, ...]
    images: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; null without ground truths."""
        return {
            **_map(self.overall),
            "images": self.images,
            "classes": {name: {**_map(m), **self._best(name)} for name, m in self.by_class.items()},
            "slices": {name: _map(m) for name, m in self.by_slice.items()},
            "ultralytics": _map(self.ultralytics),
        }

    def scores(self) -> dict[str, float]:
        """mAP50 by slice, as the registry keeps it; ``map50/all`` is that of all images."""
        found = {"all": self.overall, **self.by_slice}
        return {f"map50/{name}": round(m.map50, 4) for name, m in found.items() if np.isfinite(m.map50)}

    def class_scores(self) -> dict[str, float]:
        """mAP50 by class, as the registry keeps it."""
        return {name: round(m.map50, 4) for name, m in self.by_class.items() if np.isfinite(m.map50)}

    def _best(self, name: str) -> dict[str, float]:
        f1, confidence = self.curves[name].best_f1()
        return {"best_f1": round(f1, 6), "best_confidence": round(confidence, 6)}


def evaluate(dataset: Dataset, examples: Sequence[Example], found: Sequence[Detections]) -> Report:
    """Evaluate the detections of a model.

    Args:
        dataset: Names the classes.
        examples: The labeled images.
        found: The detections of each, with the dataset's class ids, from the lowest confidence on.
    """
    truth = [example.truth() for example in examples]
    ignored = [example.ignored() for example in examples]
    slices: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        camera = (f"camera {example.camera_id}",) if example.camera_id else ()
        for name in (*example.slices, *camera):
            slices.setdefault(name, []).append(number)
    present = sorted({int(k) for one in truth for k in one.class_id})
    return Report(
        classes=dataset.classes,
        overall=coco_map(truth, found, ignored),
        ultralytics=ultralytics_map(truth, found),
        by_class={
            dataset.classes[k]: coco_map(_only(truth, k), _only(found, k), _only(ignored, k)) for k in present
        },
        by_slice={
            name: coco_map(*([part[n] for n in rows] for part in (truth, found, ignored)))
            for name, rows in slices.items()
        },
        curves={dataset.classes[k]: _curve(truth, found, ignored, k) for k in present},
        confusion=_confusion(truth, found, len(dataset.classes)),
        worst=_worst(truth, found, ignored),
        images=len(examples),
    )


def class_map(
    model: Sequence[str],
    dataset: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    needed: Collection[int] | None = None,
) -> dict[int, int]:
    """Map the classes of a model to those of a dataset by name; several may map to one.

    Args:
        model: Class names of the model.
        dataset: Class names of the dataset.
        mapping: Names of the model's classes by what they are called in the dataset, where names
            alone do not say it, such as ``{"bicycle": "bike"}``.
        needed: Class ids of the dataset that the model must have; None for all.

    Returns:
        Class ids of the dataset by those of the model; a class that is not in the dataset is left
        out.

    Raises:
        DatasetError: A class that is needed has none in the model, or the mapping names one that
            does not exist.
    """
    mapping = dict(mapping or {})
    unknown = [a for a in mapping if a not in model] + [b for b in mapping.values() if b not in dataset]
    if unknown:
        raise DatasetError(f"the mapping names {unknown[0]!r}, which is no class of either")
    number = {name.casefold(): k for k, name in enumerate(dataset)}
    found = {}
    for k, name in enumerate(model):
        target = number.get(mapping.get(name, name).casefold())
        if target is not None:
            found[k] = target
    wanted = range(len(dataset)) if needed is None else sorted(needed)
    refuse_missing(model, [dataset[k] for k in wanted if k not in found.values()])
    return found


def refuse_missing(model: Sequence[str], missing: Sequence[str]) -> None:
    """Refuse a model that lacks classes.

    Args:
        model: Class names of the model.
        missing: Names that it should have; none is fine.

    Raises:
        DatasetError: There are some.
    """
    if missing:
        raise DatasetError(
            f"the model has no class for {_some(missing)}; it has {_some(model)}; "
            "say which is which with --map MODEL=DATASET"
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def translated(found: Detections, classes: Mapping[int, int]) -> Detections:
    """Translate class ids from model to dataset; others are left out.

    Args:
        found: The model's boxes.
        classes: Class id of the dataset by that of the model.
    """
    known = np.array([k in classes for k in found.class_id.tolist()], bool)
    kept = found.take(known)
    ids = np.array([classes[k] for k in kept.class_id.tolist()], np.int64)
    return Detections(kept.xyxy, kept.confidence, ids)


def _only(images: Sequence[Detections], class_id: int) -> list[Detections]:
    return [image.take(image.class_id == class_id) for image in images]


def _curve(
    truth: Sequence[Detections], found: Sequence[Detections], ignored: Sequence[Detections], class_id: int
) -> PrecisionRecallCurve:
    parts = (_only(part, class_id) for part in (truth, found, ignored))
    matches = [match(*images) for images in zip(*parts, strict=True)]
    confidence = np.concatenate([m.confidence for m in matches])
    correct = np.concatenate([m.correct for m in matches])
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(correct[order])
    ground_truths = max(sum(m.ground_truths for m in matches), 1)
    precision = hits / np.arange(1, len(hits) + 1)
    return PrecisionRecallCurve(hits / ground_truths, precision, confidence[order])


def _confusion(truth: Sequence[Detections], found: Sequence[Detections], classes: int) -> NDArray[np.int64]:
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    for there, seen in zip(truth, found, strict=True):
        shown = seen.take(seen.confidence >= _CONFIDENCE)
        overlap = iou(shown.xyxy, there.xyxy)
        free = np.ones(len(there), bool)
        for k in np.argsort(-shown.confidence, kind="stable").tolist():
            best = np.where(free, overlap[k], 0.0) if len(there) else np.zeros(0)
            if len(best) and best.max() >= _MATCH_IOU:
                target = int(best.argmax())
                free[target] = False
                counts[int(there.class_id[target]), int(shown.class_id[k])] += 1
            else:
                counts[classes, int(shown.class_id[k])] += 1
        for target in np.flatnonzero(free).tolist():
            counts[int(there.class_id[target]), classes] += 1
    return counts


def _worst(
    truth: Sequence[Detections], found: Sequence[Detections], ignored: Sequence[Detections]
) -> tuple[int, ...]:
    """Images by misses, and by false detections weighted with their confidence."""
    badness = []
    for there, seen, unclear in zip(truth, found, ignored, strict=True):
        bad = 0.0
        for k in {*there.class_id.tolist(), *seen.class_id.tolist()}:
            shown = seen.take((seen.class_id == k) & (seen.confidence >= _CONFIDENCE))
            m = match(there.take(there.class_id == k), shown, unclear.take(unclear.class_id == k))
            bad += (m.ground_truths - int(m.correct.sum())) + float(m.confidence[~m.correct].sum())
        badness.append(bad)
    order = np.argsort(-np.array(badness), kind="stable")[:_MAX_WORST]
    return tuple(int(k) for k in order if badness[int(k)] > 0)


def _map(score: Map) -> dict[str, float | None]:
    return {"map50": finite_or_none(score.map50, 6), "map50_95": finite_or_none(score.map50_95, 6)}
