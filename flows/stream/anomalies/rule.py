"""The contract of a rule, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.stream.anomalies.scene import Scene
from flows.stream.anomalies.street import Street
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.types import Floats


@dataclass(frozen=True, slots=True)
class Sighting:
    """An anomaly as a scene shows it.

    Attributes:
        since: Media time in seconds at which it began.
        track_ids: The tracks that it is about.
        certainty: How sure it is, 0 to 1.
        box: (4,) round it in pixels; None for all of the street.
        zone: Number of the zone that it is about; -1 for none.
        detail: What else is known: plain values.
    """

    since: float
    track_ids: tuple[int, ...]
    certainty: float
    box: Floats | None = None
    zone: int = -1
    detail: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AnomalyChange:
    """An anomaly began, or is over.

    Attributes:
        number: Names the anomaly among those of its rule.
        sighting: How it was seen last.
        ended: Media time of its end; None at its begin.
    """

    number: int
    sighting: Sighting
    ended: float | None = None


class Rule(Protocol):
    """Finds one kind of anomaly.

    A rule is pure: its answer depends on the scenes that it was given and on nothing else. Scenes
    come in order of time. Time without frames is neither a sign that an anomaly lasts nor that it
    is over. An anomaly that began ends exactly once, by the rule or by the end of the watch.

    Attributes:
        kind: What it finds.
        version: Changes whenever the same scenes may give another answer.
    """

    kind: AnomalyKind
    version: str

    def update(self, scene: Scene, street: Street) -> Sequence[AnomalyChange]:
        """Look at the next scene.

        Args:
            scene: What is seen.
            street: What is usual here, as of the scenes before.
        """

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """End what is open, at media time ``pts``."""
