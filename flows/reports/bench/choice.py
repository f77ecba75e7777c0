"""The rows of a bench, and which of them is best."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from train.evaluation.box_difference import BoxDifference

MAX_MAP_LOSS = 0.005
"""mAP50-95 that the best row may have less than the most accurate one."""

MIN_AGREEMENT = 0.95
"""Without labels: share of boxes that the best row has in common with fp32 at the largest size."""

_SAME_SPEED = 0.97


@dataclass(frozen=True, slots=True)
class BenchRow:
    """What was measured of one combination.

    Attributes:
        backend: The runtime, such as ``openvino``.
        precision: What it computed in, such as ``bf16``.
        batch: Pictures of one inference.
        height: Of the input in pixels, for the first picture.
        width: The same.
        fps: Pictures a second through network and postprocessing; the median of the rounds.
        cpu_ms: Processor time of a picture over all threads, in milliseconds; the same.
        map50_95: On the labeled images; None without.
        difference: To fp32 at the largest size; None where nothing computes in fp32.
        settings: Settings that serve so.
    """

    backend: str
    precision: str
    batch: int
    height: int
    width: int
    fps: float
    cpu_ms: float
    map50_95: float | None
    difference: BoxDifference | None
    settings: dict[str, str | int]

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the settings."""
        content = asdict(self)
        del content["settings"]
        return content


def best_row(rows: Sequence[BenchRow]) -> int:
    """The index of the best row: the fastest of those that are accurate.

    Accurate is what loses at most `MAX_MAP_LOSS` of mAP or, without labels, agrees with fp32 in
    `MIN_AGREEMENT` of the boxes. Among rows within 3 % of the fastest the smallest batch wins,
    which answers soonest, then the least processor time.

    Args:
        rows: At least one.
    """
    accurate = [number for number, row in enumerate(rows) if _is_accurate(row, rows)]
    fastest = max(rows[number].fps for number in accurate)
    fast = [number for number in accurate if rows[number].fps >= _SAME_SPEED * fastest]
    return min(fast, key=lambda number: (rows[number].batch, rows[number].cpu_ms))


def _is_accurate(row: BenchRow, rows: Sequence[BenchRow]) -> bool:
    scores = [other.map50_95 for other in rows if other.map50_95 is not None]
    if scores:
        return row.map50_95 is not None and row.map50_95 >= max(scores) - MAX_MAP_LOSS
    # Without fp32 nothing is known of any row; the reference itself agrees with all of its boxes.
    return row.difference is None or row.difference.agreement >= MIN_AGREEMENT
