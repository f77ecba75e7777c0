from datetime import timedelta

import numpy as np
import pytest

from drift.history import History
from drift.measurement.features import NAMES
from drift.measurement.image_features import CELLS_SHAPE
from tests.drift.support import START, lines, make_period

BRIGHTNESS = NAMES.index("brightness")


def _history(numbers: range, most: int = 10_000) -> History:
    history = History(most)
    for number in numbers:
        history.append(make_period(number, values={"brightness": number / 1000}))
    return history


def _at(number: int) -> float:
    return (START + timedelta(minutes=number)).timestamp()


def test_nothing_was_seen_of_a_new_camera() -> None:
    history = History()
    assert len(history) == len(history.last(15)) == len(history.clean(_at(0))) == 0
    assert history.usual is None
    history.exclude_last_from_reference()
    history.exclude_from_reference(START)
    history.learn_view()
    assert history.usual_edges is None


def test_the_newest_minutes_come_last() -> None:
    past = _history(range(200)).last(3)
    assert past.times.tolist() == [_at(197), _at(198), _at(199)]
    assert past.values[:, BRIGHTNESS] == pytest.approx([0.197, 0.198, 0.199])


@pytest.mark.parametrize("most", [1, 10, 100, 1000])
def test_over_its_limit_the_oldest_are_forgotten(most: int) -> None:
    history = _history(range(3000), most)
    assert most <= len(history) <= max(64, most * 1.25)
    past = history.clean(np.inf)
    assert past.times.tolist() == [_at(n) for n in range(3000 - len(history), 3000)]
    assert past.values[:, BRIGHTNESS] == pytest.approx((past.times - _at(0)) / 60 / 1000, abs=1e-6)
    assert history.of_version(past, "m-1").all()


def test_what_was_spoiled_stays_so_when_the_oldest_are_forgotten() -> None:
    history = _history(range(90), most=100)
    history.exclude_from_reference(START + timedelta(minutes=80))
    for number in range(90, 130):
        history.append(make_period(number))
    kept = history.clean(np.inf).times
    assert not set(kept) & {_at(n) for n in range(80, 90)}
    assert {_at(79), _at(90)} <= set(kept)


@pytest.mark.parametrize("number", [0, 5, 9])
def test_a_minute_that_comes_twice_or_late_is_left_out(number: int) -> None:
    history = _history(range(10))
    again = make_period(number, values={"brightness": 0.9}, mix={"tram": 5})
    assert history.is_late(again)
    history.append(again)
    assert len(history) == 10
    assert history.last(10).values[:, BRIGHTNESS].max() < 0.1
    assert "tram" not in history.classes


def test_a_class_that_appears_later_was_not_there_before() -> None:
    history = _history(range(70))
    history.append(make_period(70, mix={"tram": 3, "car": 1}))
    mix = history.last(2).mix
    tram, car = history.classes.index("tram"), history.classes.index("car")
    assert mix[:, [tram, car]].tolist() == [[0, 12], [3, 1]]


def test_values_that_could_not_be_measured_stay_unknown() -> None:
    history = History()
    history.append(make_period(values={"speed": float("nan")}))
    assert np.isnan(history.last(1).values[0, NAMES.index("speed")])


def test_minutes_since_a_drift_began_are_no_reference() -> None:
    history = _history(range(10))
    history.exclude_from_reference(START + timedelta(minutes=4))
    assert history.clean(np.inf).times.tolist() == [_at(n) for n in range(4)]
    assert len(history.last(10)) == 10


def test_a_reference_ends_before_the_moment_that_is_asked_for() -> None:
    assert _times_before(_history(range(10)), 3) == [_at(0), _at(1), _at(2)]


def _times_before(history: History, before: int) -> list[float]:
    times: list[float] = history.clean(_at(before)).times.tolist()
    return times


def test_a_new_model_has_learned_the_drift_but_no_broken_picture() -> None:
    history = _history(range(3))
    history.append(make_period(3), whole=False)
    history.exclude_from_reference(START + timedelta(minutes=1))
    history.accept_all()
    assert history.clean(np.inf).times.tolist() == [_at(0), _at(1), _at(2)]
    assert history.usual_edges is None


def test_a_broken_picture_is_in_no_window() -> None:
    history = _history(range(5))
    history.append(make_period(5, edges=np.zeros((90, 160), np.float32)), whole=False)
    history.append(make_period(6))
    assert history.last(2).times.tolist() == [_at(4), _at(6)]
    assert history.recent_edges is not None
    assert history.recent_edges == pytest.approx(lines())


def test_a_window_does_not_reach_back_beyond_a_moment() -> None:
    assert _times_of_last(_history(range(10)), 15, 7) == [_at(7), _at(8), _at(9)]
    assert _times_of_last(_history(range(10)), 15, 99) == []


def _times_of_last(history: History, count: int, after: int) -> list[float]:
    times: list[float] = history.last(count, _at(after)).times.tolist()
    return times


def test_each_minute_is_of_the_model_that_answered() -> None:
    history = _history(range(3))
    history.append(make_period(3, model_version="m-2"))
    past = history.clean(np.inf)
    assert history.of_version(past, "m-1").tolist() == [True, True, True, False]
    assert history.of_version(past, "m-2").tolist() == [False, False, False, True]
    assert not history.of_version(past, "never seen").any()


def test_the_usual_stream_is_that_of_most_of_the_first_hour() -> None:
    history = History()
    for number, fps in enumerate([10.0, 2.0, 10.0]):
        history.append(make_period(number, fps=fps))
    usual = history.usual
    assert usual is not None
    assert (usual.width, usual.height, usual.fps) == (640, 360, 10.0)


def test_a_stream_that_is_accepted_is_the_usual_one() -> None:
    history = _history(range(3))
    other = make_period(3, width=320, height=180, fps=5.0)
    history.accept_stream(other)
    history.append(other)
    usual = history.usual
    assert usual is not None
    assert (usual.width, usual.height, usual.fps) == (320, 180, 5.0)


def test_a_minute_without_pictures_tells_no_size() -> None:
    history = History()
    history.append(make_period(0, samples=0, width=0, height=0, fps=0.0, edges=None), whole=False)
    assert history.usual is None
    history.append(make_period(1))
    assert history.usual is not None


def test_the_usual_lines_follow_slowly_and_the_recent_ones_at_once() -> None:
    history = _history(range(100))
    for number in range(100, 110):
        history.learn_view()
        history.append(make_period(number, edges=lines(20)))
    assert history.recent_edges is not None
    assert history.usual_edges is not None
    near_new = np.abs(history.recent_edges - lines(20)).mean()
    assert near_new < 0.2 * np.abs(history.recent_edges - lines()).mean()
    assert np.abs(history.usual_edges - lines()).mean() < np.abs(history.usual_edges - lines(20)).mean()


@pytest.mark.parametrize("is_drift", [False, True])
def test_a_new_model_forgets_the_usual_cells_if_the_view_was_a_drift(is_drift: bool) -> None:
    history = History()
    for number in range(20):
        history.append(make_period(number, cells=np.full(CELLS_SHAPE, 0.5, np.float32)))
        history.learn_view()
    if is_drift:
        history.exclude_last_from_reference()
    history.accept_all()
    assert history.usual_cells.knows(history.newest_s) is not is_drift
