"""What people say about frames in the app, as the ledger keeps it."""

from datetime import datetime

from sqlalchemy import select

from streetloop.boxes import Box
from streetloop.control.label_views import AnswerIn, ReviewBoxView
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.history.app_answers import AppAnswer
from streetloop.ledger.reviews import FrameRecord, ReviewState, find_reviews
from streetloop.ledger.schema.tables import reviews

_ASKED = (ReviewState.PUSHED, ReviewState.LABELED, ReviewState.IN_DATASET, ReviewState.REJECTED)
_LEAST_SIDE = 1.0  # pixel
_SHOWN = 12  # characters of a digest in a sentence


def find_frame(ledger: Ledger, prefix: str) -> FrameRecord:
    """The frame whose digest begins like this.

    Raises:
        NotFound: There is none, or there are several.
    """
    query = select(reviews.c.digest).where(reviews.c.digest.startswith(prefix, autoescape=True)).limit(2)
    with ledger.snapshot() as connection:
        digests = list(connection.execute(query).scalars())
    if len(digests) != 1:
        many = "several frames begin" if digests else "no frame begins"
        raise NotFound(f"{many} with {prefix[:64]!r}")
    return find_reviews(ledger, digests)[0]


def answer_of(frame: FrameRecord, answer: AnswerIn, now: datetime) -> AppAnswer:
    """An answer with the class ids of the frame's model.

    Args:
        frame: The frame.
        answer: What was said about it.
        now: When (UTC).

    Raises:
        ConfigError: The frame is not asked about, or a box has another class or is outside.
    """
    if frame.state not in _ASKED or not frame.classes:
        raise ConfigError(f"frame {frame.digest[:_SHOWN]} is {frame.state}, and takes no answer")
    boxes = None if answer.boxes is None else tuple(_box(frame, box) for box in answer.boxes)
    return AppAnswer(frame.digest, frame.asks, frame.classes, boxes, answer.by.strip() or "app", now)


def _box(frame: FrameRecord, box: ReviewBoxView) -> Box:
    if box.class_name not in frame.classes:
        known = ", ".join(frame.classes[:20])
        raise ConfigError(f"{box.class_name[:40]!r} is no class of the frame's model, which has {known}")
    x1, y1, x2, y2 = box.xyxy
    left, right = sorted(min(max(x, 0.0), float(frame.width)) for x in (x1, x2))
    top, bottom = sorted(min(max(y, 0.0), float(frame.height)) for y in (y1, y2))
    if not (right - left >= _LEAST_SIDE and bottom - top >= _LEAST_SIDE):
        raise ConfigError("a box is smaller than a pixel, or outside the picture")
    sides = (round(left, 1), round(top, 1), round(right, 1), round(bottom, 1))
    return Box(frame.classes.index(box.class_name), sides)
