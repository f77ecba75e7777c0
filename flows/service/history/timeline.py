"""A period in steps, and values by step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from streetloop.control.history.charts import BandView, ChartName, ChartView, CurveView
from streetloop.errors import ConfigError
from streetloop.ledger.line_counts import minute_of
from streetloop.local_time import parse_moment

_STEPS_MIN = (1, 5, 15, 30, 60, 180, 360, 1440)
_MAX_STEPS = 360  # more than a screen has room for
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A period, and the steps that its values are summed up in.

    Attributes:
        start: Its begin (UTC), at the begin of a step.
        end: Its end (UTC).
        minutes: Length of a step.
    """

    start: datetime
    end: datetime
    minutes: int

    @property
    def firsts(self) -> list[int]:
        """The first minute of each step, since 1970."""
        return list(range(minute_of(self.start), minute_of(self.end), self.minutes))

    def chart(
        self,
        name: ChartName,
        title: str,
        unit: str,
        curves: Mapping[str, Mapping[int, float | None]],
        form: str = "line",
    ) -> ChartView:
        """A chart over all steps.

        Args:
            name: What it shows.
            title: The same for people.
            unit: Of the values.
            curves: Values by first minute of the step, by name; a step without value is a gap.
            form: See `ChartView`.
        """
        firsts = self.firsts
        return ChartView(
            name=name,
            title=title,
            unit=unit,
            form=form,
            step_s=60 * self.minutes,
            start=self.start,
            end=self.end,
            times=[60 * first for first in firsts],
            curves=[
                CurveView(name=curve, values=[_rounded(values.get(first)) for first in firsts])
                for curve, values in curves.items()
            ],
        )

    def held(
        self,
        name: ChartName,
        title: str,
        times: Sequence[int],
        curves: Mapping[str, Sequence[float | None]],
        bands: Sequence[BandView],
    ) -> ChartView:
        """A chart of values from 0 to 1 that hold until the next.

        Args:
            name: What it shows.
            title: The same for people.
            times: Seconds since 1970 at which a value begins.
            curves: Values at these times, by name.
            bands: Drawn behind the curves.
        """
        return ChartView(
            name=name,
            title=title,
            unit="0 to 1",
            form="steps",
            step_s=0,
            start=self.start,
            end=self.end,
            times=list(times),
            curves=[CurveView(name=curve, values=list(values)) for curve, values in curves.items()],
            bands=list(bands),
        )

    def step_of(self, second: float) -> int:
        """The first minute of the step that holds a second since 1970."""
        minute = int(second // 60)
        return minute - minute % self.minutes

    def means(self, values: Iterable[tuple[float, float]]) -> dict[int, float | None]:
        """Means by step of pairs of a second since 1970 and a value."""
        sums: dict[int, tuple[float, int]] = {}
        for second, value in values:
            total, count = sums.get(self.step_of(second), (0.0, 0))
            sums[self.step_of(second)] = total + value, count + 1
        return {step: total / count for step, (total, count) in sums.items()}


def timeline(since: str, until: str | None, now: datetime, zone: tzinfo) -> Timeline:
    """The period between two times as people write them.

    Args:
        since: Its begin, see `streetloop.local_time.parse_moment`.
        until: Its end; None for now.
        now: The current time (UTC).
        zone: The time zone of what has no offset.

    Raises:
        ConfigError: A time is wrong, or the period ends before it begins or is longer than a year.
    """
    start = parse_moment(since, now, zone)
    end = now if until is None else parse_moment(until, now, zone)
    if end <= start:
        raise ConfigError("the period does not end after it begins")
    if end - start > _LONGEST:
        raise ConfigError("the period is longer than a year; begin later")
    length_min = (end - start) / timedelta(minutes=1)
    minutes = next((step for step in _STEPS_MIN if length_min / step <= _MAX_STEPS), _STEPS_MIN[-1])
    first = minute_of(start) - minute_of(start) % minutes
    # The minute that still grows would look like a fall.
    last = minute_of(end) if until is not None else max(minute_of(end), first + 1)
    return Timeline(datetime.fromtimestamp(60 * first, UTC), datetime.fromtimestamp(60 * last, UTC), minutes)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
