"""Whether two models' boxes of one frame are the same, within what rounding may change."""

from collections.abc import Sequence

import numpy as np

from streetloop.boxes import iou
from streetloop.types import Floats

MAX_SHIFT_PX = 1.0
"""No corner of a box may lie farther off."""

MAX_CONFIDENCE = 0.01
"""No confidence may differ by more."""


def same_boxes(
    one: tuple[Floats, Floats, Sequence[str]], other: tuple[Floats, Floats, Sequence[str]], threshold: float
) -> bool:
    """True if each box has one of the same class within `MAX_SHIFT_PX` and `MAX_CONFIDENCE`.

    Boxes that may fall on either side of the threshold are asked for in neither.

    >>> box = np.array([[0, 0, 10, 10]], np.float32)
    >>> def seen(dx, confidence): return box + dx, np.array([confidence], np.float32), ["car"]
    >>> [same_boxes(seen(0, 0.8), seen(dx, 0.805), 0.25) for dx in (0.5, 2)]
    [True, False]
    >>> same_boxes(seen(0, 0.255), (box[:0], np.zeros(0, np.float32), []), 0.25)
    True

    Args:
        one: (N, 4) boxes in pixels, (N,) confidences and N class names.
        other: The same of the other model.
        threshold: Boxes of less confidence do not count.
    """
    rows, columns = (_reported(part, threshold) for part in (one, other))
    matched = _matches(one, other)
    certain = threshold + MAX_CONFIDENCE
    missing = [r for r in rows if r not in matched and one[1][r] >= certain]
    partners = {matched[r] for r in matched}
    extra = [c for c in columns if c not in partners and other[1][c] >= certain]
    return not missing and not extra


def _reported(part: tuple[Floats, Floats, Sequence[str]], threshold: float) -> list[int]:
    return [int(row) for row in np.flatnonzero(part[1] >= threshold)]


def _matches(
    one: tuple[Floats, Floats, Sequence[str]], other: tuple[Floats, Floats, Sequence[str]]
) -> dict[int, int]:
    """For each box of one that has its like in the other: which it is."""
    overlap = iou(one[0], other[0])
    free = set(range(len(other[1])))
    found: dict[int, int] = {}
    for row in np.argsort(-one[1], kind="stable").tolist():
        like = [column for column in free if _alike(one, row, other, column)]
        if like:
            found[row] = max(like, key=lambda column: overlap[row, column])
            free.remove(found[row])
    return found


def _alike(
    one: tuple[Floats, Floats, Sequence[str]],
    row: int,
    other: tuple[Floats, Floats, Sequence[str]],
    column: int,
) -> bool:
    shift = np.abs(one[0][row] - other[0][column]).max()
    difference = abs(float(one[1][row]) - float(other[1][column]))
    # Both are rounded in the log and in files.
    is_near = shift <= MAX_SHIFT_PX + 1e-3 and difference <= MAX_CONFIDENCE + 1e-6
    return bool(is_near and one[2][row] == other[2][column])
