"""Crossings by minute, and the time in which a camera was really looked at."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from flows.stream.analysis.counting_lines import Crossing
from flows.stream.sinks.line_count_bins import LineCountBins
from streetloop.ledger.line_counts import CountKey, CoverageKey, LineCounts, SpeedKey, minute_of
from streetloop.types import Frame
from tests.support.stream_flow.build import NOON, camera, frame, result

LINES = {"gate": ((0.0, 0.5), (1.0, 0.5)), "bridge": ((0.5, 0.0), (0.5, 1.0))}
M = minute_of(NOON)


def bins(fps: float | None = None) -> LineCountBins:
    return LineCountBins([camera("a", fps, LINES), camera("b")])


def frames(fps: float, seconds: float) -> list[Frame]:
    return [frame(k, pts=k / fps) for k in range(round(fps * seconds) + 1)]


def seconds(found: LineCounts, line: str = "gate") -> dict[int, float]:
    """Covered seconds by minute after noon."""
    return {key.minute - M: ms / 1000 for key, ms in found.covered_ms.items() if key.line == line}


def covered(looked_at: Iterable[Frame], fps: float | None = None) -> dict[int, float]:
    sink = bins(fps)
    for one in looked_at:
        sink.take(result(one))
    return seconds(sink.collect())


def test_crossings_are_counted_by_minute_line_direction_and_class() -> None:
    sink = bins()
    for at, crossings in {
        0: [Crossing("gate", 1, "in", 0, "car"), Crossing("bridge", 1, "in", 0, "car")],
        59: [Crossing("gate", 2, "in", 59, "car", inferred=True), Crossing("gate", 3, "out", 59, "bus")],
        60: [Crossing("gate", 4, "in", 60, "car"), Crossing("gate", 5, "in", 60)],
    }.items():
        sink.take(replace(result(frame(at, pts=float(at))), crossings=crossings))
    found = sink.collect()
    assert found.crossings == Counter(
        {
            CountKey("a", M, "gate", "in", "car"): 2,
            CountKey("a", M, "gate", "out", "bus"): 1,
            CountKey("a", M, "bridge", "in", "car"): 1,
            CountKey("a", M + 1, "gate", "in", "car"): 1,
            CountKey("a", M + 1, "gate", "in", ""): 1,
        }
    )
    assert found.inferred == Counter({CountKey("a", M, "gate", "in", "car"): 1})


def test_what_was_collected_is_not_there_again() -> None:
    sink = bins()
    sink.take(replace(result(frame(0)), crossings=[Crossing("gate", 1, "in", 0, "car")]))
    sink.take(result(frame(1)))
    assert sink.collect()
    assert not sink.collect()
    sink.take(result(frame(2)))
    assert seconds(sink.collect()) == {0: 0.04}


def test_every_line_is_covered_and_a_camera_without_lines_is_left_out() -> None:
    sink = bins()
    for one in frames(25, 2):
        sink.take(result(one))
        sink.take(result(replace(one, camera_id="b")))
        sink.skip(replace(one, camera_id="b"))
    assert sink.collect().covered_ms == Counter(
        {CoverageKey("a", M, "gate"): 2000, CoverageKey("a", M, "bridge"): 2000}
    )


@pytest.mark.parametrize("fps", [25, 10, 5, 3, 1])
def test_an_unbroken_stream_is_covered_at_any_rate(fps: float) -> None:
    assert covered(frames(fps, 120), fps=None)[1] == pytest.approx(60, abs=0.1)


def test_a_camera_whose_rate_is_limited_is_covered() -> None:
    every = frames(25, 120)
    assert covered(every[::25], fps=1.0)[1] == pytest.approx(60, abs=0.1)


def test_a_stretch_without_frames_is_not_covered() -> None:
    """An outage, a detector that does not answer, frames that are dropped: none was looked at."""
    looked_at = [one for one in frames(25, 120) if not 70 < one.pts < 85]
    found = covered(looked_at)
    assert found[0] == pytest.approx(60, abs=0.1)
    assert found[1] == pytest.approx(45, abs=0.1)


def test_an_outage_after_the_first_frame_is_not_taken_for_the_rate_of_the_camera() -> None:
    assert covered([frame(0), frame(1, pts=300.0)]) == {}


def test_frames_that_are_missing_here_and_there_are_bridged() -> None:
    chosen = random.Random(3)
    looked_at = [one for one in frames(10, 120) if chosen.random() > 0.2]
    assert covered(looked_at)[1] > 55


def test_frames_in_which_nothing_moves_count_as_looked_at() -> None:
    sink = bins()
    for one in frames(25, 60):
        if one.frame_id % 50 == 0:
            sink.take(result(one))
        else:
            sink.skip(one)
    assert seconds(sink.collect()) == {0: 60.0}


def test_the_order_in_which_frames_come_changes_nothing() -> None:
    """The gate speaks at once, and the detector up to a second later."""
    every = [one for one in frames(25, 60) if not 20 < one.pts < 30]
    late = sorted(every, key=lambda one: one.pts + random.Random(one.frame_id).random())
    assert covered(late)[0] == pytest.approx(covered(every)[0], abs=0.1)
    assert covered(every)[0] == pytest.approx(50, abs=0.1)


def slow(step_s: float, frames_: Sequence[Frame]) -> list[Frame]:
    """The frames of a clip that is read as fast as the detector answers: one in ``step_s``."""
    return [replace(one, captured_at=NOON + timedelta(seconds=k * step_s)) for k, one in enumerate(frames_)]


def test_a_recording_that_is_read_slowly_is_covered_on_the_wall_clock() -> None:
    found = covered(slow(2.0, frames(25, 2)))
    assert found == {0: 60.0, 1: 40.0}


def test_a_recording_that_stood_still_is_not() -> None:
    assert covered(slow(11.0, frames(25, 1))) == {}


def test_a_wall_clock_that_is_set_back_covers_nothing_twice() -> None:
    first, second, third = frames(25, 0.08)
    moved = replace(second, captured_at=NOON - timedelta(hours=1))
    assert covered([first, moved]) == {}
    assert covered([first, second, third]) == {0: 0.08}


def test_speeds_are_counted_by_whole_kilometres_an_hour() -> None:
    sink = bins()
    speeds = (48.4, 47.6, 60.2, None)
    crossings = [Crossing("gate", k, "in", 0, "car", speed_kmh=one) for k, one in enumerate(speeds)]
    sink.take(replace(result(frame(0)), crossings=crossings))
    gate = ("a", M, "gate", "in", "car")
    assert sink.collect().speeds == Counter({SpeedKey(*gate, 48): 2, SpeedKey(*gate, 60): 1})
