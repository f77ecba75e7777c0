"""What is kept of an evaluation: curves, and boxes."""

import gzip
import zlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from streetloop.errors import StoreError
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections
from train.data.dataset import Example
from train.evaluation.matching import verdicts
from train.evaluation.metrics import PrecisionRecallCurve, Report

EVALUATIONS = "evaluations"
"""Where they are in an object store."""

MAX_KEPT = 200
"""Evaluations whose curves and boxes are kept; the oldest go."""

MAX_FRAMES = 2000
"""Frames of an evaluation that are kept, evenly spread over the dataset."""

SHOWN_CONFIDENCE = 0.25
"""From which on a box is kept, and counts as found."""

RECALLS: NDArray[np.float64] = np.linspace(0, 1, 101, dtype=np.float64)
"""At which precision is kept: those that COCO's mAP reads."""

_MAX_BOXES = 50  # of a frame, of the truth and of what was found
_DIGITS = 4


class KeptBox(BaseModel):
    """A box in a frame.

    Attributes:
        xyxy: Left, top, right, bottom in pixels.
        class_name: Its class.
        confidence: 0 to 1; 1 for a label.
        right: Whether it matches a true box of its class at an IoU of 0.5.
    """

    xyxy: tuple[int, int, int, int]
    class_name: str
    confidence: float = 1.0
    right: bool = True


class KeptFrame(BaseModel):
    """What a model found in a frame.

    Attributes:
        image: SHA-256 of the image file.
        key: Key of the image in the object store.
        camera_id: Its camera; empty without one.
        width: In pixels.
        height: In pixels.
        missed: True boxes that were not found.
        false: Boxes that match none.
        truth: The true boxes, the first fifty.
        found: What was found, the fifty most confident.
    """

    image: str
    key: str
    camera_id: str
    width: int
    height: int
    missed: int
    false: int
    truth: list[KeptBox]
    found: list[KeptBox]


class KeptEvaluation(BaseModel):
    """An evaluation beside its report.

    Attributes:
        curves: Precision at `RECALLS` by class, at an IoU of 0.5; None where none is reached.
        frames: In the order of the dataset.
        images: Number of frames that were evaluated; at most `MAX_FRAMES` are kept.
    """

    curves: dict[str, list[float | None]]
    frames: list[KeptFrame]
    images: int


def kept_evaluation(
    report: Report, examples: Sequence[Example], found: Sequence[Detections]
) -> KeptEvaluation:
    """What is to be kept of an evaluation.

    Args:
        report: Its report.
        examples: The labeled images.
        found: The detections of each, with the dataset's class ids.
    """
    chosen: Sequence[int] = range(len(examples))
    if len(examples) > MAX_FRAMES:  # the same ones for every model
        chosen = np.linspace(0, len(examples) - 1, MAX_FRAMES).round().astype(int).tolist()
    return KeptEvaluation(
        curves={name: precision_at(curve) for name, curve in report.curves.items()},
        frames=[_frame(examples[k], found[k], report.classes) for k in chosen],
        images=len(examples),
    )


def precision_at(curve: PrecisionRecallCurve) -> list[float | None]:
    """Precision at `RECALLS`, as COCO reads it: the highest at that recall or a higher one.

    >>> half = PrecisionRecallCurve(np.array([0.25, 0.5]), np.ones(2), np.array([0.9, 0.8]))
    >>> precision_at(half)[49:52]
    [1.0, 1.0, None]

    Args:
        curve: Precision by recall of a class.
    """
    highest = np.maximum.accumulate(curve.precision[::-1])[::-1]
    at = np.searchsorted(curve.recall, RECALLS, side="left").tolist()
    return [round(float(highest[k]), _DIGITS) if k < len(highest) else None for k in at]


def evaluation_key(number: int, asked_at: datetime) -> str:
    """The key of what is kept; keys rise with time.

    Args:
        number: Of the evaluation in the ledger.
        asked_at: When it was asked for (UTC), which tells ledgers that share a store apart.
    """
    return f"{EVALUATIONS}/{asked_at:%Y%m%dT%H%M%S%f}-{number}.json.gz"


def keep_evaluation(store: ObjectStore, key: str, kept: KeptEvaluation) -> None:
    """Store it, and remove all but the newest `MAX_KEPT`.

    Args:
        store: The store.
        key: From `evaluation_key`.
        kept: What is kept.

    Raises:
        StoreError: The store does not take it.
    """
    store.put(key, gzip.compress(kept.model_dump_json(exclude_defaults=True).encode(), 6, mtime=0))
    for old in sorted(store.keys(f"{EVALUATIONS}/"))[:-MAX_KEPT]:
        store.delete(old)


def is_kept(store: ObjectStore, key: str) -> bool:
    """Whether something is kept under a key.

    Raises:
        StoreError: The store does not answer.
    """
    return key in store.keys(key)


def load_kept_evaluation(store: ObjectStore, key: str) -> KeptEvaluation:
    """What is kept of an evaluation.

    Raises:
        StoreError: There is nothing, or it is damaged.
    """
    try:
        return KeptEvaluation.model_validate_json(gzip.decompress(store.get(key)))
    except (OSError, EOFError, zlib.error, ValidationError) as error:
        raise StoreError(f"{key}: is damaged") from error


def _frame(example: Example, found: Detections, names: Sequence[str]) -> KeptFrame:
    truth, ignored = example.truth(), example.ignored()
    shown = found.take(found.confidence >= SHOWN_CONFIDENCE)
    right, counted = np.zeros(len(shown), bool), np.ones(len(shown), bool)
    for k in set(shown.class_id.tolist()):
        mine = shown.class_id == k
        theirs, ours, unclear = (one.take(one.class_id == k) for one in (truth, shown, ignored))
        right[mine], counted[mine] = verdicts(theirs, ours, unclear)
    drawn = [k for k in np.argsort(-shown.confidence, kind="stable").tolist() if counted[k]]
    return KeptFrame(
        image=example.image,
        key=example.key,
        camera_id=example.camera_id,
        width=example.width,
        height=example.height,
        missed=len(truth) - int(right.sum()),
        false=int((counted & ~right).sum()),
        truth=[_box(truth, k, names) for k in range(min(len(truth), _MAX_BOXES))],
        found=[_box(shown, k, names, right=bool(right[k])) for k in drawn[:_MAX_BOXES]],
    )


def _box(boxes: Detections, k: int, names: Sequence[str], *, right: bool = True) -> KeptBox:
    x1, y1, x2, y2 = boxes.xyxy[k].round().astype(int).tolist()
    confidence = round(float(boxes.confidence[k]), 3)
    return KeptBox(
        xyxy=(x1, y1, x2, y2), class_name=names[int(boxes.class_id[k])], confidence=confidence, right=right
    )
