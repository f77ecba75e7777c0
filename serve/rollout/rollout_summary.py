"""The evidence of a rollout, summarized: what the ledger keeps, and people and programs read."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from serve.rollout.statistics.evidence import Calls


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class IntervalSummary(_Frozen):
    """An estimate and its confidence sequence.

    Attributes:
        mean: The estimate.
        low: Lower end; None while it is unbounded.
        high: Upper end; None while it is unbounded.
    """

    mean: float
    low: float | None
    high: float | None

    @property
    def is_bounded(self) -> bool:
        """True once there is evidence enough for an interval."""
        return self.low is not None or self.high is not None


class GainSummary(IntervalSummary):
    """F1 of the challenger minus that of the champion.

    Attributes:
        blocks: Blocks of frames with ground truth, or labeled frames, that it is the mean of.
    """

    blocks: int


class Score(_Frozen):
    """One model against the ground truth.

    Attributes:
        precision: Share of its boxes that match an object, 0 to 1; None without boxes.
        recall: Share of the objects that it found, 0 to 1; None without objects.
        boxes: Its boxes.
        ground_truths: Objects that are there.
    """

    precision: float | None
    recall: float | None
    boxes: int
    ground_truths: int = Field(validation_alias=AliasChoices("ground_truths", "things"))


class ScoresByModel(_Frozen):
    """Both models against the ground truth of the same frames."""

    champion: Score
    challenger: Score


class ServedSummary(_Frozen):
    """One model's served answers.

    Attributes:
        cameras: Cameras that it has served.
        frames: Frames that it has served.
        track_minutes: Duration of all confirmed tracks together, in minutes.
        detections_a_frame: Boxes per frame.
        broken_a_1000_s: Broken tracks per 1,000 s of tracks.
        flickers_a_s: Changes of class and short losses per second of tracks.
    """

    cameras: int
    frames: int
    track_minutes: float
    detections_a_frame: float | None
    broken_a_1000_s: float | None
    flickers_a_s: float | None


class ServedByModel(_Frozen):
    """The served answers of both models in one group of cameras.

    Attributes:
        champion: Of the champion.
        challenger: Of the challenger.
        broken_ratio: Rate of broken tracks, challenger to champion, on the same cameras.
        agreement: Dice coefficient of the boxes of both models, 0 to 1.
        confidence_shift: Confidence of the challenger minus that of the champion on matched boxes.
    """

    champion: ServedSummary
    challenger: ServedSummary
    broken_ratio: IntervalSummary | None
    agreement: float | None
    confidence_shift: float | None


class DetectionTotals(_Frozen):
    """Boxes of both models on frames that both answered."""

    champion: int
    challenger: int


class JudgeVerdict(_Frozen):
    """What the offline judge said of a version before it was registered.

    Attributes:
        accepted: True if it accepted the version, None if the version was never judged.
        reasons: Its reasons.
        says: The verdict in one sentence.
    """

    accepted: bool | None
    reasons: tuple[str, ...]
    says: str


class RolloutSummary(_Frozen):
    """A rollout's evidence at one moment; what is not measured yet is None or empty.

    Attributes:
        frames: Frames that the challenger answered, served or not.
        gains: By group (``all``, ``class:car``, ``city:denver``): the gain in F1.
        latency_ratio: Computing time per frame, challenger to champion.
        calls: The challenger's calls.
        champion_calls: The champion's calls in the same time.
        errors_ruled_out: How far a harmful rate of failing calls is ruled out, 0 to 1.
        agreement: Dice coefficient of the boxes of both models, 0 to 1.
        confidence_shift: Confidence of the challenger minus that of the champion on matched boxes.
        detections: Boxes of both models on frames that both answered.
        shed: Samples that were dropped because the last one was still under way.
        crashes: Deaths of the challenger's process.
        memory_mb: Memory of the challenger's process in MB.
        scores: By group: both models against the ground truth.
        served: By group: what both models served; ``arms`` in version 0.1.0.
        verdict: What the offline judge said of the challenger.
        waits_for: What must still be shown before the rollout advances.
        cameras: Application that serves each camera, by camera.
    """

    frames: int | None = None
    gains: dict[str, GainSummary] = {}
    latency_ratio: IntervalSummary | None = None
    calls: Calls | None = None
    champion_calls: Calls | None = None
    errors_ruled_out: float | None = None
    agreement: float | None = None
    confidence_shift: float | None = None
    detections: DetectionTotals | None = None
    shed: int | None = None
    crashes: int | None = None
    memory_mb: float | None = None
    scores: dict[str, ScoresByModel] = {}
    served: dict[str, ServedByModel] = Field(default={}, validation_alias=AliasChoices("served", "arms"))
    verdict: JudgeVerdict | None = None
    waits_for: tuple[str, ...] = ()
    cameras: dict[str, str] = {}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote, in this version or an older one.

        >>> RolloutSummary.from_json({"frames": 7, "arms": {}}).as_json()
        {'frames': 7, 'served': {}}
        """
        return cls.model_validate(plain)

    def as_json(self) -> dict[str, Any]:
        """Plain values of what is measured so far."""
        return self.model_dump(mode="json", exclude_unset=True)
