"""Policy and phases: when a challenger advances, holds or is rolled back."""

import itertools
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Policy(BaseModel):
    """What a challenger must show to advance, and what sends it back at once.

    Every statistical check compares the challenger with the champion and is valid at every look:
    ``alpha`` bounds the probability that it is ever wrong. "Hold" keeps the rollout in its phase
    until the check passes or patience ends; "roll back" ends it within one look.

    Attributes:
        steps: Shares of the cameras that it serves one after the other, rising from above 0 to 1.
            More steps expose fewer cameras to a bad model, and take longer.
        sample: Share of the batches that both models answer, in (0, 1]. Higher gathers evidence
            faster, and costs as much more computing time.
        block_s: Media time in seconds, 1 to 3600, whose frames count as one value of the gain.
            Shorter gives more values; below the time in which a scene changes they are not
            independent, and the intervals too narrow.
        minutes: Shortest duration of each phase in minutes, 0 or more.
        frames: Fewest frames that it answers in each phase, 0 or more.
        replay_minutes: Recorded video of the last day in minutes, 0 to 1440, that it must have
            answered before its first canary. More shows it more of the day, and takes longer.
        alpha: Probability that an interval or a likelihood ratio is ever wrong, in (0, 0.5). Lower
            is safer, and needs more evidence.
        margin: Loss of F1 that is tolerated, in (0, 1). Hold in shadow until a larger loss over all
            frames is ruled out. A class or a city that certainly loses more: roll back.
        latency: Largest allowed ratio of computing times per frame, challenger to champion, above
            1. Upper bound at or above it: hold. Lower bound above it: roll back.
        usual_errors: Failure rate of calls that is harmless, in (0, 1).
        harmful_errors: Failure rate of calls that is harmful, in (0, 1). Hold in the last step
            until it is ruled out. Shown to be reached: roll back.
        silence: Smallest allowed ratio of boxes, challenger to champion, in (0, 1). Below it, once
            the champion has shown 100 boxes: roll back.
        memory_mb: Largest allowed memory of its process in MB. Above it: roll back.
        crashes: Number of deaths of its process, 1 or more. Reached: roll back.
        broken_tracks: Largest allowed ratio of broken tracks, challenger to champion, on the same
            cameras, above 1. Estimate above it: hold. Lower bound above it: roll back. None (null
            in YAML): no check.
        track_minutes: Duration of confirmed tracks in minutes that either model must have served
            before ``broken_tracks`` is checked, 0 or more.
        heed_verdict: True refuses to start a version that the offline judge refused.
        patience_minutes: Longest duration of the rollout in minutes, pauses left out, above 0.
            Not promoted by then: roll back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: tuple[float, ...] = (0.05, 0.25, 0.5, 1.0)
    sample: Annotated[float, Field(gt=0, le=1)] = 0.2
    block_s: Annotated[float, Field(ge=1, le=3600)] = 20.0
    minutes: Annotated[float, Field(ge=0)] = 10.0
    frames: Annotated[int, Field(ge=0)] = 500
    replay_minutes: Annotated[float, Field(ge=0, le=1440)] = 0.0
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.005
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    latency: Annotated[float, Field(gt=1)] = 1.5
    usual_errors: Annotated[float, Field(gt=0, lt=1)] = 0.001
    harmful_errors: Annotated[float, Field(gt=0, lt=1)] = 0.01
    silence: Annotated[float, Field(gt=0, lt=1)] = 0.1
    memory_mb: Annotated[float, Field(gt=0)] = 4096.0
    crashes: Annotated[int, Field(ge=1)] = 2
    broken_tracks: Annotated[float, Field(gt=1)] | None = 2.0
    track_minutes: Annotated[float, Field(ge=0)] = 10.0
    heed_verdict: bool = True
    patience_minutes: Annotated[float, Field(gt=0)] = 24 * 60.0

    @field_validator("steps")
    @classmethod
    def _steps_rise_to_all(cls, steps: tuple[float, ...]) -> tuple[float, ...]:
        rising = all(a < b for a, b in itertools.pairwise(steps))
        if not steps or not rising or steps[0] <= 0 or steps[-1] != 1:
            raise ValueError("must rise from above 0 to 1, such as [0.05, 0.25, 0.5, 1]")
        return steps


class PhaseKind(StrEnum):
    """Kind of a phase."""

    SHADOW = "shadow"
    CANARY = "canary"


class Phase(BaseModel):
    """A phase of a rollout.

    Attributes:
        kind: In shadow the challenger's answers are compared and not used; as a canary it serves
            some of the cameras.
        step: Index into the policy's steps, of a canary.
    """

    model_config = ConfigDict(frozen=True)

    kind: PhaseKind = PhaseKind.SHADOW
    step: int = 0

    def share(self, policy: Policy) -> float:
        """Share of the cameras that the challenger serves, 0 to 1."""
        return 0.0 if self.kind is PhaseKind.SHADOW else policy.steps[self.step]

    def is_last(self, policy: Policy) -> bool:
        """True if the next step is promotion."""
        return self.kind is PhaseKind.CANARY and self.step == len(policy.steps) - 1

    def following(self) -> "Phase":
        """The next phase."""
        if self.kind is PhaseKind.SHADOW:
            return Phase(kind=PhaseKind.CANARY)
        return Phase(kind=PhaseKind.CANARY, step=self.step + 1)

    def title(self, policy: Policy) -> str:
        """The phase in words.

        >>> Phase(kind=PhaseKind.CANARY, step=1).title(Policy())
        'canary 25 %'
        """
        if self.kind is PhaseKind.SHADOW:
            return "shadow"
        return f"canary {100 * self.share(policy):g} %"
