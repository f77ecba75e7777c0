"""The result of a demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.demo.ground_truth import AccuracyCurve
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import FATES
from streetloop.ledger.learning import LearningRun, Step
from streetloop.types import Detections
from train.data.dataset import Example


@dataclass(frozen=True, slots=True)
class BeforeAfterScore:
    """Two models under one condition.

    Attributes:
        condition: Day or night.
        map50: mAP50 before and after.
        examples: The frames.
        found: What either model found there.
    """

    condition: str
    map50: Mapping[str, float]
    examples: Sequence[Example]
    found: Mapping[str, Sequence[Detections]]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of a demo.

    Attributes:
        seconds: From the start to the closed loop.
        moments: Seconds since the start, and what was said then.
        run: The learning run, if one began.
        scores: Both champions on held-out cameras and seeds, by condition.
        labels: Frames that were labeled.
        statuses: Last status of each camera, by id.
        models: Versions before and after.
        progress: Seconds since the start by what began then: ``night``, ``drift``, and the steps of
            the learning run.
        curve: Both champions' true mAP50 over the time; None if no new one came of it.
    """

    seconds: float
    moments: list[tuple[float, str]]
    run: LearningRun | None
    scores: Sequence[BeforeAfterScore]
    labels: int
    statuses: Mapping[str, CameraStatus]
    models: Mapping[str, str]
    progress: Mapping[str, float] = field(default_factory=dict)
    curve: AccuracyCurve | None = None

    @property
    def closed(self) -> bool:
        """True if a new champion serves, and no frame failed."""
        promoted = self.run is not None and self.run.step is Step.PROMOTED
        return promoted and not self.frames["failed"]

    @property
    def frames(self) -> dict[str, int]:
        """Frames of all cameras by fate."""
        accounts = [status.account for status in self.statuses.values()]
        return {fate: sum(getattr(account, fate) for account in accounts) for fate in FATES}

    def as_json(self, report: Path) -> dict[str, Any]:
        """Plain values."""
        return {
            "closed": self.closed,
            "seconds": round(self.seconds, 1),
            "map50": {
                found.condition: {when: round(value, 4) for when, value in found.map50.items()}
                for found in self.scores
            },
            "labels": self.labels,
            "frames": self.frames,
            "model": dict(self.models),
            "report": str(report),
        }
