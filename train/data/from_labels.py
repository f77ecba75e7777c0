"""Labelled frames as a dataset: who learns from them, and who is judged by them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from labeling.queue import boxes_of
from labeling.task import SelectionReason
from streetloop.errors import DatasetError
from streetloop.ledger.reviews import Review
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example, boxes_from
from train.data.validation import APART_S

USUAL = "usual"
"""The slice of frames from cameras that did not drift."""

UNCHOSEN = SelectionReason.RANDOM.value
"""The slice of frames that were drawn and not chosen: what it says is without bias."""

_HELD_BACK = 0.2  # of each camera's frames, the last in time


def dataset_of(reviews: Sequence[Review], classes: Sequence[str], purpose: str) -> Dataset:
    """Make a dataset of labelled frames.

    Frames drawn at random are for the test, and a slice of their own: they alone measure without
    bias. Of the others each camera's last fifth in time is for validation; never at random, or
    neighbouring frames would be on both sides. A frame that lies too near in time to one that is
    judged by is left out.

    Args:
        reviews: Labelled frames.
        classes: What the class ids of their labels mean.
        purpose: What the dataset is for.
    """
    by_camera: dict[str, list[Review]] = defaultdict(list)
    for review in sorted(reviews, key=lambda r: r.captured_at):
        if review.label is not None:
            by_camera[review.camera_id].append(review)
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
    reviews: Sequence[Review],
    names: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    mapping: Mapping[str, str],
) -> list[Review]:
    """Labelled frames with the class ids of ``classes``, matched by name.

    Args:
        reviews: Labelled frames; their class ids are those of the model that found them.
        names: Class names of models by version.
        classes: What class ids shall mean.
        mapping: Names in ``classes`` by those of the labels, where names alone do not say it.

    Raises:
        DatasetError: A model is not known, or a class is not among ``classes``.
    """
    unknown = sorted({r.model_version for r in reviews} - names.keys())
    if unknown:
        raise DatasetError(
            f"frames were labelled with the classes of {unknown[0]}, which is not known here; "
            "set STREETLOOP_MODEL to that model"
        )
    number = {name.casefold(): k for k, name in enumerate(classes)}
    wanted = {
        version: [number.get(mapping.get(name, name).casefold()) for name in known]
        for version, known in names.items()
    }
    found = []
    for review in reviews:
        ids = wanted[review.model_version]
        label = [{**box, "class_id": ids[box["class_id"]]} for box in review.label or ()]
        lost = [k for k, box in enumerate(label) if box["class_id"] is None]
        if lost:
            name = names[review.model_version][review.label[lost[0]]["class_id"]]
            raise DatasetError(
                f"labels are of {name!r}, which the champion does not know; it has "
                f"{', '.join(classes)}; say which it is with --map {name}=CLASS"
            )
        found.append(replace(review, label=label if review.label is not None else None))
    return found


def _apart(examples: Sequence[Example], others: Sequence[Example]) -> list[Example]:
    """Those that are not neighbours in time of frames that must not be known."""
    times = [e.captured_at.timestamp() for e in others if e.captured_at is not None]
    return [
        example
        for example in examples
        if example.captured_at is None
        or all(abs(example.captured_at.timestamp() - t) >= APART_S for t in times)
    ]


def _example(review: Review, split: str) -> Example:
    return Example(
        image=review.digest,
        key=review.image_key,
        width=review.width,
        height=review.height,
        boxes=boxes_from(boxes_of(review.label)),
        split=split,
        camera_id=review.camera_id,
        captured_at=review.captured_at,
        slices=(review.drift or USUAL, *((UNCHOSEN,) if review.reason == UNCHOSEN else ())),
        labeler=review.labeler or "",
        reason=review.reason,
        origin=dict(review.origin),
    )
