"""Charts over time, as numbers: whoever shows them draws them."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, Field


class ChartName(StrEnum):
    """What there are charts of."""

    FPS = "fps"
    LAG = "lag"
    DROPS = "drops"
    OBJECTS = "objects"
    CROSSINGS = "crossings"
    DRIFT = "drift"
    CONFIDENCE = "confidence"
    LABELS = "labels"
    ACCURACY = "accuracy"
    MEASURED = "measured"


class CurveView(BaseModel):
    """One curve of a chart."""

    name: str
    values: list[float | None] = Field(description="by the times of the chart; null is a gap")


class BandView(BaseModel):
    """A stretch of time in which something went on.

    Attributes:
        start: Its begin (UTC).
        end: Its end (UTC); that of the chart while it goes on.
        text: What went on.
        is_bad: Whether it is a reason to worry.
    """

    start: datetime
    end: datetime
    text: str
    is_bad: bool = False


class ChartView(BaseModel):
    """A chart: curves over the same times.

    Attributes:
        name: What it shows.
        title: The same for people.
        unit: Of the values.
        form: How it is drawn: ``line``, ``bars``, or ``steps``, which hold until the next value.
        step_s: Seconds from one time to the next; 0 for ``steps``.
        start: Begin of the period (UTC).
        end: Its end (UTC).
        times: Seconds since 1970, rising; each is the begin of what its values say.
        curves: In the order of the legend.
        threshold: A value that matters; None if there is none.
        bands: Stretches of time behind the curves.
    """

    name: ChartName
    title: str
    unit: str
    form: str = "line"
    step_s: int
    start: datetime
    end: datetime
    times: list[int]
    curves: list[CurveView]
    threshold: float | None = None
    bands: list[BandView] = []


class RemarkView(BaseModel):
    """A sentence about how a camera fares.

    Attributes:
        text: The sentence.
        is_bad: Whether something should be done.
    """

    text: str
    is_bad: bool = False


class HistoryControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def charts(
        self, names: list[ChartName], camera_id: str | None, since: str, until: str | None = None
    ) -> list[ChartView]:
        """Charts of a period, in the order of their names.

        Args:
            names: Which charts.
            camera_id: Of this camera; None for one curve a camera, where a chart is of cameras.
            since: A time, or a duration before now, see `streetloop.local_time.parse_moment`.
            until: The end; None for now.

        Raises:
            ConfigError: A time is wrong, or the period ends before it begins or is too long.
        """

    def explain_lag(self, camera_id: str) -> list[RemarkView]:
        """Why a camera lags or loses frames, in words; or that it does not.

        Raises:
            NotFound: There is no such camera.
        """
