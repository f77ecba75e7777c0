"""The nouns of labelling: a frame to ask about, and what somebody answered."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from streetloop.types import Detections


class SelectionReason(StrEnum):
    """Why a frame was chosen."""

    UNSURE = "unsure"
    FLICKER = "flicker"
    DISAGREEMENT = "disagreement"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Drift:
    """A camera drifts in a way that labels help against.

    Attributes:
        cause: The likeliest.
        since: When it most likely began (UTC).
    """

    cause: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """One frame that somebody is asked to label.

    Attributes:
        digest: SHA-256 of the JPEG, in hex; names the frame everywhere.
        image_key: Where the JPEG is in the object store.
        width: Of the image in pixels.
        height: Of the image in pixels.
        camera_id: Which camera.
        captured_at: When (UTC).
        reason: Why it was chosen.
        score: How much it was wanted, 0 to 1.
        rank: Its place in the choice it was part of, from 0.
        model_version: Which model the boxes are from.
        boxes: What the model found, in pixels of the image.
        drift: Likeliest cause of the camera's drift when it was taken; empty without.
        origin: Where it can be looked up again, such as URI and frame of a simulated camera.
        asked_at: When somebody was asked about it (UTC); None if nobody was yet.
    """

    digest: str
    image_key: str
    width: int
    height: int
    camera_id: str
    captured_at: datetime
    reason: SelectionReason
    score: float
    rank: int
    model_version: str
    boxes: Detections
    drift: str = ""
    origin: dict[str, Any] = field(default_factory=dict)
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Labeled:
    """Somebody labelled a frame; an empty one is a label, too.

    Attributes:
        digest: Which frame.
        boxes: What is there, in pixels of the image; the class ids are those of the task's classes.
        labeler: Who.
        at: When (UTC).
    """

    digest: str
    boxes: Detections
    labeler: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """Somebody looked at a frame and declined to label it."""

    digest: str
    labeler: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An answer that cannot be used, with the reason; it is kept for a person to look at.

    Attributes:
        digest: Which frame.
        reason: What is wrong with the answer, in a sentence.
        raw: The answer as it came.
    """

    digest: str
    reason: str
    raw: dict[str, Any]


Answer = Labeled | Skipped | Quarantined
"""What can come back for a frame."""
