"""The grammar that conditions and events share: ``name@start:length``, parted by commas."""

import re
from collections.abc import Collection, Iterator

from streetloop.errors import ConfigError

_FORM = re.compile(r"([a-z-]+)(?:@([0-9.]+)(?::([0-9.]+))?)?")


def entries(
    text: str, noun: str, known: Collection[str], example: str
) -> Iterator[tuple[str, float | None, float | None]]:
    """Name and the two numbers of each entry, None where a number is left out.

    >>> list(entries("rain,night@60:30", "condition", ("rain", "night"), "write night"))
    [('rain', None, None), ('night', 60.0, 30.0)]

    Args:
        text: Entries ``name@number:number``, separated by commas.
        noun: Names the kind of entry in messages.
        known: The names that are allowed.
        example: Says in messages how an entry is written.

    Raises:
        ConfigError: An entry is malformed, or its name is not ``known``; the message says
            ``example`` or lists the names.
    """
    for part in text.split(","):
        match = _FORM.fullmatch(part.strip())
        if match is None:
            raise ConfigError(f"{noun} {part.strip()[:40]!r} is not understood; {example}")
        name = match[1]
        if name not in known:
            raise ConfigError(f"unknown {noun} {name[:40]!r}; known are {', '.join(known)}")
        try:
            numbers = [None if number is None else float(number) for number in match.groups()[1:]]
        except ValueError:
            raise ConfigError(f"{noun} {part.strip()[:40]!r}: no such number") from None
        yield name, numbers[0], numbers[1]
