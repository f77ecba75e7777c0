"""What rules said in recordings, and the figures that follow, for `benchmarks.anomalies`."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.anomaly_plan import KINDS, Piece
from benchmarks.anomaly_streets import CLEAN

_EARLY_S, _LATE_S = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """An anomaly that a rule reported.

    Attributes:
        kind: What.
        began: Second at which it began, as reported.
        told: Second at which it was reported.
        zone: Where; empty for no zone.
    """

    kind: str
    began: float
    told: float
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of a piece.

    Attributes:
        piece: What was played.
        seen: First and last second at which its event could be seen; None if it could not for long
            enough, or there is none.
        alarms: All that was reported.
        queue_errors: Differences in vehicles of queue lengths from the true ones, one a second and
            stop line at which anybody waits.
        frames: Its frames.
        rules_s: Seconds that the rules took for one of them, in the median.
    """

    piece: Piece
    seen: tuple[float, float] | None
    alarms: tuple[Alarm, ...]
    queue_errors: tuple[int, ...]
    frames: int
    rules_s: float

    def hit(self) -> Alarm | None:
        """The first alarm of the event."""
        if self.seen is None:
            return None
        start, end = self.seen[0] - _EARLY_S, self.seen[1] + _LATE_S
        found = (one for one in self.alarms if one.kind == self.piece.kind and start <= one.told <= end)
        return next(found, None)


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Figures by kind, of the queue lengths, and of the time of the rules."""
    clean = [one for one in outcomes if one.piece.kind == CLEAN]
    hours = sum(one.piece.seconds for one in clean) / 3600
    errors = [abs(error) for one in clean for error in one.queue_errors]
    return {
        "camera_hours": round(hours, 2),
        "kinds": {kind: _of_kind(kind, outcomes, clean) for kind in KINDS},
        "queue": {"false_alarms": sum(alarm.kind == "queue" for one in clean for alarm in one.alarms)},
        "queue_length_error_vehicles": round(statistics.fmean(errors), 2) if errors else None,
        "rules_ms_per_frame": round(
            1000 * sum(one.rules_s * one.frames for one in outcomes) / sum(one.frames for one in outcomes), 3
        ),
    }


def _of_kind(kind: str, outcomes: Sequence[Outcome], clean: Sequence[Outcome]) -> dict[str, Any]:
    events = [one for one in outcomes if one.piece.kind == kind and one.seen is not None]
    pairs = [(one, hit) for one in events if (hit := one.hit()) is not None]
    return {
        "events": len(events),
        "recall": round(len(pairs) / len(events), 3) if events else None,
        "false_alarms": sum(alarm.kind == kind for one in clean for alarm in one.alarms),
        "onset_error_s": _median([abs(hit.began - one.seen[0]) for one, hit in pairs if one.seen]),
        "told_after_s": _median([hit.told - one.seen[0] for one, hit in pairs if one.seen]),
    }


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None
