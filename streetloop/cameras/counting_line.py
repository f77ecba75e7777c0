"""Counting lines: crossed by what they count, or, with a length, driven along."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from streetloop.cameras.zones import Line
from streetloop.counted_classes import ClassGroups


def number(value: object) -> object:
    """A value that is no truth value, as which YAML may read a word.

    Raises:
        ValueError: It is one.
    """
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic takes it as one sentence
    return value


class CountingLine(BaseModel):
    """A counting line; written as its two points where nothing else is said.

    Attributes:
        points: Its two ends, in fractions of the image.
        classes: What is counted on it; None counts what the camera counts.
        length_m: How long it is on the road, in metres, 1 to 10,000. With it the line lies along
            the road: what drives from the first point to the second counts as "in" and is timed.
            None for a line that is crossed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    points: Line
    classes: ClassGroups | None = None
    length_m: Annotated[float | None, BeforeValidator(number)] = Field(default=None, ge=1, le=10_000)

    @model_validator(mode="before")
    @classmethod
    def _points_alone(cls, value: object) -> object:
        return {"points": value} if isinstance(value, (list, tuple)) else value

    @field_validator("points")
    @classmethod
    def _has_length(cls, points: Line) -> Line:
        if points[0] == points[1]:
            raise ValueError("starts where it ends")
        return points

    @model_serializer(mode="wrap")
    def _short(self, plain: SerializerFunctionWrapHandler) -> Any:
        if self.classes is None and self.length_m is None:
            return self.points
        found: dict[str, Any] = {name: value for name, value in plain(self).items() if value is not None}
        return found
