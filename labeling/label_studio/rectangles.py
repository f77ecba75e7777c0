"""Converts boxes to Label Studio's rectangles, in percent of the image, and back to pixels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.label_studio.config import RectangleControl
from streetloop.types import Detections

MAX_BOXES = 2000
"""Largest number of results of one annotation."""

_LEAST_ANGLE = 1e-3  # degrees; moves the corner of an 8K image by a tenth of a pixel

# Results of other controls that a person may add to the interface; they hold no boxes.
_NOT_SHAPES = frozenset(
    {"choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise", "relation"}
)


class Unusable(ValueError):
    """An annotation cannot be used as a label; the message says why."""


def to_results(
    boxes: Detections, classes: Sequence[str], control: RectangleControl, width: int, height: int, prefix: str
) -> list[dict[str, Any]]:
    """Convert a model's boxes to the ``result`` of a prediction.

    Args:
        boxes: In pixels; boxes without an area inside the image are left out.
        classes: Class names by class id; the interface has a label for each.
        control: The labeling interface.
        width: Of the image, in pixels.
        height: Of the image, in pixels.
        prefix: Of the results' ids.
    """
    size = np.array([width, height] * 2, np.float64)
    finite = np.nan_to_num(boxes.xyxy.astype(np.float64), nan=0.0, posinf=1e9, neginf=-1e9)
    percent = np.clip(finite / size, 0, 1) * 100
    results = []
    for index, (left, top, right, bottom) in enumerate(percent.tolist()):
        if right <= left or bottom <= top:
            continue
        value = {
            "x": left,
            "y": top,
            "width": right - left,
            "height": bottom - top,
            "rotation": 0,
            "rectanglelabels": [control.labels[classes[int(boxes.class_id[index])]]],
        }
        results.append(
            {
                "id": f"{prefix}-{index}",
                "type": "rectanglelabels",
                "from_name": control.from_name,
                "to_name": control.to_name,
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "score": _score(float(boxes.confidence[index])),
                "value": value,
            }
        )
    return results


def prediction_score(boxes: Detections) -> float:
    """Mean confidence of a frame's boxes; 0 without boxes."""
    return _score(float(np.mean(boxes.confidence))) if len(boxes) else 0.0


def read_boxes(results: object, class_ids: Mapping[str, int], width: int, height: int) -> Detections:
    """Read the boxes of an annotation in pixels, clipped to the image.

    A rectangle that was drawn backwards is turned round. Of a rotated one this is the upright
    rectangle around it.

    Args:
        results: The ``result`` of an annotation; untrusted input.
        class_ids: Class id by class name in Label Studio.
        width: Of the image, in pixels.
        height: Of the image, in pixels.

    Raises:
        Unusable: A result is not a labeled rectangle; the message says what it is.
    """
    if not isinstance(results, list) or len(results) > MAX_BOXES:
        raise Unusable(f"the annotation is not a list of at most {MAX_BOXES} results")
    boxes: list[list[float]] = []
    ids: list[int] = []
    for result in results:
        if not isinstance(result, dict):
            raise Unusable("a result of the annotation is not an object")
        if str(result.get("type")) not in _NOT_SHAPES:
            boxes.append(_box(result, width, height))
            ids.append(_class_id(result, class_ids))
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32), np.array(ids, np.int64)
    )


def _box(result: dict[str, Any], width: int, height: int) -> list[float]:
    kind = result.get("type")
    if kind != "rectanglelabels":
        raise Unusable(f"a {_short(kind)} is not a labeled rectangle")
    value = result.get("value")
    if not isinstance(value, dict):
        raise Unusable("a rectangle has no value")
    if _angle(result, "image_rotation"):
        raise Unusable("the image was rotated")
    x, y, w, h = (_number(value, key) for key in ("x", "y", "width", "height"))
    if w == 0 or h == 0:
        raise Unusable("a rectangle has no area")
    corners = _corners(x, y, w, h, _angle(value, "rotation"), height / width)
    xs, ys = np.clip(corners, 0.0, 100.0).T
    left, right = (float(side) * width / 100 for side in (xs.min(), xs.max()))
    top, bottom = (float(side) * height / 100 for side in (ys.min(), ys.max()))
    if right <= left or bottom <= top:
        raise Unusable("a rectangle lies outside the image")
    return [left, top, right, bottom]


def _corners(x: float, y: float, w: float, h: float, angle: float, aspect: float) -> NDArray[np.float64]:
    """(4, 2) corners in percent of a rectangle that is turned clockwise about (x, y).

    Args:
        x: Of the first corner, in percent of the width.
        y: Of the first corner, in percent of the height.
        w: Width in percent of the image's; negative to the left.
        h: Height in percent of the image's; negative upwards.
        angle: In degrees. Label Studio turns in pixels, not in percent.
        aspect: Height of the image divided by its width.
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, down = np.array([w * cos, w * sin / aspect]), np.array([-h * aspect * sin, h * cos])
    first = np.array([x, y])
    return np.stack([first, first + along, first + along + down, first + down])


def _class_id(result: dict[str, Any], class_ids: Mapping[str, int]) -> int:
    labels = result["value"].get("rectanglelabels")
    if not isinstance(labels, list) or len(labels) != 1:
        raise Unusable("a rectangle has no class, or several")
    if not isinstance(labels[0], str) or labels[0] not in class_ids:
        raise Unusable(f"class {_short(labels[0])} is none of the labeling interface")
    return class_ids[labels[0]]


def _angle(values: dict[str, Any], key: str) -> float:
    """Degrees of a rotation; 0 for whole turns, and for what nobody sees."""
    if values.get(key) is None:
        return 0.0
    angle = math.remainder(_number(values, key), 360.0)
    return angle if abs(angle) > _LEAST_ANGLE else 0.0


def _number(value: dict[str, Any], key: str) -> float:
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Unusable(f"a rectangle's {key} is not a number")
    if not abs(number) <= 1e6:  # nor NaN
        raise Unusable(f"a rectangle's {key} is out of all bounds")
    return float(number)


def _score(number: float) -> float:
    return min(max(number, 0.0), 1.0) if math.isfinite(number) else 0.0


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
