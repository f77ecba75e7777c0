"""Sums of records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streetloop.summable import Summable


@dataclass(frozen=True, slots=True)
class Part(Summable):
    number: int = 0


@dataclass(frozen=True, slots=True)
class Whole(Summable):
    seconds: float = 0.0
    pair: tuple[int, int] = (0, 0)
    part: Part = field(default_factory=Part)
    parts: Mapping[str, Part] = field(default_factory=dict)


def test_every_field_is_added() -> None:
    one = Whole(0.5, (1, 2), Part(3), {"a": Part(1), "b": Part(2)})
    other = Whole(1.0, (10, 20), Part(4), {"b": Part(5), "c": Part(7)})
    assert one + other == Whole(1.5, (11, 22), Part(7), {"a": Part(1), "b": Part(7), "c": Part(7)})


def test_the_empty_record_changes_nothing_and_operands_stay() -> None:
    one = Whole(parts={"a": Part(1)})
    assert one + Whole() == Whole() + one == one
    assert one + one == Whole(parts={"a": Part(2)})
    assert one.parts == {"a": Part(1)}
