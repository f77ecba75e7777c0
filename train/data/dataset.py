"""A dataset: labeled images and their splits. It is immutable and named by its content.

The manifest is one JSON object in the object store. An image is stored once, under its digest,
however many datasets share it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from streetloop.boxes import Box, Boxes, to_detections
from streetloop.errors import DatasetError
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections

TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

_FORMAT = 1
DATASETS = "datasets"
"""Where manifests are in an object store."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labeled image.

    Attributes:
        image: SHA-256 of the image file.
        key: Key of the image in the object store.
        width: In pixels.
        height: In pixels.
        boxes: All objects in the image, in pixels; empty if there are none.
        split: One of `SPLITS`.
        camera_id: Its camera; empty without one.
        captured_at: Capture time (UTC); None if unknown.
        slices: Names of the slices that it is judged in, such as ``night``.
        labeler: Who labeled it.
        reason: Why it was chosen.
        origin: Where the image or its ground truth can be looked up.
    """

    image: str
    key: str
    width: int
    height: int
    boxes: Boxes
    split: str = TRAIN
    camera_id: str = ""
    captured_at: datetime | None = None
    slices: tuple[str, ...] = ()
    labeler: str = ""
    reason: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)

    def truth(self) -> Detections:
        """The boxes that a detector must find."""
        return to_detections(box for box in self.boxes if not box.ignored)

    def ignored(self) -> Detections:
        """The boxes that a detector may find or miss."""
        return to_detections(box for box in self.boxes if box.ignored)


@dataclass(frozen=True)
class Dataset:
    """Labeled images.

    Attributes:
        classes: Class names by class id.
        examples: The images.
        parents: Digests of the datasets that it was merged from.
        purpose: What it is for, in a few words.
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
        """The canonical JSON, which the digest is of."""
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
    store.put(f"{DATASETS}/{dataset.digest}.json", dataset.manifest())
    return dataset.digest


def load_dataset(store: ObjectStore, digest: str) -> Dataset:
    """Read a dataset by its digest, or by the start of it.

    Args:
        store: Holds the manifest.
        digest: SHA-256 of the manifest, or its first characters.

    Raises:
        DatasetError: No dataset, or several, begin like that, or the content was changed.
        StoreError: It could not be read.
    """
    if not digest or not set(digest) <= set("0123456789abcdef"):
        raise DatasetError(f"{digest[:70]!r} is no digest of a dataset")
    keys = list(store.keys(f"{DATASETS}/{digest}"))
    if len(keys) != 1:
        what = "no dataset begins" if not keys else f"{len(keys)} datasets begin"
        raise DatasetError(f"{what} with {digest}")
    dataset = parse_manifest(store.get(keys[0]), keys[0])
    if keys[0] != f"{DATASETS}/{dataset.digest}.json":
        raise DatasetError(f"{keys[0]}: the content is not what its name says; it was changed")
    return dataset


def merged(datasets: Sequence[Dataset], purpose: str) -> Dataset:
    """Merge datasets, such as new labels and older data for replay.

    An image that is in several gets the boxes of the last and keeps the split of the first, so
    that a held-out image stays held out.

    Args:
        datasets: At least one, all of the same classes.
        purpose: What the dataset is for; part of its manifest.

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


def _plain(example: Example) -> dict[str, Any]:
    content = asdict(example)
    content["boxes"] = [[b.class_id, *b.xyxy, b.ignored] for b in example.boxes]
    if example.captured_at is not None:
        content["captured_at"] = example.captured_at.isoformat()
    return content


def parse_manifest(data: bytes, name: str) -> Dataset:
    """Read a manifest.

    Args:
        data: What `Dataset.manifest` gave.
        name: Names it in messages.

    Raises:
        DatasetError: It is none.
    """
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
