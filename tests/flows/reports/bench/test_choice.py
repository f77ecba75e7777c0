"""Which row is best."""

from flows.reports.bench.choice import BenchRow, best_row
from train.evaluation.box_difference import BoxDifference

SAME = BoxDifference(100, 0, 0, 0.0, 0.0)
CLOSE = BoxDifference(100, 2, 2, 0.3, 0.007)
FAR = BoxDifference(100, 30, 10, 2.0, 0.1)


def row(
    fps: float,
    difference: BoxDifference | None = SAME,
    score: float | None = None,
    batch: int = 1,
    cpu_ms: float = 50,
) -> BenchRow:
    return BenchRow("onnx", "fp32", batch, 384, 640, fps, cpu_ms, score, difference, {})


def test_the_fastest_is_best() -> None:
    assert best_row([row(20), row(40, CLOSE)]) == 1


def test_a_fast_row_that_finds_other_boxes_is_not() -> None:
    assert best_row([row(80, FAR), row(20), row(40, CLOSE)]) == 2


def test_labels_count_more_than_the_difference() -> None:
    assert best_row([row(80, SAME, 0.30), row(60, FAR, 0.396), row(20, SAME, 0.40)]) == 1


def test_where_nothing_computes_in_fp32_speed_decides() -> None:
    assert best_row([row(20, None), row(40, None)]) == 1


def test_of_equally_fast_rows_the_smallest_batch_answers_soonest() -> None:
    assert best_row([row(40, batch=8), row(39, batch=1), row(30, batch=1)]) == 1


def test_then_the_one_that_takes_less_of_the_processor() -> None:
    assert best_row([row(40, cpu_ms=60), row(39, cpu_ms=40)]) == 1
