import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import DatasetError, DatasetInvalid
from streetloop.storage.store import FolderStore, put_image
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example, load_dataset, merged, save_dataset
from train.data.validation import faults_of, require_valid

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def example(store: FolderStore, number: int, split: str = TRAIN, **values: object) -> Example:
    image = np.full((40, 60, 3), number % 250, np.uint8)
    image[:5, :5] = number // 250
    digest, key = put_image(store, cv2.imencode(".png", image)[1].tobytes(), "png")
    boxes = (Box(0, (1.0, 2.0, 11.0, 12.0)), Box(1, (20.0, 20.0, 30.0, 30.0)))
    made = Example(digest, key, 60, 40, boxes, split, "a40", AT + timedelta(minutes=number))
    return replace(made, **values)  # type: ignore[arg-type]


def pure(store: FolderStore) -> Dataset:
    learned = tuple(example(store, k) for k in range(4))
    return Dataset(("car", "bus"), (*learned, example(store, 9, VALIDATION)))


def test_a_dataset_is_read_as_it_was_written(store: FolderStore) -> None:
    dataset = replace(pure(store), parents=("abc",), purpose="night")
    digest = save_dataset(store, dataset)
    assert load_dataset(store, digest) == dataset
    assert load_dataset(store, digest[:8]) == dataset


def test_the_name_follows_from_the_content_alone(store: FolderStore) -> None:
    dataset = pure(store)
    assert dataset.digest == Dataset(dataset.classes, dataset.examples).digest
    moved = replace(dataset.examples[0], boxes=(Box(0, (1.0, 2.0, 11.0, 12.1)),))
    assert replace(dataset, examples=(moved, *dataset.examples[1:])).digest != dataset.digest


def test_a_changed_manifest_is_refused(store: FolderStore) -> None:
    digest = save_dataset(store, pure(store))
    content = json.loads(store.get(f"datasets/{digest}.json"))
    content["purpose"] = "something else"
    store.put(f"datasets/{digest}.json", json.dumps(content).encode())
    with pytest.raises(DatasetError, match="was changed"):
        load_dataset(store, digest)


@pytest.mark.parametrize("digest", ["", "xyz", "../../etc", "0" * 64])
def test_an_unknown_digest_is_refused(store: FolderStore, digest: str) -> None:
    with pytest.raises(DatasetError):
        load_dataset(store, digest)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 1}', b'{"format": 7}'])
def test_what_is_no_manifest_is_refused(store: FolderStore, content: bytes) -> None:
    store.put(f"datasets/{'a' * 64}.json", content)
    with pytest.raises(DatasetError):
        load_dataset(store, "a" * 64)


def test_datasets_share_their_images(store: FolderStore) -> None:
    save_dataset(store, pure(store))
    before = list(store.keys("frames/"))
    save_dataset(store, replace(pure(store), purpose="again"))
    assert list(store.keys("frames/")) == before


def test_merging_keeps_the_newest_labels_and_what_was_held_back(store: FolderStore) -> None:
    old = pure(store)
    held = old.examples[-1]
    relabeled = replace(held, split=TRAIN, boxes=())
    new = Dataset(old.classes, (relabeled, example(store, 20)))
    both = merged([old, new], "more")
    (kept,) = [e for e in both.examples if e.image == held.image]
    assert (kept.split, kept.boxes) == (VALIDATION, ())
    assert len(both) == 6
    assert both.parents == (old.digest, new.digest)


def test_other_classes_are_not_merged(store: FolderStore) -> None:
    with pytest.raises(DatasetError, match="cannot merge"):
        merged([pure(store), Dataset(("car",), ())], "no")


def test_a_pure_dataset_has_no_faults(store: FolderStore) -> None:
    assert faults_of(pure(store), store) == []
    require_valid(pure(store), store)


def _with(dataset: Dataset, **values: object) -> Dataset:
    first, *others = dataset.examples
    return replace(dataset, examples=(replace(first, **values), *others))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("boxes", "fault"),
    [
        ((Box(2, (1, 1, 5, 5)),), "class 2"),
        ((Box(0, (1, 1, 1, 5)),), "no area"),
        ((Box(0, (1, 1, 90, 5)),), "outside"),
        ((Box(0, (float("nan"), 1, 9, 5)),), "not a number"),
    ],
)
def test_a_bad_box_is_named(store: FolderStore, boxes: tuple[Box, ...], fault: str) -> None:
    assert any(fault in f for f in faults_of(_with(pure(store), boxes=boxes), store))


def test_an_empty_dataset_lists_everything_that_it_lacks(store: FolderStore) -> None:
    with pytest.raises(DatasetInvalid) as caught:
        require_valid(Dataset(("car", "bus"), ()), store)
    assert len(caught.value.faults) == 4


def test_a_missing_class_is_named(store: FolderStore) -> None:
    dataset = replace(pure(store), classes=("car", "bus", "tram"))
    assert faults_of(dataset, store) == ["no 'tram' is in the training images"]


def test_a_class_that_the_model_knows_may_be_missing_unless_it_is_judged(store: FolderStore) -> None:
    dataset = replace(pure(store), classes=("car", "bus", "tram"))
    assert faults_of(dataset, store, known=dataset.classes) == []
    tram = Box(2, (1.0, 1.0, 9.0, 9.0))
    judged = tuple(replace(e, boxes=(tram,)) if e.split != TRAIN else e for e in dataset.examples)
    found = faults_of(replace(dataset, examples=judged), store, known=dataset.classes)
    assert found == ["no 'tram' is in the training images"]


def test_images_without_anything_in_them_teach_nothing(store: FolderStore) -> None:
    dataset = pure(store)
    empty = replace(dataset, examples=tuple(replace(e, boxes=()) for e in dataset.examples))
    found = faults_of(empty, store, known=dataset.classes)
    assert found == ["the training images have no boxes"]


def test_images_are_opened(store: FolderStore) -> None:
    dataset = pure(store)
    store.put(dataset.examples[0].key, b"no image")
    store.delete(dataset.examples[1].key)
    found = faults_of(_with(dataset, width=60), store)
    assert any("cannot be read" in f for f in found)
    assert any("is not in the object store" in f for f in found)
    assert any(
        "is 60x40, not 61x40" in f
        for f in faults_of(replace(dataset, examples=(replace(dataset.examples[2], width=61),)), store)
    )


def test_an_image_in_two_splits_and_neighbours_in_time_are_leaks(store: FolderStore) -> None:
    dataset = pure(store)
    again = replace(dataset.examples[0], split=TEST)
    assert any("twice" in f for f in faults_of(replace(dataset, examples=(*dataset.examples, again))))
    near = example(store, 30, VALIDATION, captured_at=AT + timedelta(seconds=1))
    leaky = replace(dataset, examples=(*dataset.examples, near))
    assert any("neighbouring frames" in f for f in faults_of(leaky))
