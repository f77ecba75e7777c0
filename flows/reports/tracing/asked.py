"""What somebody asks a trace of."""

import re
from enum import StrEnum
from typing import NamedTuple

from streetloop.errors import ConfigError
from streetloop.ledger.lookups.frame_name import parse_frame_name

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_MAX_NUMBER = 2**31 - 1


class TraceKind(StrEnum):
    """The kinds of things on the way of a frame, in its order."""

    FRAME = "frame"
    EVENT = "event"
    DATASET = "dataset"
    LEARNING = "learning"
    VERSION = "version"
    ROLLOUT = "rollout"


NUMBERED = (TraceKind.EVENT, TraceKind.LEARNING, TraceKind.ROLLOUT)


class AskedTrace(NamedTuple):
    """One of them.

    Attributes:
        kind: What it is.
        id: Which one: a frame's name or digest, a digest, a number, or a version's alias.
    """

    kind: TraceKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


def parse_asked(text: str) -> AskedTrace:
    """What an id asks for.

    >>> str(parse_asked("event:417"))
    'event:417'
    >>> str(parse_asked("4f2a81c09b77"))
    'frame:4f2a81c09b77'

    Args:
        text: ``KIND:ID``, or the name or digest of a frame.

    Raises:
        ConfigError: It is none of that.
    """
    kind, colon, value = text.partition(":")
    if not colon:
        kind, value = TraceKind.FRAME, text
    if kind not in set(TraceKind) or not _is_of(TraceKind(kind), value):
        raise ConfigError(
            f"{text[:80]!r} cannot be traced: give the digest of a frame (8 characters at least), its name "
            "RUN/CAMERA/NUMBER, or one of event:N, dataset:DIGEST, learning:N, version:N, rollout:N"
        )
    return AskedTrace(TraceKind(kind), value)


def _is_of(kind: TraceKind, value: str) -> bool:
    if kind in NUMBERED:
        return value.isascii() and value.isdigit() and int(value) <= _MAX_NUMBER
    if kind is TraceKind.VERSION:
        return 0 < len(value) <= 64
    is_digest = _DIGEST.fullmatch(value) is not None
    return is_digest or (kind is TraceKind.FRAME and parse_frame_name(value) is not None)
