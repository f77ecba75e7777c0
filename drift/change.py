"""What the watch has to say, and when it says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from drift.causes import ASKS_FOR_LABELS
from drift.comparison import FeatureResult
from drift.features import NAMES
from drift.tail import PEAKS


class ChangeKind(StrEnum):
    """What the watch has to say."""

    DRIFT = "drift"
    DRIFT_OVER = "drift over"
    FAULT = "fault"
    FAULT_OVER = "fault over"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that began or ended at a camera.

    Attributes:
        kind: What.
        camera_id: Where.
        at: When it was noticed.
        since: When it began.
        model_version: Who was in charge.
        fault: Which fault of the stream, for those.
        causes: Of a drift, likeliest first.
        answers: Of a drift, by feature.
        source: Which reference the camera was held against.
    """

    kind: ChangeKind
    camera_id: str
    at: datetime
    since: datetime
    model_version: str
    fault: str = ""
    causes: tuple[str, ...] = ()
    answers: Mapping[str, FeatureResult] = field(default_factory=dict)
    source: str = ""

    @property
    def asks_for_labels(self) -> bool:
        """True if labels help against the likeliest cause."""
        return bool(self.causes) and self.causes[0] in ASKS_FOR_LABELS


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """When the watch speaks.

    Attributes:
        days_between_false_alarms: For each camera.
        false_discoveries: Share of alarms, over cameras and features, that may be false.
        least_effect: In spreads of the reference.
        period_s: How long a minute is.
    """

    days_between_false_alarms: float = 60.0
    false_discoveries: float = 0.05
    least_effect: float = 1.0
    period_s: float = 60.0

    @property
    def rarity(self) -> float:
        """Probability of a false alarm a minute and feature."""
        # Every minute counts as a test of its own, though windows overlap: with three for each
        # quarter of an hour, 1.2 to 1.8 false alarms a month came through where minutes are
        # independent. The features of a camera share what is allowed. A day has 1440 minutes,
        # however long one is.
        tests = 1440.0 * self.days_between_false_alarms * len(NAMES)
        return min(PEAKS, 1 / tests)  # a rule for tails says nothing about what is common
