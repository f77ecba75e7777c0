"""The message of a frame's detections, as `docs/events.md` describes it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.stream.analysis.results import Result
from streetloop.types import UNCONFIRMED

SCHEMA = 1
"""Rises when a key goes or changes its meaning."""


@dataclass(frozen=True, slots=True)
class DetectionMessage:
    """The detections of one frame.

    Attributes:
        camera_id: The camera.
        payload: JSON.
    """

    camera_id: str
    payload: str


def message_of(result: Result, names: tuple[str, ...], confidence: float) -> DetectionMessage:
    """The detections of a result as a message; its picture is not kept.

    Args:
        result: The result.
        names: Class names by class id.
        confidence: Boxes below it are left out unless they belong to a confirmed track, 0 to 1.
    """
    frame, found = result.frame, result.tracked.detections
    shown = (found.confidence >= confidence) | (result.tracked.track_id != UNCONFIRMED)
    content = {
        "schema": SCHEMA,
        "camera_id": frame.camera_id,
        "frame_id": frame.frame_id,
        "pts": round(frame.pts, 3),
        "captured_at": frame.captured_at.isoformat().replace("+00:00", "Z"),
        "width": frame.picture.width,
        "height": frame.picture.height,
        "model": result.model_version,
        "detections": [_detection(result, int(row), names) for row in np.flatnonzero(shown)],
    }
    return DetectionMessage(frame.camera_id, json.dumps(content, ensure_ascii=False))


def _detection(result: Result, row: int, names: tuple[str, ...]) -> dict[str, Any]:
    found, track = result.tracked.detections, int(result.tracked.track_id[row])
    return {
        "track_id": None if track == UNCONFIRMED else track,
        "class": names[int(found.class_id[row])],
        "confidence": round(float(found.confidence[row]), 4),
        "box": [round(value, 1) for value in found.xyxy[row].tolist()],
        "counted": bool(result.counted[row]),
    }
