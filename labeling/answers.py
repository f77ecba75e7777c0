"""What a labeler can answer about a frame."""

from dataclasses import dataclass
from datetime import datetime

from streetloop.types import Detections


@dataclass(frozen=True, slots=True)
class Labeled:
    """A label; one without boxes says that nothing is there.

    Attributes:
        digest: Of the frame.
        boxes: In pixels of the image; class ids are indices into `classes`.
        classes: Class names that the labeler could choose from. They are matched by name with those
            of the model that found the frame, whatever their order here.
        labeler: Who answered.
        at: When (UTC). An answer of another time takes the place of the one before.
        url: Where a person can change the answer; None if nowhere.
    """

    digest: str
    boxes: Detections
    classes: tuple[str, ...]
    labeler: str
    at: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Somebody looked at a frame and declined to label it; attributes as of `Labeled`."""

    digest: str
    labeler: str
    at: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An answer that cannot be used.

    Attributes:
        digest: Of the frame.
        reason: What is wrong with the answer, in a sentence.
        at: When it was given (UTC); None if the answer does not say.
        url: Where a person can change the answer; None if nowhere.
    """

    digest: str
    reason: str
    at: datetime | None = None
    url: str | None = None


Answer = Labeled | Skipped | Quarantined
"""What can come back for a frame."""
