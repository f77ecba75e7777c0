"""Records that are added field by field, such as counts of several frames or workers."""

from dataclasses import Field, fields
from typing import Any, ClassVar, Self


class Summable:
    """Base of a dataclass: the sum of two holds the sum of each field.

    A field is a number, a tuple of numbers, another such record, or a mapping of one of them. The
    sum of two mappings has the keys of both.
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __add__(self, other: Self) -> Self:
        return type(self)(*(_sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, (int, float, Summable)):
        return one + other
    if isinstance(one, tuple):
        return tuple(a + b for a, b in zip(one, other, strict=True))
    both = {key: _sum(one[key], value) for key, value in other.items() if key in one}
    return {**one, **other, **both}
