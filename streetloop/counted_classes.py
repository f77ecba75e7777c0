"""Counted classes: which classes of a model are tracked and counted, and under which names."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from streetloop.errors import ConfigError
from streetloop.types import Ints

_MAX_CLASSES = 1000
_SEPARATORS = frozenset(",=+")  # of `parse_class_flag`
_CONTROL = {"Cc", "Zl", "Zp", "Cs"}  # of Unicode: control characters, line breaks, halves of a character


def is_one_line(text: str) -> bool:
    r"""True if a text stands in one line, without control characters.

    >>> is_one_line("Bad Homburg"), is_one_line("a\nb")
    (True, False)
    """
    return not any(unicodedata.category(one) in _CONTROL for one in text)


def is_class_name(text: str) -> bool:
    r"""True if a text can name a class: it is not blank, and stands in one line.

    >>> [is_class_name(text) for text in ("Fußgänger 🚗", " ", "car\nbus")]
    [True, False, False]
    """
    return bool(text.strip()) and is_one_line(text)


def class_groups(value: object) -> object:
    """A list of class names as the mapping of each name to itself; anything else as it is.

    >>> class_groups(["car", "bus"])
    {'car': ('car',), 'bus': ('bus',)}
    """
    if isinstance(value, str):
        raise ValueError('must be a list of class names, such as ["car", "bus"]')  # noqa: TRY004
    if isinstance(value, (list, tuple)):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("must be a list of class names, or a mapping of names to such lists")
        if len(set(value)) < len(value):
            raise ValueError("names a class twice")
        value = {name: (name,) for name in value}
    if isinstance(value, Mapping) and not 0 < len(value) <= _MAX_CLASSES:
        raise ValueError("names no class" if not value else f"has more than {_MAX_CLASSES} entries")
    if isinstance(value, Mapping):
        for name, members in value.items():
            if not isinstance(name, str) or not is_class_name(name) or _SEPARATORS & set(name):
                raise ValueError(
                    f"{str(name)[:40]!r} is no name: one or more characters of one line, but no , = +"
                )
            if isinstance(members, (list, tuple)) and not members:
                raise ValueError(f"counts no class as {name[:40]!r}")
    return value


ClassGroups: TypeAlias = Annotated[dict[str, tuple[str, ...]], BeforeValidator(class_groups)]
"""Names that are counted, each with the model's classes that it stands for."""


def parse_class_flag(text: str) -> dict[str, list[str]]:
    """The value of ``--classes``: names by commas, each with the classes that it stands for.

    >>> parse_class_flag("person,truck=truck+bus")
    {'person': ['person'], 'truck': ['truck', 'bus']}

    Raises:
        ConfigError: A name is empty or there twice.
    """
    found: dict[str, list[str]] = {}
    for part in text.split(","):
        name, given, members = (piece.strip() for piece in part.partition("="))
        classes = [member.strip() for member in members.split("+")] if given else [name]
        if not name or not all(classes):
            raise ConfigError(f"classes {text[:60]!r}: write names such as car,truck=truck+bus")
        if name in found:
            raise ConfigError(f"classes {text[:60]!r}: {name!r} is there twice")
        found[name] = classes
    return found


def write_class_flag(groups: Mapping[str, Sequence[str]]) -> str:
    """Groups as `parse_class_flag` reads them.

    >>> write_class_flag({"person": ("person",), "truck": ("truck", "bus")})
    'person,truck=truck+bus'
    """
    return ",".join(
        name if tuple(members) == (name,) else f"{name}={'+'.join(members)}"
        for name, members in groups.items()
    )


class CountedClasses:
    """Which classes of one model are counted.

    >>> counted = CountedClasses(("person", "car", "bus", "truck"), {"heavy": ("bus", "truck")})
    >>> counted.names, counted.of_class.tolist()
    (('heavy',), [-1, -1, 0, 0])

    Args:
        model_names: The model's class names by class id.
        groups: What is counted; None counts every class under its own name.

    Attributes:
        names: The names that are counted.
        of_class: For each class id of the model an index into `names`, or -1 where it is not
            counted.
        unknown: Names of classes that the model does not have, and of those that two names claim.
    """

    def __init__(self, model_names: Sequence[str], groups: Mapping[str, Sequence[str]] | None) -> None:
        groups = groups if groups is not None else {name: (name,) for name in model_names}
        self.names = tuple(groups)
        self.of_class: Ints = np.full(len(model_names), -1, np.int64)
        self.unknown: list[str] = []
        ids = {name: index for index, name in enumerate(model_names)}
        for index, members in enumerate(groups.values()):
            for name in members:
                if name not in ids or self.of_class[ids[name]] != -1:
                    self.unknown.append(name)
                else:
                    self.of_class[ids[name]] = index

    def elected(self, votes: NDArray[np.float64]) -> str | None:
        """The name with the most votes; None where a class that is not counted has more.

        >>> counted = CountedClasses(("person", "car", "van"), {"vehicle": ("car", "van")})
        >>> counted.elected(np.array([0.8, 0.5, 0.5])), counted.elected(np.array([2.0, 0.5, 0.5]))
        ('vehicle', None)

        Args:
            votes: (model classes,) what speaks for each class.
        """
        votes = votes[: len(self.of_class)]
        if np.count_nonzero(votes) == 1:  # most objects are of one class all the time
            only = int(self.of_class[votes.argmax()])
            return self.names[only] if only >= 0 else None
        sums = np.bincount(self.of_class + 1, votes, minlength=len(self.names) + 1)
        sums[0] = votes[self.of_class == -1].max(initial=0.0)
        best = int(sums.argmax())
        return self.names[best - 1] if best and sums[best] > 0 else None


def class_faults(
    where: str, model_names: Sequence[str], groups: Mapping[str, Sequence[str]] | None
) -> list[str]:
    """A sentence for each class that the model does not have, or that two names claim.

    >>> class_faults("camera 'a40'", ("car", "bus"), {"tram": ("tram",)})
    ["camera 'a40': classes: the model has no class 'tram'; it has car, bus"]

    Args:
        where: Names the place in the message, such as ``camera 'a40'``.
        model_names: The model's class names.
        groups: What is to be counted; None is always fine.
    """
    shown = ", ".join(model_names[:12]) + (", ..." if len(model_names) > 12 else "")
    return [
        f"{where}: classes: {name!r} is counted under two names"
        if name in model_names
        else f"{where}: classes: the model has no class {name!r}; it has {shown}"
        for name in CountedClasses(model_names, groups).unknown
    ]


def groups_to_plain(groups: Mapping[str, Sequence[str]]) -> Any:
    """The shortest way to write groups: a list where every name stands for itself.

    >>> groups_to_plain({"car": ("car",)}), groups_to_plain({"heavy": ("bus", "truck")})
    (['car'], {'heavy': ['bus', 'truck']})
    """
    if all(tuple(members) == (name,) for name, members in groups.items()):
        return list(groups)
    return {name: list(members) for name, members in groups.items()}
