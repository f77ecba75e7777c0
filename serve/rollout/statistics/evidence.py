"""Evidence for and against a challenger: plain sums that workers fill and that add up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from serve.rollout.statistics.camera_stats import CameraStats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import EVERYTHING as EVERYTHING
from serve.rollout.statistics.detection_counts import DetectionCounts
from streetloop.summable import Summable


@dataclass(frozen=True, slots=True)
class Calls(Summable):
    """Calls of one model and their outcomes.

    Attributes:
        asked: All calls.
        failed: Errors, time-outs included.
        invalid: Answers that cannot be right: not numbers, boxes outside the image, unknown class.
        late: Those of the failed that timed out.
    """

    asked: int = 0
    failed: int = 0
    invalid: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Scores(Summable):
    """Both models on the same frames with ground truth."""

    champion: DetectionCounts = field(default_factory=DetectionCounts)
    challenger: DetectionCounts = field(default_factory=DetectionCounts)

    @property
    def gain(self) -> float:
        """F1 of the challenger minus that of the champion, -1 to 1."""
        return self.challenger.f1 - self.champion.f1


@dataclass(frozen=True, slots=True)
class Evidence(Summable):
    """Everything for and against a challenger since the rollout began.

    Attributes:
        frames: Frames that the challenger answered, served or not.
        challenger: The challenger's calls.
        champion: The champion's calls in the same time.
        latency: Natural logarithm of the ratio of computing times per frame, challenger to
            champion; one value per batch that both answered.
        gains: By group, F1 of the challenger minus that of the champion; one value per block of
            frames with ground truth.
        detections: Boxes of (champion, challenger) on frames that both answered.
        agreement: Dice coefficient of the boxes of both models; one value per frame that both
            answered.
        shift: Confidence of the challenger minus that of the champion; one value per matched box.
        shed: Samples that were dropped because the last one was still under way.
        scores: By group, as ``gains``: counts against the ground truth.
        cameras: By camera that takes part: what was served there.
        replayed: Recorded frames among ``frames``, see ``replay_minutes`` of the policy.
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
    replayed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the same."""
        return {
            "frames": self.frames,
            "challenger": asdict(self.challenger),
            "champion": asdict(self.champion),
            "latency": asdict(self.latency),
            "gains": {group: asdict(value) for group, value in sorted(self.gains.items())},
            "detections": list(self.detections),
            "agreement": asdict(self.agreement),
            "shift": asdict(self.shift),
            "shed": self.shed,
            "scores": {
                group: [asdict(one.champion), asdict(one.challenger)]
                for group, one in sorted(self.scores.items())
            },
            "cameras": {camera: one.as_json() for camera, one in sorted(self.cameras.items())},
            "replayed": self.replayed,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Evidence":
        """Read what `as_json` wrote, in this version or an older one."""
        champion, challenger = plain["detections"] if "detections" in plain else plain["things"]
        return cls(
            int(plain["frames"]),
            Calls(**plain["challenger"]),
            Calls(**plain["champion"]),
            Moments(**plain["latency"]),
            {group: Moments(**value) for group, value in plain["gains"].items()},
            (int(champion), int(challenger)),
            Moments(**plain["agreement"]),
            Moments(**plain["shift"]),
            int(plain["shed"]),
            {
                group: Scores(DetectionCounts.from_json(one), DetectionCounts.from_json(other))
                for group, (one, other) in plain.get("scores", {}).items()
            },
            {camera: CameraStats.from_json(one) for camera, one in plain.get("cameras", {}).items()},
            int(plain.get("replayed", 0)),
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """A rollout at one look.

    Attributes:
        evidence: Evidence since it began.
        phase_minutes: Minutes in this phase.
        phase_frames: Frames that the challenger answered in this phase.
        minutes: Minutes since it began, pauses left out.
        crashes: Deaths of the challenger's process.
        memory_mb: Memory of the challenger's process in MB.
        paused: True while it is paused.
    """

    evidence: Evidence
    phase_minutes: float
    phase_frames: int
    minutes: float
    crashes: int = 0
    memory_mb: float = 0.0
    paused: bool = False
