from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from streetloop.boxes import Box
from streetloop.errors import DatasetError
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason
from streetloop.types import Detections
from train.data.dataset import TEST, TRAIN, VALIDATION, Example, merged
from train.data.from_labels import UNCHOSEN, USUAL, dataset_of, relabeled, renumbered, separated
from train.data.other_classes import of_people, unasked_classes, with_unasked
from train.data.validation import APART_S, faults_of

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOX = Box(1, (1.0, 2.0, 11.0, 12.0))


def labeled(number: int, camera: str = "a40", reason: str = "unsure", drift: str = "") -> FrameRecord:
    return FrameRecord(
        f"{camera}-{number:060d}",
        f"frames/{number}.jpg",
        640,
        360,
        camera,
        AT + timedelta(seconds=10 * number),
        SelectionReason(reason),
        0.5,
        "m",
        (),
        np.zeros(4, np.uint64),
        np.zeros(1, np.float32),
        drift,
        state=ReviewState.LABELED,
        labeler="ann",
        label=(BOX,),
    )


def test_the_last_fifth_of_each_camera_is_held_back() -> None:
    reviews = [labeled(k, camera) for camera in ("a", "b") for k in range(10)]
    dataset = dataset_of(reviews, ("car", "bus"), "night")
    for camera in ("a", "b"):
        mine = [e for e in dataset.examples if e.camera_id == camera]
        assert [e.split for e in mine] == [TRAIN] * 8 + [VALIDATION] * 2
        assert max(e.captured_at for e in mine[:8]) < min(e.captured_at for e in mine[8:])  # type: ignore[type-var]


def test_random_frames_are_the_test() -> None:
    reviews = [labeled(k, reason="random" if k % 3 == 0 else "unsure") for k in range(12)]
    dataset = dataset_of(reviews, ("car", "bus"), "night")
    assert {e.image for e in dataset.split(TEST)} == {r.digest for r in reviews[::3]}


def test_random_frames_are_judged_under_a_name_of_their_own_too() -> None:
    drawn = [labeled(1, reason="random", drift="night"), labeled(3, reason="random")]
    examples = dataset_of([*drawn, labeled(6, drift="night")], ("car", "bus"), "").examples
    assert {e.image[-1]: e.slices for e in examples} == {
        "1": ("night", UNCHOSEN),
        "3": (USUAL, UNCHOSEN),
        "6": ("night",),
    }


def test_neighbours_of_judged_frames_are_left_out() -> None:
    near = replace(labeled(3), captured_at=AT + timedelta(seconds=51))
    dataset = dataset_of([near, *map(labeled, range(3)), labeled(5, reason="random")], ("x", "y"), "")
    assert near.digest not in {e.image for e in dataset.examples}
    assert len(dataset) == 4


def test_slices_labels_and_provenance_are_kept() -> None:
    dataset = dataset_of([labeled(1, drift="night"), labeled(2)], ("car", "bus"), "night")
    first, second = dataset.examples
    assert (first.slices, second.slices) == (("night",), (USUAL,))
    assert first.boxes[0].class_id == 1
    assert (first.labeler, first.reason) == ("ann", "unsure")


def test_an_empty_label_is_a_label_and_no_label_is_none() -> None:
    nothing_there = replace(labeled(1), label=())
    dataset = dataset_of([nothing_there, replace(labeled(2), label=None)], ("car", "bus"), "")
    assert [e.image for e in dataset.examples] == [nothing_there.digest]


NAMES = {"m-1": ("Person", "bike", "car"), "m-2": ("car", "person")}


def _answered(version: str, *class_ids: int) -> FrameRecord:
    label = tuple(replace(BOX, class_id=k) for k in class_ids)
    return replace(labeled(1), model_version=version, classes=NAMES[version], label=label)


def _ids(reviews: list[FrameRecord]) -> list[list[int]]:
    return [[box.class_id for box in one.label or ()] for one in reviews]


def test_labels_of_several_models_are_numbered_as_the_champion_numbers() -> None:
    both = [_answered("m-1", 2, 0), _answered("m-2", 0, 1)]
    assert _ids(renumbered(both, ("bus", "car", "person"), {})) == [[1, 2], [1, 2]]
    assert _ids(both) == [[2, 0], [0, 1]], "the labels themselves stay as they are"


def test_a_class_that_the_champion_lacks_is_refused_unless_it_is_said_which_it_is() -> None:
    one = [_answered("m-1", 0, 1)]
    with pytest.raises(DatasetError, match=r"'bike'.*it has person, bicycle.*--map bike=CLASS"):
        renumbered(one, ("person", "bicycle"), {})
    assert _ids(renumbered(one, ("person", "bicycle"), {"bike": "bicycle"})) == [[0, 1]]
    with pytest.raises(DatasetError, match="bike"):
        renumbered(one, ("person", "bicycle"), {"bike": "scooter"})


def test_a_class_that_nobody_used_may_be_unknown() -> None:
    assert _ids(renumbered([_answered("m-1", 2)], ("car",), {})) == [[0]]


def test_older_examples_get_the_newest_labels_and_lose_those_in_doubt() -> None:
    dataset = dataset_of([labeled(k) for k in range(1, 4)], ("car", "bus"), "")
    changed = replace(labeled(1), label=(replace(BOX, class_id=0),))
    doubted = {labeled(k).digest for k in (1, 2)}
    found = relabeled(dataset, [changed], doubted)
    assert [(e.image, [b.class_id for b in e.boxes]) for e in found.examples] == [
        (labeled(1).digest, [0]),
        (labeled(3).digest, [1]),
    ]
    assert [e.split for e in found.examples] == [dataset.examples[k].split for k in (0, 2)]


def _at(second: float, split: str, camera: str = "a40") -> Example:
    at = AT + timedelta(seconds=second)
    image = f"{camera} {second}"
    return Example(image, image, 640, 360, (BOX,), split, camera, at)


def test_more_labels_of_a_camera_do_not_leak_into_what_a_champion_held_back() -> None:
    first = [labeled(k) for k in range(5)]
    nearby = [
        replace(one, digest=f"new {one.digest}", captured_at=one.captured_at + timedelta(seconds=1))
        for one in first
    ]
    later = [labeled(k) for k in range(100, 105)]
    parts = [dataset_of(frames, ("car", "bus"), "") for frames in (first, [*first, *nearby, *later])]
    both = merged(parts, "more")
    leaks = [fault for fault in faults_of(both) if "neighbouring" in fault]
    assert leaks, "the frame of second 41 is learned, that of second 40 is held back"
    found = separated(both)
    assert not [fault for fault in faults_of(found) if "neighbouring" in fault]
    assert len(both) - len(found) == 1
    assert [e for e in parts[0].split(VALIDATION) if e not in found.split(VALIDATION)] == []


def test_only_what_is_near_a_held_out_frame_of_its_camera_is_left_out() -> None:
    far = APART_S + 50
    examples = (
        _at(0, TEST),
        _at(1, VALIDATION),
        _at(1.5, TRAIN),
        _at(2.5, TRAIN),
        _at(far, VALIDATION),
        _at(far + 1, TRAIN),
        _at(far + 1, TRAIN, "b"),
        _at(far + 1.5, TRAIN, ""),
    )
    found = separated(replace(dataset_of([], ("car", "bus"), ""), examples=examples))
    assert found.examples == (examples[0], examples[3], examples[4], *examples[6:])


def test_of_classes_that_nobody_was_asked_about_a_label_says_nothing() -> None:
    frame = replace(labeled(1), classes=("car", "bus", "tram"), asked=("bus",))
    (one,) = renumbered([frame], ("bus", "car", "person"), {})
    whole = (0.0, 0.0, 640.0, 360.0)
    assert one.label == (replace(BOX, class_id=0), Box(1, whole, ignored=True), Box(2, whole, ignored=True))
    (example,) = dataset_of([one], ("bus", "car", "person"), "x").examples
    assert unasked_classes(example) == {1, 2}
    assert of_people(example) == (replace(BOX, class_id=0),)


def test_where_it_is_learned_the_model_keeps_its_boxes_of_what_nobody_was_asked_about() -> None:
    frame = replace(labeled(1), classes=("car", "bus"), asked=("bus",))
    dataset = dataset_of(renumbered([frame], ("car", "bus"), {}), ("car", "bus"), "x")
    found = Detections(
        np.array([[50, 50, 90, 90], [100, 50, 150, 90]], np.float32), np.ones(2), np.array([0, 1])
    )
    filled, added = with_unasked(dataset, {frame.digest: found})
    assert added == 1, "a bus that nobody labeled is none"
    assert filled.examples[0].boxes[-1] == Box(0, (50.0, 50.0, 90.0, 90.0))
    assert of_people(filled.examples[0]) == of_people(dataset.examples[0])
    held = replace(dataset, examples=(replace(dataset.examples[0], split=VALIDATION),))
    assert with_unasked(held, {frame.digest: found}) == (held, 0)
