"""What is known of a challenger: plain sums that workers fill and that add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, Self, TypeVar

from serve.rollout.camera_stats import CameraStats
from serve.rollout.confidence_sequences import Moments
from serve.rollout.detection_counts import DetectionCounts

EVERYTHING = "all"
"""The group that every frame belongs to; others are ``class:car`` and ``city:denver``."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Questions to one model and how they ended.

    Attributes:
        asked: Calls in all.
        failed: Errors and answers that did not come in time.
        invalid: Answers that cannot be right: not numbers, boxes outside the image, unknown class.
        late: Those of the failed that were not answered in time.
    """

    asked: int = 0
    failed: int = 0
    invalid: int = 0
    late: int = 0

    def __add__(self, other: "Calls") -> "Calls":
        return Calls(
            self.asked + other.asked,
            self.failed + other.failed,
            self.invalid + other.invalid,
            self.late + other.late,
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Both models on the same frames of known truth."""

    champion: DetectionCounts = field(default_factory=DetectionCounts)
    challenger: DetectionCounts = field(default_factory=DetectionCounts)

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(self.champion + other.champion, self.challenger + other.challenger)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that speaks for or against a challenger since the rollout began.

    Attributes:
        frames: Frames that the challenger answered, served or not.
        challenger: Its calls.
        champion: The champion's calls in the same time.
        latency: Natural logarithm of challenger over champion, computing time a frame, a value a
            batch that both answered.
        gains: By group: score of the challenger less that of the champion, a value a block of
            frames with known truth.
        detections: Detections of (champion, challenger) on frames that both answered.
        agreement: Share of boxes that both have, a value a batch.
        shift: Confidence of the challenger less that of the champion on boxes that both have.
        shed: Samples that were not taken because the challenger was busy.
        scores: By group, as ``gains``: what both found of what is there.
        cameras: By camera that takes part: what was served there.
    """

    frames: int = 0
    challenger: Calls = field(default_factory=Calls)
    champion: Calls = field(default_factory=Calls)
    latency: Moments = field(default_factory=Moments)
    gains: Mapping[str, Moments] = field(default_factory=dict)
    detections: tuple[int, int] = (0, 0)
    agreement: Moments = field(default_factory=Moments)
    shift: Moments = field(default_factory=Moments)
    shed: int = 0
    scores: Mapping[str, Scores] = field(default_factory=dict)
    cameras: Mapping[str, CameraStats] = field(default_factory=dict)

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            self.frames + other.frames,
            self.challenger + other.challenger,
            self.champion + other.champion,
            self.latency + other.latency,
            _merged(self.gains, other.gains),
            (self.detections[0] + other.detections[0], self.detections[1] + other.detections[1]),
            self.agreement + other.agreement,
            self.shift + other.shift,
            self.shed + other.shed,
            _merged(self.scores, other.scores),
            _merged(self.cameras, other.cameras),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the same."""
        return {
            "frames": self.frames,
            "challenger": _plain(self.challenger),
            "champion": _plain(self.champion),
            "latency": _plain(self.latency),
            "gains": {group: _plain(value) for group, value in sorted(self.gains.items())},
            "detections": list(self.detections),
            "agreement": _plain(self.agreement),
            "shift": _plain(self.shift),
            "shed": self.shed,
            "scores": {
                group: [_plain(one.champion), _plain(one.challenger)]
                for group, one in sorted(self.scores.items())
            },
            "cameras": {camera: one.as_json() for camera, one in sorted(self.cameras.items())},
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Evidence":
        """What `as_json` gave, here or in an older version."""
        return cls(
            int(plain["frames"]),
            Calls(**plain["challenger"]),
            Calls(**plain["champion"]),
            Moments(**plain["latency"]),
            {group: Moments(**value) for group, value in plain["gains"].items()},
            _pair(plain.get("detections", plain.get("things"))),
            Moments(**plain["agreement"]),
            Moments(**plain["shift"]),
            int(plain["shed"]),
            {
                g: Scores(DetectionCounts.from_json(a), DetectionCounts.from_json(b))
                for g, (a, b) in plain.get("scores", {}).items()
            },
            {c: CameraStats.from_json(one) for c, one in plain.get("cameras", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """A rollout at one look.

    Attributes:
        evidence: Since it began.
        phase_minutes: In this phase.
        phase_frames: Frames that the challenger answered in this phase.
        minutes: Since it began, without pauses.
        crashes: Deaths of the challenger's process.
        memory_mb: Of the challenger's process.
        paused: True if somebody wants it to stay where it is.
    """

    evidence: Evidence
    phase_minutes: float
    phase_frames: int
    minutes: float
    crashes: int = 0
    memory_mb: float = 0.0
    paused: bool = False


class _Sum(Protocol):
    def __add__(self, other: Self, /) -> Self: ...


_Any = TypeVar("_Any", bound=_Sum)


def _merged(one: Mapping[str, _Any], other: Mapping[str, _Any]) -> dict[str, _Any]:
    merged = dict(one)
    for key, value in other.items():
        held = merged.get(key)
        merged[key] = value if held is None else held + value
    return merged


def _pair(values: Any) -> tuple[int, int]:
    champion, challenger = values
    return int(champion), int(challenger)


def _plain(value: Calls | Moments | DetectionCounts) -> dict[str, float]:
    return {f.name: getattr(value, f.name) for f in fields(value)}
