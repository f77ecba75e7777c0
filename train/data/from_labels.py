"""Builds a dataset of labeled frames, and splits it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from streetloop.boxes import Box, ids_by_name
from streetloop.errors import DatasetError
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from train.data.dataset import SPLITS, TEST, TRAIN, VALIDATION, Dataset, Example
from train.data.mending import LabeledBox, Notes, mend_boxes
from train.data.validation import APART_S

USUAL = "usual"
"""The slice of frames from cameras that did not drift."""

UNCHOSEN = SelectionReason.RANDOM.value
"""The slice of randomly drawn frames: its metrics are unbiased."""

_HELD_BACK = 0.2  # of each camera's frames, the last in time


def dataset_of(frames: Sequence[FrameRecord], classes: Sequence[str], purpose: str) -> Dataset:
    """Build a dataset of labeled frames.

    Randomly drawn frames are the test split and a slice of their own: only they measure without
    bias. Of the other frames, each camera's last fifth in time is the validation split; a random
    split would put neighboring frames on both sides. A training frame within `APART_S` seconds of
    a validation or test frame of its camera is left out. What a teacher labeled is for training
    only: people alone are judges.

    Args:
        frames: Labeled frames.
        classes: Class names by class id of their labels.
        purpose: What the dataset is for.
    """
    by_camera: dict[str, list[FrameRecord]] = defaultdict(list)
    for frame in sorted(frames, key=lambda r: r.captured_at):
        if frame.label is not None:
            by_camera[frame.camera_id].append(frame)
    examples = []
    for mine in by_camera.values():
        chosen = [r for r in mine if r.reason != UNCHOSEN and r.of_people]
        learned = len(chosen) - round(len(chosen) * _HELD_BACK)
        known = [_example(r, TRAIN) for r in mine if r.reason != UNCHOSEN and not r.of_people]
        tested = [_example(r, TEST) for r in mine if r.reason == UNCHOSEN]
        held = _apart([_example(r, VALIDATION) for r in chosen[learned:]], tested)
        taught = _apart([*(_example(r, TRAIN) for r in chosen[:learned]), *known], [*held, *tested])
        examples += [*taught, *held, *tested]
    return Dataset(tuple(classes), tuple(examples), purpose=purpose)


def renumbered(
    frames: Sequence[FrameRecord], classes: Sequence[str], mapping: Mapping[str, str]
) -> list[FrameRecord]:
    """Labeled frames with the class ids of ``classes``, matched by name.

    Of classes that nobody was asked about a label says nothing: the whole frame is an ignored box
    of each, so that a model is judged by none of them there.

    Args:
        frames: Labeled frames; the class names of each are stored with it.
        classes: Class names by the new class id.
        mapping: Names in ``classes`` by names in the labels, where the two differ.

    Raises:
        DatasetError: A label's class is not in ``classes``.
    """
    return [_renumbered(frame, classes, mapping) for frame in frames]


def _renumbered(frame: FrameRecord, classes: Sequence[str], mapping: Mapping[str, str]) -> FrameRecord:
    if frame.label is None:
        return frame
    ids = ids_by_name([mapping.get(name, name) for name in frame.classes], classes)
    label = []
    for box in frame.label:
        class_id = ids[box.class_id]
        if class_id is None:
            name = frame.classes[box.class_id]
            raise DatasetError(
                f"labels are of {name!r}, which the champion does not know; it has "
                f"{', '.join(classes)}; say which it is with --map {name}=CLASS"
            )
        label.append(replace(box, class_id=class_id))
    if frame.asked:
        asked = ids_by_name([mapping.get(name, name) for name in frame.asked], classes)
        whole = (0.0, 0.0, float(frame.width), float(frame.height))
        label += [Box(k, whole, ignored=True) for k in range(len(classes)) if k not in asked]
    return replace(frame, label=tuple(label))


def mended(frames: Sequence[FrameRecord], notes: Notes) -> list[FrameRecord]:
    """Labeled frames with the boxes that `mend_boxes` leaves.

    Args:
        frames: Labeled frames.
        notes: Receives what was mended.
    """
    found = []
    for frame in frames:
        where = f"image {frame.digest[:12]}"
        boxes = (LabeledBox(b.class_id, b.xyxy, where, b.ignored) for b in frame.label or ())
        found.append(replace(frame, label=mend_boxes(boxes, frame.width, frame.height, notes)))
    return found


def relabeled(dataset: Dataset, frames: Sequence[FrameRecord], without: Collection[str]) -> Dataset:
    """A dataset with the newest labels of some frames, and without some images.

    Args:
        dataset: The dataset; its splits and parents stay.
        frames: Labeled frames with the dataset's class ids.
        without: Digests of the images that are left out, unless they are among ``frames``.
    """
    labels = {frame.digest: frame.label for frame in frames if frame.label is not None}
    examples = tuple(
        replace(example, boxes=labels.get(example.image, example.boxes))
        for example in dataset.examples
        if example.image in labels or example.image not in without
    )
    return replace(dataset, examples=examples)


def separated(dataset: Dataset) -> Dataset:
    """A dataset without leaks between its splits.

    Whatever splits the parts of a merged dataset had, a training frame within `APART_S` seconds of
    a validation or test frame of its camera is left out, and so is a validation frame near a test
    frame.

    Args:
        dataset: The dataset; frames without a camera or a time stay.
    """
    by_camera: dict[str, list[Example]] = defaultdict(list)
    for example in dataset.examples:
        by_camera[example.camera_id].append(example)
    kept = {example.image for example in by_camera.pop("", [])}
    for mine in by_camera.values():
        learned, held, tested = ([e for e in mine if e.split == split] for split in SPLITS)
        held = _apart(held, tested)
        kept |= {e.image for e in [*_apart(learned, [*held, *tested]), *held, *tested]}
    return replace(dataset, examples=tuple(e for e in dataset.examples if e.image in kept))


def _apart(examples: Sequence[Example], others: Sequence[Example]) -> list[Example]:
    """The examples at least `APART_S` seconds from all others."""
    times = [e.captured_at.timestamp() for e in others if e.captured_at is not None]
    return [
        example
        for example in examples
        if example.captured_at is None
        or all(abs(example.captured_at.timestamp() - t) >= APART_S for t in times)
    ]


def _example(frame: FrameRecord, split: str) -> Example:
    return Example(
        image=frame.digest,
        key=frame.image_key,
        width=frame.width,
        height=frame.height,
        boxes=frame.label or (),
        split=split,
        camera_id=frame.camera_id,
        captured_at=frame.captured_at,
        slices=(frame.drift or USUAL, *((UNCHOSEN,) if frame.reason == UNCHOSEN else ())),
        labeler=frame.labeler or "",
        reason=frame.reason.value,
        origin=dict(frame.origin),
    )
