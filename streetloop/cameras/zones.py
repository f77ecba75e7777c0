"""Zones: parts of a camera's picture, and what they are."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from streetloop.geometry import polygon_fault

MAX_ZONES = 1000
_MAX_CORNERS, _LONGEST_NAME = 200, 100


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic takes it as one sentence
    return value


Fraction: TypeAlias = Annotated[float, BeforeValidator(_no_truth_value), Field(ge=0, le=1)]
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
        ValueError: Says which ones, a line each.
    """
    faults = [(number, polygon_fault(polygon)) for number, polygon in enumerate(mask, 1)]
    said = [f"polygon {number} {fault}" for number, fault in faults if fault is not None]
    if said:
        raise ValueError("\n".join(said))


def refuse_bad_names(noun: str, named: Mapping[str, object], most: int) -> None:
    """Refuse names that cannot be printed, and too many of them.

    Args:
        noun: What is named, such as ``line``.
        named: By name.
        most: How many there may be.

    Raises:
        ValueError: Says which names, a line each.
    """
    if len(named) > most:
        raise ValueError(f"more than {most} {noun}s")
    bad = [name for name in named if not _is_name(name)]
    if bad:
        why = f"is no name of a {noun}: 1 to {_LONGEST_NAME} characters"
        raise ValueError("\n".join(f"{name[:20]!r} {why}" for name in bad))


def _is_name(text: str) -> bool:
    return 0 < len(text.strip()) == len(text) <= _LONGEST_NAME and text.isprintable()


def _sound(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    fault = polygon_fault(polygon)
    if fault is not None:
        raise ValueError(fault)
    return polygon
