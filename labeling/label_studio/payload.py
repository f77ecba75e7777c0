"""Converts a frame to a Label Studio task, and the annotations of a task to an answer."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from labeling.annotators import Annotation, Resolve, Subject, settle
from labeling.answers import Answer, Quarantined
from labeling.label_studio.config import RectangleControl
from labeling.label_studio.rectangles import Unusable, prediction_score, to_results
from streetloop.boxes import to_detections
from streetloop.ledger.reviews import FrameRecord, SelectionReason

SHOWN = "streetloop"
"""Model version of every prediction in Label Studio, which shows those of one version only."""

_WHY = {
    SelectionReason.UNSURE: "unsure: the model is between yes and no about a box",
    SelectionReason.FLICKER: "flicker: an object changes its class, or is lost and found",
    SelectionReason.DISAGREEMENT: "disagreement: two models differ",
    SelectionReason.RANDOM: "random: drawn by chance, it measures the model",
}


def to_request(
    frame: FrameRecord, image: str, control: RectangleControl, image_until: str = ""
) -> dict[str, Any]:
    """Build the task that Label Studio imports: a frame, and the boxes that were shown.

    Args:
        frame: The frame.
        image: Address of the image for the annotator's browser.
        control: The labeling interface.
        image_until: When the address expires, in ISO 8601; empty if never.
    """
    boxes = to_detections(frame.shown)
    at = frame.captured_at.astimezone(UTC)
    drift = f", {frame.drift}" if frame.drift else ""
    data = {
        "image": image,
        "image_until": image_until,
        "digest": frame.digest,
        "ask": frame.asks,
        "model": frame.model_version,
        "camera": frame.camera_id,
        "captured_at": at.isoformat(),
        "reason": frame.reason.value,
        "drift": frame.drift,
        "score": frame.score if math.isfinite(frame.score) else 0.0,
        "width": frame.width,
        "height": frame.height,
        "about": f"{frame.camera_id}, {at:%Y-%m-%d %H:%M:%S} UTC: {_WHY[frame.reason]}{drift}",
    }
    prediction = {
        "model_version": SHOWN,
        "score": prediction_score(boxes),
        "result": to_results(boxes, frame.classes, control, frame.width, frame.height, frame.digest[:8]),
    }
    return {"data": data, "predictions": [prediction]}


def digest_of(raw: Mapping[str, Any]) -> str | None:
    """The frame digest in a Label Studio task; None if streetloop did not create the task."""
    data = raw.get("data")
    digest = data.get("digest") if isinstance(data, dict) else None
    return digest if isinstance(digest, str) else None


def ask_of(raw: Mapping[str, Any]) -> int:
    """How many times the frame of a task was asked anew when the task was created."""
    ask = raw["data"].get("ask")
    return ask if isinstance(ask, int) else 0


def to_answer(
    raw: Mapping[str, Any],
    annotations: Sequence[Any],
    people: Mapping[int, str],
    names: Mapping[str, str],
    resolve: Resolve,
    url: str | None = None,
) -> Answer | None:
    """Turn all annotations of a frame into one answer; None while more are needed.

    Args:
        raw: A task of streetloop's, as Label Studio returned it.
        annotations: The task's annotations, as Label Studio returned them.
        people: User names by user id.
        names: Class name by what results call it.
        resolve: How several annotations become one answer.
        url: Where the task is annotated.
    """
    digest, data = str(digest_of(raw)), raw["data"]
    try:
        subject = Subject(digest, _side(data, "width"), _side(data, "height"), url)
        read = [_annotation(one, people) for one in annotations]
    except ValueError as error:
        return Quarantined(digest, str(error), url=url)
    return settle(subject, read, names, resolve)


def _annotation(raw: object, people: Mapping[int, str]) -> Annotation:
    if not isinstance(raw, dict):
        raise Unusable("an annotation is not an object")
    return Annotation(
        _who(raw.get("completed_by"), people),
        _when(raw.get("updated_at") or raw.get("created_at")),
        bool(raw.get("was_cancelled")),
        raw.get("result"),
    )


def _who(user: object, people: Mapping[int, str]) -> str:
    if isinstance(user, dict):
        return str(user.get("email") or user.get("id") or "unknown")
    return people.get(user, f"user {user}") if isinstance(user, int) else "unknown"


def _when(value: object) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise Unusable("an annotation has no time")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _side(data: Mapping[str, Any], key: str) -> int:
    side = data.get(key)
    if isinstance(side, bool) or not isinstance(side, int) or not 0 < side <= 100_000:
        raise Unusable(f"the task has lost the {key} of its image")
    return side
