"""What a labeler can answer about a frame."""

from dataclasses import dataclass
from datetime import datetime

from streetloop.types import Detections


@dataclass(frozen=True, slots=True)
class Labeled:
    """A label; one without boxes says that nothing is there.

    Attributes:
        digest: Of the frame.
        boxes: In pixels of the image; class ids are those of the model that found the frame.
        labeler: Who answered.
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
    """An answer that cannot be used.

    Attributes:
        digest: Of the frame.
        reason: What is wrong with the answer, in a sentence.
    """

    digest: str
    reason: str


Answer = Labeled | Skipped | Quarantined
"""What can come back for a frame."""
