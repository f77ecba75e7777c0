"""When a candidate goes on, waits or goes back."""

import itertools
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Policy(BaseModel):
    """What a candidate must show, and what sends it back.

    Attributes:
        steps: Shares of the cameras that it serves one after the other; the last is 1.
        sample: Share of the batches that both models answer, so that they can be compared.
        block_s: Media time whose frames tell much the same and count as one.
        minutes: Least time in each phase.
        frames: Least frames that it answers in each phase.
        alpha: Chance that a conclusion is ever wrong, however often it is looked at.
        margin: Loss of score that no class and no city may suffer; and what shadow must rule out.
        latency: Most times the champion's computing time a frame.
        usual_errors: Share of failed calls that is nothing to worry about.
        harmful_errors: Share of failed calls that must be ruled out.
        silence: Share of the champion's detections under which it counts as blind.
        memory_mb: Most memory of its process.
        crashes: So many deaths of its process send it back.
        broken_tracks: Most times as often as the champion's that its tracks may break on the same
            cameras: beyond it holds, beyond it for certain goes back; None asks for nothing.
        track_minutes: Time of confirmed tracks, of all together and of either model, without which
            nothing is said about them.
        heed_verdict: Whether what the judge refused offline is not even tried.
        patience_minutes: After so long, pauses left out, without having shown that it is better it
            goes back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    steps: tuple[float, ...] = (0.05, 0.25, 0.5, 1.0)
    sample: Annotated[float, Field(gt=0, le=1)] = 0.2
    block_s: Annotated[float, Field(ge=1, le=3600)] = 20.0
    minutes: Annotated[float, Field(ge=0)] = 10.0
    frames: Annotated[int, Field(ge=0)] = 500
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
    """What a challenger does."""

    SHADOW = "shadow"
    CANARY = "canary"


class Phase(BaseModel):
    """Where a rollout is.

    Attributes:
        kind: Shadow: nothing that the challenger says is used. Canary: it serves some cameras.
        step: Which of the policy's steps, from 0; of a canary.
    """

    model_config = ConfigDict(frozen=True)

    kind: PhaseKind = PhaseKind.SHADOW
    step: int = 0

    def share(self, policy: Policy) -> float:
        """Share of the cameras that the challenger serves."""
        return 0.0 if self.kind is PhaseKind.SHADOW else policy.steps[self.step]

    def is_last(self, policy: Policy) -> bool:
        """True if only promotion is left."""
        return self.kind is PhaseKind.CANARY and self.step == len(policy.steps) - 1

    def following(self) -> "Phase":
        """The next one."""
        if self.kind is PhaseKind.SHADOW:
            return Phase(kind=PhaseKind.CANARY)
        return Phase(kind=PhaseKind.CANARY, step=self.step + 1)

    def title(self, policy: Policy) -> str:
        """For people.

        >>> Phase(kind=PhaseKind.CANARY, step=1).title(Policy())
        'canary 25 %'
        """
        if self.kind is PhaseKind.SHADOW:
            return "shadow"
        return f"canary {100 * self.share(policy):g} %"
