"""Line counts as API and commands answer them; times are local, with their offset."""

from datetime import datetime

from pydantic import BaseModel, Field

from streetloop.cameras.speed_summary import SpeedSummary


class CountView(BaseModel):
    """Crossings of a line in a bin of time, in one direction and by one class.

    Attributes:
        start: When the bin begins, in the time zone of the settings.
        end: When it ends; the newest bin still grows.
        line: Name of the line.
        direction: ``in`` or ``out``.
        class_name: Class of the tracks, ``class`` in JSON; None where it is unknown, and where
            nothing crossed the line in the whole period.
        count: Crossings.
        inferred: How many of them were concluded across a gap in which the track was not seen.
        coverage: Share of the bin in which the camera was looked at, 0 to 1. A count of 0 with a
            coverage of 0 says nothing about the traffic.
        speed: Of those that were timed; None, and not in JSON, where none was, as on a line
            without a length.
    """

    start: datetime
    end: datetime
    line: str
    direction: str
    class_name: str | None = Field(serialization_alias="class")
    count: int = Field(ge=0)
    inferred: int = Field(ge=0)
    coverage: float = Field(ge=0, le=1)
    speed: SpeedSummary | None = Field(default=None, exclude_if=lambda speed: speed is None)
