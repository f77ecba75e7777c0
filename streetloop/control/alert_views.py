"""Answers about who is told of events: sinks, mutes, and changes of events."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from streetloop.alerting.mute import Mute


class SinkView(BaseModel):
    """An event sink, and how it fares.

    Attributes:
        name: Its name in the camera file.
        type: ``webhook``, ``mqtt``, ``kafka`` or ``email``.
        address: Where it is, without user, path and query.
        state: ``well``; ``failing`` while it takes nothing; ``away`` once that lasts long; ``gone``
            if the camera file has it no more and something waits for it.
        kinds: The kinds of events that it is sent; None for all.
        cameras: The cameras whose events it is sent; None for all.
        waiting: Changes of events that it was not sent yet.
        oldest_age_s: How long the oldest of them waits, in seconds.
        delivered: Changes that it took.
        dropped: Changes that it will never be sent: they waited too long, or were too many.
        delivered_at: When it last took one.
        failing_since: Since when it takes nothing.
        error: Why.
    """

    name: str
    type: str
    address: str
    state: str
    kinds: list[str] | None = None
    cameras: list[str] | None = None
    waiting: int = Field(ge=0)
    oldest_age_s: float | None = None
    delivered: int = Field(ge=0)
    dropped: int = Field(ge=0)
    delivered_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None


class SinkTestView(BaseModel):
    """What became of a message that tests a sink."""

    sink: str
    delivered: bool
    error: str | None = Field(default=None, description="why it was not delivered yet")


class MuteView(Mute):
    """A mute that holds, with its number; the hours and days are of ``zone``."""

    id: int
    zone: str
    author: str
    at: datetime


class ChangeView(BaseModel):
    """A change of an event, with the message that sinks are sent."""

    number: int
    change: str
    message: dict[str, Any]
