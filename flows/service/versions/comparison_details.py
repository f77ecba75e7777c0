"""Curves of two versions, and frames on which they differ."""

import cv2
import numpy as np

from streetloop.control.versions.comparison_details import (
    ComparedBoxView,
    ComparedFrameView,
    ComparisonDetailsView,
    CurvePairView,
    FrameSideView,
)
from streetloop.images import decode_image, encode_jpeg
from streetloop.ledger.evaluations import EvaluationRun
from train.evaluation.kept_evaluation import RECALLS, SHOWN_CONFIDENCE, KeptBox, KeptEvaluation, KeptFrame

_MAX_FRAMES = 8
_MAX_WIDTH = 1280
_QUALITY = 85

Curve = list[float | None]


def comparison_details(
    runs: tuple[EvaluationRun, EvaluationRun], kept: tuple[KeptEvaluation, KeptEvaluation]
) -> ComparisonDetailsView:
    """What two evaluations on one dataset kept, beside each other.

    Args:
        runs: Of the first version and of the second.
        kept: What each kept.
    """
    first, second = kept
    return ComparisonDetailsView(
        first=int(runs[0].model),
        second=int(runs[1].model),
        evaluations=(runs[0].id, runs[1].id),
        dataset=runs[0].dataset,
        images=first.images,
        looked_at=len(first.frames),
        confidence=SHOWN_CONFIDENCE,
        recalls=[round(recall, 2) for recall in RECALLS.tolist()],
        curves=_curves(first, second),
        frames=[_frame(one, other) for one, other in differing_frames(first, second)],
    )


def differing_frames(first: KeptEvaluation, second: KeptEvaluation) -> list[tuple[KeptFrame, KeptFrame]]:
    """The frames of which one found more than the other, or less wrongly, by how much.

    Args:
        first: Of one version.
        second: Of the other one, on the same dataset.
    """
    others = {frame.image: frame for frame in second.frames}
    pairs = [(one, others[one.image]) for one in first.frames if one.image in others]
    differing = [(abs(_errors(one) - _errors(other)), one, other) for one, other in pairs]
    differing.sort(key=lambda found: -found[0])
    return [(one, other) for by, one, other in differing[:_MAX_FRAMES] if by]


def as_shown(data: bytes) -> bytes:
    """An image as JPEG, at most 1280 pixels wide.

    Args:
        data: The encoded image, of a dataset.

    Raises:
        ImageUnreadable: It cannot be decoded.
    """
    image = decode_image(data)
    height, width = image.shape[:2]
    if width > _MAX_WIDTH:
        size = _MAX_WIDTH, max(1, round(height * _MAX_WIDTH / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return encode_jpeg(image, _QUALITY)


def _curves(first: KeptEvaluation, second: KeptEvaluation) -> list[CurvePairView]:
    names = sorted(first.curves.keys() | second.curves.keys())
    nothing: Curve = [None] * len(RECALLS)
    pairs = [(name, first.curves.get(name, nothing), second.curves.get(name, nothing)) for name in names]
    return [_pair(None, _mean(first), _mean(second)), *(_pair(*one) for one in pairs)]


def _pair(name: str | None, first: Curve, second: Curve) -> CurvePairView:
    return CurvePairView(
        name=name, first=first, second=second, first_area=_area(first), second_area=_area(second)
    )


def _mean(kept: KeptEvaluation) -> Curve:
    """Over the classes; one that does not reach a recall counts with 0, as in mAP."""
    columns = zip(*kept.curves.values(), strict=True) if kept.curves else ()
    found = [
        None if all(one is None for one in column) else float(np.mean([one or 0.0 for one in column]))
        for column in columns
    ]
    return [None if one is None else round(one, 4) for one in found] or [None] * len(RECALLS)


def _area(curve: Curve) -> float:
    return round(float(np.mean([one or 0.0 for one in curve])), 4)


def _errors(frame: KeptFrame) -> int:
    return frame.missed + frame.false


def _frame(one: KeptFrame, other: KeptFrame) -> ComparedFrameView:
    return ComparedFrameView(
        image=one.image,
        camera_id=one.camera_id,
        width=one.width,
        height=one.height,
        truth=_boxes(one.truth),
        first=_side(one),
        second=_side(other),
    )


def _side(frame: KeptFrame) -> FrameSideView:
    return FrameSideView(missed=frame.missed, false=frame.false, boxes=_boxes(frame.found))


def _boxes(boxes: list[KeptBox]) -> list[ComparedBoxView]:
    return [ComparedBoxView(**box.model_dump()) for box in boxes]
