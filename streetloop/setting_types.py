"""Values of settings that have parts of their own."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator


class BandSetting(BaseModel):
    """Confidences between which the model is unsure of a class; see `labeling.scoring.Band`.

    Attributes:
        low: Lower end, 0 to 1; a box below it is noise. Lower values choose more frames.
        high: Upper end, 0 to 1; above it the model is sure. Higher values choose more frames.
        weight: Weight of the class, 0 to 100; 1 is the default, 0 ignores the class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float = Field(default=0.25, ge=0, le=1)
    high: float = Field(default=0.6, ge=0, le=1)
    weight: float = Field(default=1.0, ge=0, le=100)

    @model_validator(mode="after")
    def _rises(self) -> "BandSetting":
        if self.low >= self.high:
            raise ValueError(f"low must be less than high; they are {self.low} and {self.high}")
        return self


class KeepSetting(BaseModel):
    """How long, and how much, recorded video of a class is kept; see `flows.archive.retention`.

    Attributes:
        days: Older segments go; None keeps them whatever their age.
        gb: Beyond so many gigabytes of a camera the oldest go; None keeps all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: float | None = Field(default=None, gt=0, le=36500)
    gb: float | None = Field(default=None, gt=0)


Keep: TypeAlias = dict[Literal["continuous", "motion", "event"], KeepSetting]
"""Rules of retention by class: near an event, with motion, or neither."""


_DataClass: TypeAlias = Literal[
    "detections", "frames", "drift", "replays", "events", "candidates", "datasets", "minutes"
]
KeepDays: TypeAlias = dict[_DataClass, Annotated[float, Field(ge=1, le=36500)]]

Anonymise: TypeAlias = Literal["off", "heads_and_plates"]
"""What is blurred before a picture is stored."""
