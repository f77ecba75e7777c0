"""A dataset: which frames, with which labels, for what; immutable, and named by its content.

The manifest is one JSON object in the object store; images are stored once, by content, whatever
number of datasets and versions share them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from streetloop.errors import DatasetError
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections

TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

_FORMAT = 1
_PREFIX = "datasets"


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in an image.

    Attributes:
        class_id: Index into the dataset's classes.
        xyxy: Left, top, right, bottom in pixels.
        ignored: True if it is neither wrong to find nor wrong to miss.
    """

    class_id: int
    xyxy: tuple[float, float, float, float]
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled image.

    Attributes:
        image: SHA-256 of the image file.
        key: Where the image is in the object store.
        width: In pixels.
        height: In pixels.
        boxes: Everything that is there; empty is a label, too.
        split: One of `SPLITS`.
        camera_id: Whose image it is; empty if it is nobody's.
        captured_at: When (UTC); None if nobody knows.
        slices: Names that it is also judged under, such as ``night``.
        labeler: Who labelled it.
        reason: Why it was chosen.
        origin: Where it can be looked up again.
    """

    image: str
    key: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    split: str = TRAIN
    camera_id: str = ""
    captured_at: datetime | None = None
    slices: tuple[str, ...] = ()
    labeler: str = ""
    reason: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)

    def truth(self) -> Detections:
        """The boxes that must be found."""
        return _detections([box for box in self.boxes if not box.ignored])

    def ignored(self) -> Detections:
        """The boxes that may be found or missed."""
        return _detections([box for box in self.boxes if box.ignored])


@dataclass(frozen=True)
class Dataset:
    """Labelled images.

    Attributes:
        classes: Class names by class id.
        examples: The images.
        parents: Digests of the datasets that it was made from.
        purpose: What it was made for, in a few words.
    """

    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    parents: tuple[str, ...] = ()
    purpose: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest."""
        return hashlib.sha256(self.manifest()).hexdigest()

    def manifest(self) -> bytes:
        """The one way to write the dataset down."""
        content = {
            "format": _FORMAT,
            "classes": self.classes,
            "parents": self.parents,
            "purpose": self.purpose,
            "examples": [_plain(example) for example in self.examples],
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    def split(self, name: str) -> tuple[Example, ...]:
        """The examples of a split."""
        return tuple(example for example in self.examples if example.split == name)

    def __len__(self) -> int:
        return len(self.examples)


def save_dataset(store: ObjectStore, dataset: Dataset) -> str:
    """Write a dataset's manifest; returns its digest.

    Raises:
        StoreError: It could not be written.
    """
    store.put(f"{_PREFIX}/{dataset.digest}.json", dataset.manifest())
    return dataset.digest


def load_dataset(store: ObjectStore, digest: str) -> Dataset:
    """Read a dataset by its digest, or by the start of it.

    Raises:
        DatasetError: There is none, several begin like that, or it was changed.
        StoreError: It could not be read.
    """
    if not digest or not set(digest) <= set("0123456789abcdef"):
        raise DatasetError(f"{digest[:70]!r} is no digest of a dataset")
    keys = list(store.keys(f"{_PREFIX}/{digest}"))
    if len(keys) != 1:
        what = "no dataset begins" if not keys else f"{len(keys)} datasets begin"
        raise DatasetError(f"{what} with {digest}")
    dataset = _parse(store.get(keys[0]), keys[0])
    if keys[0] != f"{_PREFIX}/{dataset.digest}.json":
        raise DatasetError(f"{keys[0]}: the content is not what its name says; it was changed")
    return dataset


def merged(datasets: Sequence[Dataset], purpose: str) -> Dataset:
    """Datasets put together, for instance new labels and older data against forgetting.

    An image that is in several keeps the labels of the last, and the split of the first, so that
    what was held back once stays held back.

    Raises:
        DatasetError: They have different classes.
    """
    classes = datasets[0].classes
    for other in datasets[1:]:
        if other.classes != classes:
            raise DatasetError(f"cannot merge classes {', '.join(classes)} with {', '.join(other.classes)}")
    found: dict[str, Example] = {}
    for dataset in datasets:
        for example in dataset.examples:
            known = found.get(example.image)
            found[example.image] = replace(example, split=known.split) if known else example
    return Dataset(classes, tuple(found.values()), tuple(d.digest for d in datasets), purpose)


def boxes_from(found: Detections, ignored: Detections | None = None) -> tuple[Box, ...]:
    """Detections as boxes of an example, to a tenth of a pixel."""
    return tuple(
        Box(int(k), (round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)), flag)
        for part, flag in ((found, False), (ignored, True))
        if part is not None
        for (x1, y1, x2, y2), k in zip(part.xyxy.tolist(), part.class_id.tolist(), strict=True)
    )


def _plain(example: Example) -> dict[str, Any]:
    content = asdict(example)
    content["boxes"] = [[b.class_id, *b.xyxy, b.ignored] for b in example.boxes]
    if example.captured_at is not None:
        content["captured_at"] = example.captured_at.isoformat()
    return content


def _parse(data: bytes, name: str) -> Dataset:
    try:
        content = json.loads(data)
        if content["format"] != _FORMAT:
            raise DatasetError(f"{name}: is of format {content['format']}, not {_FORMAT}")
        return Dataset(
            tuple(content["classes"]),
            tuple(_example(row) for row in content["examples"]),
            tuple(content["parents"]),
            content["purpose"],
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"{name}: is no manifest of a dataset ({error!r})") from error


def _example(row: dict[str, Any]) -> Example:
    at = row["captured_at"]
    boxes = tuple(
        Box(int(k), (float(x1), float(y1), float(x2), float(y2)), bool(ignored))
        for k, x1, y1, x2, y2, ignored in row["boxes"]
    )
    values = {**row, "boxes": boxes, "slices": tuple(row["slices"])}
    values["captured_at"] = None if at is None else datetime.fromisoformat(at)
    return Example(**values)


def _detections(boxes: Iterable[Box]) -> Detections:
    boxes = list(boxes)
    return Detections(
        np.array([box.xyxy for box in boxes], np.float32).reshape(-1, 4),
        np.ones(len(boxes), np.float32),
        np.array([box.class_id for box in boxes], np.int64),
    )
