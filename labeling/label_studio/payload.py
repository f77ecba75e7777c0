"""A frame as a task of Label Studio, and what its tasks say when they come back."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from labeling.annotators import Annotation, Resolve, Subject, settle
from labeling.label_studio.config import LabelControl
from labeling.label_studio.rectangles import Unusable, prediction_score, to_results
from labeling.task import Answer, Quarantined, Task

_MAX_RAW_CHARS = 100_000


def to_request(task: Task, image: str, control: LabelControl, image_until: str = "") -> dict[str, Any]:
    """A frame with the model's boxes, as Label Studio imports it.

    Args:
        task: The frame.
        image: Where the annotator's browser finds the picture.
        control: The labelling interface.
        image_until: Up to when it is found there; empty for ever.
    """
    at = task.captured_at.astimezone(UTC)
    drift = f", {task.drift}" if task.drift else ""
    data = {
        "image": image,
        "image_until": image_until,
        "digest": task.digest,
        "camera": task.camera_id,
        "captured_at": at.isoformat(),
        "reason": task.reason.value,
        "drift": task.drift,
        "score": task.score if math.isfinite(task.score) else 0.0,
        "width": task.width,
        "height": task.height,
        "about": f"{task.camera_id}, {at:%Y-%m-%d %H:%M:%S} UTC: {task.reason.value}{drift}",
    }
    prediction = {
        "model_version": task.model_version,
        "score": prediction_score(task.boxes),
        "result": to_results(task.boxes, control, task.width, task.height, task.digest[:8]),
    }
    return {"data": data, "predictions": [prediction]}


def digest_of(raw: Mapping[str, Any]) -> str | None:
    """The digest that a task of Label Studio carries; None if it is none of ours."""
    data = raw.get("data")
    digest = data.get("digest") if isinstance(data, dict) else None
    return digest if isinstance(digest, str) else None


def to_answer(
    digest: str,
    data: Mapping[str, Any],
    annotations: list[Any],
    people: Mapping[int, str],
    control: LabelControl,
    resolve: Resolve,
) -> Answer | None:
    """What people made of a frame; None while more of them are needed.

    Args:
        digest: Which frame.
        data: Of its task.
        annotations: As Label Studio gave them.
        people: Name by the id of a user.
        control: The labelling interface.
        resolve: How several become one.
    """
    try:
        subject = Subject(digest, _side(data, "width"), _side(data, "height"))
        read = [_annotation(raw, people) for raw in annotations]
    except ValueError as error:
        return Quarantined(digest, str(error), _bounded({"annotations": annotations}))
    answer = settle(subject, read, control.class_ids, resolve)
    if isinstance(answer, Quarantined):
        return Quarantined(digest, answer.reason, _bounded(answer.raw))
    return answer


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


def _bounded(raw: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an odd answer: a brush stroke can be megabytes."""
    text = json.dumps(raw, default=str)
    if len(text) <= _MAX_RAW_CHARS:
        kept: dict[str, Any] = json.loads(text)
        return kept
    return {"cut": text[:_MAX_RAW_CHARS]}
