"""Zones: parts of a camera's picture, and what they are."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from streetloop.geometry import polygon_fault

MAX_ZONES = 1000
_MAX_CORNERS, _LONGEST_NAME = 200, 100

Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Point: TypeAlias = tuple[Fraction, Fraction]
Line: TypeAlias = tuple[Point, Point]
Corners: TypeAlias = Annotated[tuple[Point, ...], Field(min_length=3, max_length=_MAX_CORNERS)]


class ZoneKind(StrEnum):
    """What a zone is.

    Attributes:
        CARRIAGEWAY: Vehicles drive here and nobody walks.
        PARKING: Vehicles may stand here as long as they like.
        STOP_LINE: Vehicles wait here for a signal or for others, as far back as they usually do.
        CROSSWALK: People may cross the carriageway here.
        IGNORE: Nothing here is an anomaly; it is detected, tracked and counted.
    """

    CARRIAGEWAY = "carriageway"
    PARKING = "parking"
    STOP_LINE = "stop_line"
    CROSSWALK = "crosswalk"
    IGNORE = "ignore"


class Zone(BaseModel):
    """A part of the picture.

    Attributes:
        polygon: Its 3 to 200 corners in fractions of the image.
        kind: What it is.
        direction: Where its traffic drives: from a point towards another, in fractions of the
            image. None where both directions are driven, or where it is to be learned.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    polygon: Corners
    kind: ZoneKind
    direction: Line | None = None

    @field_validator("polygon")
    @classmethod
    def _is_an_area(cls, polygon: tuple[Point, ...]) -> tuple[Point, ...]:
        return _sound(polygon)

    @field_validator("direction")
    @classmethod
    def _points_somewhere(cls, direction: Line | None) -> Line | None:
        if direction is not None and direction[0] == direction[1]:
            raise ValueError("starts where it ends")
        return direction


def refuse_unsound_mask(mask: Sequence[tuple[Point, ...]]) -> None:
    """Refuse polygons that cross themselves or have no area.

    Raises:
        ValueError: Says which one.
    """
    for number, polygon in enumerate(mask, 1):
        try:
            _sound(polygon)
        except ValueError as error:
            raise ValueError(f"polygon {number} {error}") from None


def refuse_bad_names(noun: str, named: Mapping[str, object], most: int) -> None:
    """Refuse names that cannot be printed, and too many of them.

    Args:
        noun: What is named, such as ``line``.
        named: By name.
        most: How many there may be.

    Raises:
        ValueError: Says which name.
    """
    if len(named) > most:
        raise ValueError(f"more than {most} {noun}s")
    for name in named:
        if not (0 < len(name.strip()) == len(name) <= _LONGEST_NAME and name.isprintable()):
            raise ValueError(f"{name[:20]!r} is no name of a {noun}: 1 to {_LONGEST_NAME} characters")


def _sound(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    fault = polygon_fault(polygon)
    if fault is not None:
        raise ValueError(fault)
    return polygon
