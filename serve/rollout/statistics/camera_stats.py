"""Statistics of single cameras: what either model served, and how far both agree."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from serve.rollout.statistics.confidence_sequences import Moments
from streetloop.summable import Summable


@dataclass(frozen=True, slots=True)
class ServedStats(Summable):
    """One model's served answers at one camera, or summed over several.

    Attributes:
        frames: Frames that it answered.
        boxes: Boxes that it showed in them.
        track_s: Duration of all confirmed tracks together, in seconds.
        broken: Tracks that ended and were continued by a new track in the same place.
        flickers: Changes of class within a track, and short losses of a track.
    """

    frames: int = 0
    boxes: int = 0
    track_s: float = 0.0
    broken: int = 0
    flickers: int = 0

    @property
    def detections_a_frame(self) -> float | None:
        """Boxes per frame; None without frames.

        >>> ServedStats(frames=10, boxes=25).detections_a_frame
        2.5
        """
        return self.boxes / self.frames if self.frames else None

    @property
    def broken_a_1000_s(self) -> float | None:
        """Broken tracks per 1,000 s of tracks; None without tracks.

        >>> ServedStats(track_s=50.0, broken=1).broken_a_1000_s
        20.0
        """
        return 1000 * self.broken / self.track_s if self.track_s else None

    @property
    def flickers_a_s(self) -> float | None:
        """Flickers per second of tracks; None without tracks.

        >>> ServedStats(track_s=50.0, flickers=5).flickers_a_s
        0.1
        """
        return self.flickers / self.track_s if self.track_s else None


@dataclass(frozen=True, slots=True)
class CameraStats(Summable):
    """Both models at one camera, or summed over several.

    Attributes:
        champion: The champion's served answers, before and beside the canary.
        challenger: The challenger's served answers.
        agreement: Dice coefficient of the boxes of both models, 0 to 1, one value per frame that
            both answered.
        shift: Confidence of the challenger minus that of the champion, one value per matched box.
    """

    champion: ServedStats = field(default_factory=ServedStats)
    challenger: ServedStats = field(default_factory=ServedStats)
    agreement: Moments = field(default_factory=Moments)
    shift: Moments = field(default_factory=Moments)

    def as_json(self) -> list[list[float]]:
        """Lists without names: the ledger holds one of these for every camera."""
        parts = (self.champion, self.challenger, self.agreement, self.shift)
        return [list(astuple(part)) for part in parts]

    @classmethod
    def from_json(cls, plain: Any) -> "CameraStats":
        """Read what `as_json` wrote."""
        champion, challenger, agreement, shift = plain
        return cls(ServedStats(*champion), ServedStats(*challenger), Moments(*agreement), Moments(*shift))


def sum_stats(cameras: Mapping[str, CameraStats]) -> CameraStats:
    """Sum over cameras."""
    return sum(cameras.values(), CameraStats())
