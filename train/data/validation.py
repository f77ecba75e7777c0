"""Validates a dataset before a training; reports all faults at once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from itertools import pairwise

import numpy as np

from streetloop.errors import DatasetInvalid, ImageUnreadable, StoreError
from streetloop.images import decode_image
from streetloop.storage.store import ObjectStore
from train.data.dataset import SPLITS, TRAIN, Dataset, Example

_MAX_SHOWN = 20  # faults in a message
_ROUNDING = 1.0  # pixels by which a box may leave the image
APART_S = 2.0
"""Seconds; frames of one camera that are nearer in time count as the same scene."""

_MAX_PIXELS = 50_000_000


def faults_of(
    dataset: Dataset,
    store: ObjectStore | None = None,
    progress: Callable[[int], None] = lambda _: None,
    known: Collection[str] = (),
) -> list[str]:
    """Faults of a dataset, one sentence each; empty for a valid one.

    Args:
        dataset: The dataset.
        store: Keeps the images; None skips opening them.
        progress: Called with the number of images opened.
        known: Classes that the model to be fine-tuned knows already; the training images may lack
            them, unless validation or test images have them. A street has few of COCO's eighty.
    """
    faults = _whole(dataset, known)
    seen: dict[str, str] = {}
    for number, example in enumerate(dataset.examples):
        faults += _labels(example, len(dataset.classes))
        if example.image in seen:
            faults.append(f"image {example.image[:12]} is there twice")
        seen[example.image] = example.split
        if store is not None:
            faults += image_faults(example, store)
            progress(number + 1)
    return faults + _leaks(dataset)


def require_valid(dataset: Dataset, store: ObjectStore | None = None, known: Collection[str] = ()) -> None:
    """Refuse a dataset that has faults; the arguments are those of `faults_of`.

    Raises:
        DatasetInvalid: With the list of faults.
    """
    faults = faults_of(dataset, store, known=known)
    if faults:
        shown = "; ".join(faults[:_MAX_SHOWN])
        more = f"; and {len(faults) - _MAX_SHOWN} more" if len(faults) > _MAX_SHOWN else ""
        raise DatasetInvalid(f"dataset {dataset.digest[:12]} is refused: {shown}{more}", faults)


def missing_classes(dataset: Dataset) -> list[str]:
    """Classes without a box in the training images."""
    found = _boxes(dataset.split(TRAIN))
    return [name for k, name in enumerate(dataset.classes) if not found[k]]


def _boxes(examples: Iterable[Example]) -> "Counter[int]":
    return Counter(box.class_id for e in examples for box in e.boxes if not box.ignored)


def _whole(dataset: Dataset, known: Collection[str]) -> list[str]:
    faults = []
    if not dataset.classes:
        faults.append("it has no classes")
    if len(set(dataset.classes)) < len(dataset.classes):
        faults.append("a class is named twice")
    for split in SPLITS[:2]:
        if not dataset.split(split):
            faults.append(f"no image is for {split}")
    held = _boxes(e for e in dataset.examples if e.split != TRAIN)
    judged = {dataset.classes[k] for k in held if 0 <= k < len(dataset.classes)}
    for name in missing_classes(dataset):
        if name in judged or name not in known:
            faults.append(f"no {name!r} is in the training images")
    if known and not _boxes(dataset.split(TRAIN)):
        faults.append("the training images have no boxes")
    return faults


def _labels(example: Example, classes: int) -> list[str]:
    faults = []
    name = f"image {example.image[:12]}"
    if example.split not in SPLITS:
        faults.append(f"{name}: unknown split {example.split!r}")
    limit_x, limit_y = example.width + _ROUNDING, example.height + _ROUNDING
    for box in example.boxes:
        x1, y1, x2, y2 = box.xyxy
        if not 0 <= box.class_id < classes:
            faults.append(f"{name}: class {box.class_id} is not one of {classes}")
        if not all(np.isfinite(box.xyxy)):
            faults.append(f"{name}: a box is not a number")
        elif x2 <= x1 or y2 <= y1:
            faults.append(f"{name}: a box has no area")
        elif min(x1, y1) < -_ROUNDING or x2 > limit_x or y2 > limit_y:
            faults.append(f"{name}: a box is outside the image")
    return faults


def image_faults(example: Example, store: ObjectStore) -> list[str]:
    """Faults of an example's image in the object store, one sentence each."""
    name = f"image {example.image[:12]}"
    try:
        data = store.get(example.key)
    except StoreError:
        return [f"{name}: is not in the object store"]
    if example.width * example.height > _MAX_PIXELS:
        return [f"{name}: is too large"]
    try:
        height, width = decode_image(data).shape[:2]
    except ImageUnreadable:
        return [f"{name}: cannot be read"]
    if (width, height) != (example.width, example.height):
        return [f"{name}: is {width}x{height}, not {example.width}x{example.height}"]
    return []


def _leaks(dataset: Dataset) -> list[str]:
    """Frames that are neighbours in time on one camera, but in different splits."""
    faults = []
    by_camera: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for example in dataset.examples:
        if example.camera_id and example.captured_at is not None:
            at = example.captured_at.timestamp()
            by_camera[example.camera_id].append((at, example.split))
    for camera, frames in by_camera.items():
        frames.sort()
        for (before, one), (after, other) in pairwise(frames):
            if one != other and after - before < APART_S:
                faults.append(f"camera {camera}: neighbouring frames are in {one} and {other}")
                break
    return faults
