"""What the drift watch reports, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from drift.causes import ASKS_FOR_LABELS
from drift.comparison import FeatureResult
from drift.measurement.features import NAMES
from drift.statistics.pareto_tail import TAIL_SHARE
from streetloop.causes import Cause


class ChangeKind(StrEnum):
    """What began or ended."""

    DRIFT = "drift"
    DRIFT_OVER = "drift over"
    FAULT = "fault"
    FAULT_OVER = "fault over"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that began or ended at a camera.

    Attributes:
        kind: What began or ended.
        camera_id: The camera.
        at: When the watch noticed (UTC).
        since: When it began (UTC).
        model_version: The model that answered then.
        fault: Name of the stream fault; empty for a drift.
        causes: Of a drift, likeliest first.
        results: Of a drift, by feature.
        source: Which reference the camera was compared with.
    """

    kind: ChangeKind
    camera_id: str
    at: datetime
    since: datetime
    model_version: str
    fault: str = ""
    causes: tuple[Cause, ...] = ()
    results: Mapping[str, FeatureResult] = field(default_factory=dict)
    source: str = ""

    @property
    def asks_for_labels(self) -> bool:
        """True if labels help against the likeliest cause."""
        return bool(self.causes) and self.causes[0].name in ASKS_FOR_LABELS


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """When a departure from the reference is reported.

    Attributes:
        days_between_false_alarms: For each camera, on average. Higher raises the thresholds:
            fewer false alarms, later true ones.
        false_discoveries: Share of alarms, over cameras and features, that may be false (the q of
            Benjamini and Hochberg). Lower misses more when few cameras drift.
        least_effect: Smallest Wasserstein distance that counts, in spreads of the reference.
            Higher ignores larger changes.
        period_s: Length of a drift period in seconds.
    """

    days_between_false_alarms: float = 60.0
    false_discoveries: float = 0.05
    least_effect: float = 1.0
    period_s: float = 60.0

    @property
    def rarity(self) -> float:
        """Probability of a false alarm in one period and feature."""
        # Every period counts as a test of its own, though windows overlap: with three for each
        # window of 15, 1.2 to 1.8 false alarms a month came through where periods are independent.
        # The features of a camera share what is allowed. The count is that of one-minute periods,
        # however long a period is: a demo's short "day" has as many tests.
        tests = 1440.0 * self.days_between_false_alarms * len(NAMES)
        return min(TAIL_SHARE, 1 / tests)  # a rule for tails says nothing about what is common
