"""Frames of the review queue, and events, by the name of a frame and by time."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.events import Event
from streetloop.ledger.lookups.frame_name import FrameName
from streetloop.ledger.reviews import FrameRecord, read_reviews
from streetloop.ledger.schema.tables import events, reviews


def frames_like(ledger: Ledger, start: str, most: int) -> list[FrameRecord]:
    """Frames whose digest begins so, by digest.

    Args:
        ledger: The ledger.
        start: The digest, or its first characters.
        most: Largest number of frames.
    """
    query = select(reviews).where(reviews.c.digest.startswith(start, autoescape=True))
    return read_reviews(ledger, query.order_by(reviews.c.digest).limit(most))


def frames_named(ledger: Ledger, name: FrameName) -> list[FrameRecord]:
    """Pictures that were kept of a frame: one for each way in which it became a candidate."""
    return read_reviews(ledger, select(reviews).where(_is_of(reviews, "origin", name)))


def frames_captured(
    ledger: Ledger, camera_id: str, start: datetime, end: datetime, most: int
) -> list[FrameRecord]:
    """Frames of a camera that were captured in a period, the oldest first.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        start: Begin of the period (UTC).
        end: Its end (UTC), which is of the period.
        most: Largest number of frames.
    """
    query = select(reviews).where(
        reviews.c.camera_id == camera_id, reviews.c.captured_at >= start, reviews.c.captured_at <= end
    )
    return read_reviews(ledger, query.order_by(reviews.c.captured_at, reviews.c.digest).limit(most))


def events_named(ledger: Ledger, name: FrameName) -> list[Event]:
    """Events that began in a frame, the oldest first."""
    query = select(events).where(_is_of(events, "detail", name)).order_by(events.c.started_at, events.c.id)
    with ledger.snapshot() as connection:
        return [Event(**row) for row in connection.execute(query).mappings()]


def _is_of(table: Table, column: str, name: FrameName) -> ColumnElement[bool]:
    """The condition that the JSON of a row names a frame of its camera."""
    record = table.c[column]
    return and_(
        table.c.camera_id == name.camera_id,
        record["run"].as_string() == name.run,
        record["frame_id"].as_integer() == name.frame_id,
    )
