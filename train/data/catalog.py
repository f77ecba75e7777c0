"""The datasets of an object store: what is in each, what differs, what may go."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from streetloop.errors import DatasetError
from streetloop.storage.store import ObjectStore
from train.data.dataset import DATASETS, SPLITS, Dataset, load_dataset


def summary_of(dataset: Dataset) -> dict[str, Any]:
    """What is in a dataset, as JSON: digest, images, boxes by class, images by split and slice."""
    boxes = Counter(box.class_id for e in dataset.examples for box in e.boxes if not box.ignored)
    splits = Counter(example.split for example in dataset.examples)
    slices = Counter(name for example in dataset.examples for name in example.slices)
    return {
        "digest": dataset.digest,
        "purpose": dataset.purpose,
        "images": len(dataset),
        "classes": {name: boxes[k] for k, name in enumerate(dataset.classes)},
        "splits": {name: splits[name] for name in SPLITS if splits[name]},
        "slices": dict(sorted(slices.items())),
        "parents": list(dataset.parents),
    }


def list_datasets(store: ObjectStore) -> Iterator[Dataset]:
    """All datasets, in the order of their digests.

    Raises:
        DatasetError: The content of one was changed.
    """
    for key in store.keys(f"{DATASETS}/"):
        yield load_dataset(store, key.removeprefix(f"{DATASETS}/").removesuffix(".json"))


def difference(one: Dataset, other: Dataset) -> dict[str, Any]:
    """What changed from one dataset to the other, as JSON.

    Images are digests: ``added``, ``removed``, ``relabeled`` (other boxes or classes of boxes) and
    ``moved`` (to another split). ``classes`` and ``splits`` have both counts of what differs.
    """
    before = {example.image: example for example in one.examples}
    after = {example.image: example for example in other.examples}
    both = [image for image in before if image in after]
    return {
        "digest": [one.digest, other.digest],
        "images": [len(one), len(other)],
        "added": [image for image in after if image not in before],
        "removed": [image for image in before if image not in after],
        "relabeled": [k for k in both if _named_boxes(one, k, before) != _named_boxes(other, k, after)],
        "moved": [k for k in both if before[k].split != after[k].split],
        "classes": _changed(summary_of(one)["classes"], summary_of(other)["classes"]),
        "splits": _changed(summary_of(one)["splits"], summary_of(other)["splits"]),
    }


def _named_boxes(dataset: Dataset, image: str, examples: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Boxes with the names of their classes, to 0.1 pixels: formats round the last digits."""
    return {
        (dataset.classes[b.class_id], *(round(v, 1) for v in b.xyxy), b.ignored)
        for b in examples[image].boxes
    }


def _changed(before: dict[str, int], after: dict[str, int]) -> dict[str, list[int]]:
    names = list(dict.fromkeys([*before, *after]))
    pairs = {name: [before.get(name, 0), after.get(name, 0)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing datasets takes away.

    Attributes:
        datasets: Their digests.
        images: Keys of images that nothing else needs.
    """

    datasets: tuple[str, ...]
    images: tuple[str, ...]


def plan_removal(
    store: ObjectStore, digests: Collection[str], used: Collection[str], kept_images: Collection[str]
) -> Removal:
    """What would go with some datasets.

    Args:
        store: The store.
        digests: The datasets, each by its digest or the start of it.
        used: Digests that a version or a training needs.
        kept_images: Keys of images that frames of the ledger need.

    Raises:
        DatasetError: One is unknown, or in use, or the parent of one that stays.
    """
    going = {dataset.digest: dataset for dataset in (load_dataset(store, name) for name in digests)}
    staying = [dataset for dataset in list_datasets(store) if dataset.digest not in going]
    needed = {*used, *(parent for dataset in staying for parent in dataset.parents)}
    for digest in going:
        if digest in needed:
            raise DatasetError(f"dataset {digest[:12]} is needed by a version, a training or another dataset")
    kept = {*kept_images, *(example.key for dataset in staying for example in dataset.examples)}
    images = {example.key for dataset in going.values() for example in dataset.examples} - kept
    return Removal(tuple(sorted(going)), tuple(sorted(images)))


def remove(store: ObjectStore, removal: Removal) -> None:
    """Remove what `plan_removal` named: manifests first, so that none names an image that is gone.

    Raises:
        StoreError: The store does not answer.
    """
    for digest in removal.datasets:
        store.delete(f"{DATASETS}/{digest}.json")
    for key in removal.images:
        store.delete(key)
