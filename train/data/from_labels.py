"""Builds a dataset of labeled frames, and splits it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from streetloop.errors import DatasetError
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example
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
    a validation or test frame of its camera is left out.

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
        chosen = [r for r in mine if r.reason != UNCHOSEN]
        learned = len(chosen) - round(len(chosen) * _HELD_BACK)
        tested = [_example(r, TEST) for r in mine if r.reason == UNCHOSEN]
        held = _apart([_example(r, VALIDATION) for r in chosen[learned:]], tested)
        taught = _apart([_example(r, TRAIN) for r in chosen[:learned]], [*held, *tested])
        examples += [*taught, *held, *tested]
    return Dataset(tuple(classes), tuple(examples), purpose=purpose)


def renumbered(
    frames: Sequence[FrameRecord],
    names: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    mapping: Mapping[str, str],
) -> list[FrameRecord]:
    """Labeled frames with the class ids of ``classes``, matched by name.

    Args:
        frames: Labeled frames; their class ids are those of the model that found them.
        names: Class names of models by version.
        classes: Class names by the new class id.
        mapping: Names in ``classes`` by names in the labels, where the two differ.

    Raises:
        DatasetError: A model's class names are unknown, or a label's class is not in ``classes``.
    """
    unknown = sorted({r.model_version for r in frames} - names.keys())
    if unknown:
        raise DatasetError(
            f"frames were labeled with the classes of {unknown[0]}, which is not known here; "
            "set STREETLOOP_MODEL to that model"
        )
    number = {name.casefold(): k for k, name in enumerate(classes)}
    found = []
    for frame in frames:
        label = []
        for box in frame.label or ():
            name = names[frame.model_version][box.class_id]
            class_id = number.get(mapping.get(name, name).casefold())
            if class_id is None:
                raise DatasetError(
                    f"labels are of {name!r}, which the champion does not know; it has "
                    f"{', '.join(classes)}; say which it is with --map {name}=CLASS"
                )
            label.append(replace(box, class_id=class_id))
        found.append(replace(frame, label=None if frame.label is None else tuple(label)))
    return found


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
