"""Labelled frames as a dataset: who learns from them, and who is judged by them."""

from collections import defaultdict
from collections.abc import Sequence

from labeling.queue import boxes_of
from labeling.task import Reason
from streetloop.ledger.reviews import Review
from train.dataset import TEST, TRAIN, VALIDATION, Dataset, Example, boxes_from

USUAL = "usual"
"""The slice of frames from cameras that did not drift."""

_HELD_BACK = 0.2  # of each camera's frames, the last in time


def dataset_of(reviews: Sequence[Review], classes: Sequence[str], purpose: str) -> Dataset:
    """Make a dataset of labelled frames.

    Frames drawn at random are for the test: they alone measure without bias. Of the others each
    camera's last fifth in time is for validation; never at random, or neighbouring frames would be
    on both sides.

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
        chosen = [r for r in mine if r.reason != Reason.RANDOM.value]
        learned = len(chosen) - round(len(chosen) * _HELD_BACK)
        examples += [_example(r, TRAIN) for r in chosen[:learned]]
        examples += [_example(r, VALIDATION) for r in chosen[learned:]]
        examples += [_example(r, TEST) for r in mine if r.reason == Reason.RANDOM.value]
    return Dataset(tuple(classes), tuple(examples), purpose=purpose)


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
        slices=(review.drift or USUAL,),
        labeler=review.labeler or "",
        reason=review.reason,
        origin=dict(review.origin),
    )
