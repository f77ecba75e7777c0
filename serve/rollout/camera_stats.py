"""What is known of single cameras: how the served answers of either model were."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from serve.rollout.confidence_sequences import Moments


@dataclass(frozen=True, slots=True)
class Served:
    """One model's served answers at one camera, or at several together.

    Attributes:
        frames: Frames that it answered.
        boxes: What it showed in them.
        track_s: Seconds that confirmed tracks lasted, of all tracks together.
        broken: Tracks that ended and were followed by another where they were.
        flickers: How often a track changed its class, or was lost and found.
    """

    frames: int = 0
    boxes: int = 0
    track_s: float = 0.0
    broken: int = 0
    flickers: int = 0

    def __add__(self, other: "Served") -> "Served":
        return Served(
            self.frames + other.frames,
            self.boxes + other.boxes,
            self.track_s + other.track_s,
            self.broken + other.broken,
            self.flickers + other.flickers,
        )

    def rates(self) -> dict[str, float | None]:
        """What can be compared, None where there is nothing to compare by.

        >>> Served(frames=10, boxes=25, track_s=50.0, broken=1, flickers=5).rates()
        {'detections_a_frame': 2.5, 'broken_a_1000_s': 20.0, 'flickers_a_s': 0.1}
        """
        seconds = self.track_s
        return {
            "detections_a_frame": round(self.boxes / self.frames, 3) if self.frames else None,
            "broken_a_1000_s": round(1000 * self.broken / seconds, 2) if seconds else None,
            "flickers_a_s": round(self.flickers / seconds, 4) if seconds else None,
        }


@dataclass(frozen=True, slots=True)
class CameraStats:
    """What is known of one camera.

    Attributes:
        champion: The champion's served answers, before and beside the canary.
        challenger: The challenger's.
        agreement: Share of boxes that both have, a value a frame that both answered.
        shift: Confidence of the challenger less that of the champion on boxes that both have.
    """

    champion: Served = field(default_factory=Served)
    challenger: Served = field(default_factory=Served)
    agreement: Moments = field(default_factory=Moments)
    shift: Moments = field(default_factory=Moments)

    def __add__(self, other: "CameraStats") -> "CameraStats":
        return CameraStats(
            self.champion + other.champion,
            self.challenger + other.challenger,
            self.agreement + other.agreement,
            self.shift + other.shift,
        )

    def as_json(self) -> list[list[float]]:
        """Plain values without names: there is one of every camera."""
        parts = (self.champion, self.challenger, self.agreement, self.shift)
        return [list(astuple(part)) for part in parts]

    @classmethod
    def from_json(cls, plain: Any) -> "CameraStats":
        """What `as_json` gave."""
        champion, challenger, agreement, shift = plain
        return cls(Served(*champion), Served(*challenger), Moments(*agreement), Moments(*shift))


def together(cameras: Mapping[str, CameraStats], of: frozenset[str]) -> CameraStats:
    """The sum over some cameras."""
    return sum((one for camera, one in cameras.items() if camera in of), CameraStats())
