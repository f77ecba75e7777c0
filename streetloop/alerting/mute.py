"""Mutes: events that are logged and not sent."""

import re
from datetime import datetime, time
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from streetloop.errors import ConfigError

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_BETWEEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Mute(BaseModel):
    """Which events are not sent.

    Attributes:
        camera: Only of the camera with this id; None for all.
        kind: Only of this kind; None for all.
        between: Only those that begin in these hours of local time, ``22:00-06:00``; None for all.
        days: Only on these days; hours past midnight are of the day on which they began. None for
            all.
        until: Until when (with its offset from UTC); None for ever.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    kind: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    between: str | None = None
    days: tuple[Day, ...] | None = Field(default=None, min_length=1)
    until: AwareDatetime | None = None

    @field_validator("between")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        if value is None:
            return None
        found = _BETWEEN.fullmatch(value)
        if found is None or value[:5] == value[6:]:
            raise ValueError("is a span of hours such as 22:00-06:00")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> "Mute":
        if not self.model_dump(exclude_none=True):
            raise ValueError("names nothing; name a camera, a kind, days, hours or an end")
        return self

    def covers(self, kind: str, camera_id: str | None, local: datetime) -> bool:
        """Whether it mutes an event.

        >>> night = Mute(kind="queue", between="22:00-06:00", days=("fri",))
        >>> night.covers("queue", "a40", datetime(2026, 3, 7, 1, 0))  # Saturday, of Friday's night
        True

        Args:
            kind: Of the event.
            camera_id: Of the event.
            local: When it began, in the time zone of the settings.
        """
        if self.camera not in {None, camera_id} or self.kind not in {None, kind}:
            return False
        if self.until is not None and local.tzinfo is not None and local >= self.until:
            return False
        day = local.weekday()
        if self.between is not None:
            start, end, now = *_span(self.between), local.time()
            if not (start <= now < end if start < end else now >= start or now < end):
                return False
            if start > end and now < end:
                day = (day - 1) % 7
        return self.days is None or DAYS[day] in self.days


def parse_mute(raw: Any) -> Mute:
    """Check one mute.

    Raises:
        ConfigError: Something is wrong with it; the message names the key.
    """
    try:
        return Mute.model_validate(raw)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in fault["loc"])
        message = str(fault["msg"]).removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = f"is unknown; known are {', '.join(Mute.model_fields)}"
        raise ConfigError(f"mute: {path + ': ' if path else ''}{message[:1].lower() + message[1:]}") from None


def _span(between: str) -> tuple[time, time]:
    return time.fromisoformat(between[:5]), time.fromisoformat(between[6:])
