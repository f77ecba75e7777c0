import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.tracking.association import Tuning
from flows.stream.tracking.tracker import CameraTracker
from streetloop.types import UNCONFIRMED, Detections
from tests.support.stream_flow.build import found

_WIDTH, _HEIGHT = 1280, 720
_Box = tuple[float, float, float, float]


def _car(x: float, y: float = 300.0) -> _Box:
    return (x, y, x + 80, y + 60)


def _see(tracker: CameraTracker, pts: float, *boxes: _Box, confidence: float = 0.9) -> list[int]:
    """Ids of the boxes at ``pts``."""
    ids = tracker.update(found(*boxes, confidence=confidence), pts, _WIDTH, _HEIGHT)
    return [int(track) for track in ids]


def _confirmed(tracker: CameraTracker, x: float = 100.0, start: float = 0.0) -> int:
    """The id of a standing car seen three times, the last at ``start`` + 0.08."""
    for index in range(3):
        ids = _see(tracker, start + index / 25, _car(x))
    assert ids[0] != UNCONFIRMED
    return ids[0]


def test_a_track_is_confirmed_by_the_confidences_of_its_detections() -> None:
    clear, doubtful = CameraTracker(), CameraTracker(tuning=Tuning(start=0.3, strong=0.3))

    assert [_see(clear, i / 25, _car(100))[0] for i in range(4)] == [-1, 1, 1, 1]
    dim = [_see(doubtful, i / 25, _car(100), confidence=0.3)[0] for i in range(5)]
    assert dim == [-1, -1, -1, 1, 1]


def test_the_frame_that_confirms_a_track_tells_its_path() -> None:
    tracker = CameraTracker()
    for index in range(3):
        _see(tracker, index / 25, _car(100 + index))
        paths = [[pts for pts, _ in track.path] for track in tracker.seen]
        assert paths == [[], [[0.0, 0.04]], [[0.08]]][index]


def test_a_detection_that_flickers_rarely_is_never_confirmed() -> None:
    tracker = CameraTracker()
    for index in range(60):
        boxes = [_car(100)] if index % 3 == 0 else []
        assert set(_see(tracker, index / 5, *boxes)) <= {UNCONFIRMED}


def test_ids_start_at_first_id() -> None:
    assert _confirmed(CameraTracker(first_id=10_000_001)) == 10_000_001


def test_trackers_have_independent_ids() -> None:
    one, other = CameraTracker(), CameraTracker()
    for index in range(3):
        _see(one, index / 25, _car(100), _car(400), _car(700))
    _see(one, 0.12, _car(100), _car(400), _car(700))

    assert _confirmed(other) == 1
    assert _confirmed(one, x=1000, start=1.0) == 4


def test_ids_are_not_reused() -> None:
    tracker = CameraTracker()
    ids = [_confirmed(tracker, start=10.0 * visit) for visit in range(5)]

    assert ids == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("gap_s", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("fps", [0, 5, 25, 100])
def test_a_track_outlives_a_short_gap_whatever_the_frame_rate(gap_s: float, fps: int) -> None:
    tracker = CameraTracker(tuning=Tuning(lost_s=1.0))
    own = _confirmed(tracker)
    for index in range(1, round(gap_s * fps)):
        _see(tracker, 0.08 + index / fps)

    assert _see(tracker, 0.08 + gap_s, _car(100)) == [own]


@pytest.mark.parametrize(("gap_s", "fps"), [(1.1, 5), (1.1, 25), (5.1, 0), (5.1, 5), (5.1, 25)])
def test_a_track_does_not_outlive_a_long_gap_whatever_the_frame_rate(gap_s: float, fps: int) -> None:
    tracker = CameraTracker(tuning=Tuning(lost_s=1.0))
    own = _confirmed(tracker)
    for index in range(1, round(gap_s * fps)):
        _see(tracker, 0.08 + index / fps)

    assert _see(tracker, 0.08 + gap_s, _car(100)) == [UNCONFIRMED]
    assert _confirmed(tracker, start=0.12 + gap_s) > own


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([0.04, 0.08, 0.12, 0.2, 0.4]), min_size=10, max_size=25), st.floats(-100, 100)
)
def test_a_car_at_constant_speed_keeps_its_id_at_irregular_frame_times(
    steps: list[float], speed: float
) -> None:
    # Three frames in a row first, as the gate gives them when something begins to move.
    times = list(itertools.accumulate([0.0, 0.04, 0.04, 0.04, 0.04, *steps]))
    tracker = CameraTracker()
    ids = [_see(tracker, pts, _car(600 + speed * pts))[0] for pts in times]

    assert set(ids[1:]) == {1}


def test_an_extra_frame_does_not_break_a_track() -> None:
    tracker = CameraTracker()
    times = [0.0, 0.04, 0.08, 0.0804, 0.12, 0.16]
    ids = [_see(tracker, pts, _car(100 + 200 * pts))[0] for pts in times]

    assert ids == [-1, 1, 1, 1, 1, 1]


def test_tracked_detections_keep_their_order() -> None:
    tracker = CameraTracker()
    cars = [_car(100), _car(400), _car(700), _car(1000)]
    # The second and the fourth are weak, and dealt with last.
    weights = [0.9, 0.15, 0.6, 0.12]
    rng = np.random.default_rng(0)
    by_car: list[dict[float, int]] = []
    for index in range(6):
        order = rng.permutation(4)
        given_ = found(*(cars[i] for i in order), confidence=[weights[i] for i in order])
        ids = tracker.update(given_, index / 25, _WIDTH, _HEIGHT)
        by_car.append(dict(zip(given_.xyxy[:, 0].tolist(), ids.tolist(), strict=True)))

    assert by_car[-1] == by_car[-2]
    assert by_car[-1][400.0] == by_car[-1][1000.0] == UNCONFIRMED
    assert {by_car[-1][100.0], by_car[-1][700.0]} == {1, 2}


def test_a_weak_detection_starts_no_track_but_extends_one() -> None:
    tracker = CameraTracker()
    for index in range(10):
        assert _see(tracker, index / 25, _car(600), confidence=0.2) == [UNCONFIRMED]
    own = _confirmed(tracker, start=1.0)

    assert _see(tracker, 1.12, _car(100), confidence=0.15) == [own]


def test_a_change_of_resolution_keeps_the_id() -> None:
    tracker = CameraTracker()
    own = _confirmed(tracker)
    left, top, right, bottom = _car(100)
    half = found((left / 2, top / 2, right / 2, bottom / 2))
    assert tracker.update(half, 0.12, _WIDTH // 2, _HEIGHT // 2).tolist() == [own]


def test_frames_without_detections_give_empty_results() -> None:
    tracker = CameraTracker()
    before = tracker.update(Detections.empty(), 0.0, _WIDTH, _HEIGHT)
    _confirmed(tracker, start=0.04)
    after = tracker.update(Detections.empty(), 0.2, _WIDTH, _HEIGHT)

    for ids in (before, after):
        assert ids.shape == (0,)
        assert ids.dtype == np.int64


def test_two_cars_that_meet_have_two_ids() -> None:
    tracker = CameraTracker()
    seen: set[tuple[int, ...]] = set()
    for index in range(60):
        way = index * 6
        ids = _see(tracker, index / 25, _car(100 + way, y=300), _car(460 - way, y=350))
        seen.add(tuple(ids))

    assert seen in ({(-1, -1), (1, 2)}, {(-1, -1), (2, 1)})


def test_a_standing_car_with_a_jittering_box_does_not_move() -> None:
    tracker = CameraTracker()
    rng = np.random.default_rng(0)
    for index in range(50):
        _see(tracker, index / 25, _car(100 + rng.normal(0, 0.5)))
        assert not tracker.moving


def test_a_driving_car_moves_until_it_has_stood_for_a_second() -> None:
    tracker = CameraTracker()
    for index in range(25):
        _see(tracker, index / 25, _car(100 + 4 * index))
    assert tracker.moving

    for index in range(25, 60):
        _see(tracker, index / 25, _car(196))
    assert not tracker.moving


def test_a_car_that_has_left_no_longer_moves() -> None:
    tracker = CameraTracker()
    for index in range(25):
        _see(tracker, index / 25, _car(100 + 4 * index))
    _see(tracker, 3.0)

    assert not tracker.moving


def test_an_unconfirmed_car_does_not_count_as_moving() -> None:
    tracker = CameraTracker(tuning=Tuning(confirm_hits=3))
    _see(tracker, 0.0, _car(100))
    _see(tracker, 0.04, _car(120))

    assert not tracker.moving


def test_normal_use_gives_no_warning() -> None:
    tracker = CameraTracker()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _see(tracker, 0.0)
        _confirmed(tracker, start=0.04)
        _see(tracker, 0.2)
        _see(tracker, 100.0, _car(10), _car(500))
        tracker.update(found((5, 5, 5, 5)), 100.04, _WIDTH // 2, _HEIGHT // 2)


def test_a_parked_car_is_one_object_though_the_detector_misses_it_for_long() -> None:
    tracker = CameraTracker()
    for index in range(50):
        own = _see(tracker, index / 10, _car(100))[0]
    ids = {_see(tracker, 5.0 + 20 * visit, _car(101))[0] for visit in range(1, 5)}

    assert ids == {own}


def test_a_car_that_a_bus_hides_keeps_its_id() -> None:
    tracker = CameraTracker()
    ids = []
    for index in range(60):
        left = 100 + 10.0 * index
        hidden_from = 500.0  # the bus covers what is right of it, up to 700
        visible = (left, 300.0, min(left + 80, hidden_from), 360.0)
        if left + 80 <= hidden_from or left >= 700:
            ids += _see(tracker, index / 10, _car(left))
        elif left < hidden_from - 10:
            ids += _see(tracker, index / 10, visible)
        else:
            _see(tracker, index / 10)

    assert set(ids[1:]) == {1}


def test_a_second_box_on_a_car_starts_no_track() -> None:
    tracker = CameraTracker()
    for index in range(20):
        left = 100 + 4.0 * index
        ids = _see(tracker, index / 10, _car(left), (left, 300, left + 50, 360), confidence=0.9)

    assert ids == [1, UNCONFIRMED]


def test_fast_cars_are_followed_where_others_drove_before() -> None:
    # At 5 frames a second each is 1.4 lengths further in the next frame: no two boxes overlap.
    def drive(tracker: CameraTracker, start: float, frame_s: float) -> list[int]:
        times = [k * frame_s for k in range(round(1.8 / frame_s))]
        return [_see(tracker, start + t, _car(10 + 560 * t))[0] for t in times]

    tracker = CameraTracker()
    for lap in range(10):
        drive(tracker, 10.0 * lap, 0.04)
    late = drive(tracker, 200.0, 0.2)
    assert late[0] == UNCONFIRMED
    assert len(set(late[1:])) == 1
    assert late[-1] != UNCONFIRMED


def test_a_class_is_voted_by_confidence() -> None:
    tracker = CameraTracker(classes=3)
    for index, (class_id, confidence) in enumerate([(0, 0.6), (2, 0.9), (0, 0.6), (2, 0.9)]):
        tracker.update(
            found(_car(100), confidence=confidence, class_id=class_id), index / 25, _WIDTH, _HEIGHT
        )

    np.testing.assert_allclose(tracker.seen[0].votes, [1.2, 0, 1.8], rtol=1e-5)


def test_ended_tracks_are_told_once() -> None:
    tracker = CameraTracker()
    own = _confirmed(tracker)
    ended = []
    for index in range(1, 8):
        _see(tracker, float(index))
        ended += [track.id for track in tracker.ended]

    assert ended == [own]
    assert tracker.tracks == []


@pytest.mark.parametrize("fps", [10, 3, 1.9, 1, 0.3])
def test_a_slow_camera_has_tracks_too(fps: float) -> None:
    tracker = CameraTracker()
    ids = [_see(tracker, index / fps, _car(100 + index))[0] for index in range(8)]

    assert ids == [UNCONFIRMED] + [1] * 7


def test_a_time_without_frames_is_no_time_of_missing_an_object() -> None:
    # The gate is closed while nothing moves, and the detector misses the first frame after it.
    tracker = CameraTracker()
    for index in range(24):
        own = _see(tracker, index / 10, _car(100 + 10 * min(index, 18)))[0]
    assert _see(tracker, 4.3) == []
    assert _see(tracker, 6.3, _car(280)) == [own]


def test_a_parked_car_that_is_hidden_stays_where_it_is() -> None:
    tracker = CameraTracker()
    rng = np.random.default_rng(0)
    for index in range(60):
        own = _see(tracker, index / 10, _car(100 + rng.normal(0, 2)))[0]
    for index in range(60, 360):
        _see(tracker, index / 10)

    assert _see(tracker, 36.0, _car(100)) == [own]


_DARK, _BRIGHT = (0.2, 0.3), (0.7, 0.6)


def _pass_each_other(appearance: list[tuple[float, float]] | None) -> list[tuple[int, int]]:
    """Ids of two people, one of whom goes to the right, the other to the left, and turns back."""
    tracker, ids = CameraTracker(), []
    for index in range(60):
        pts = index / 10
        x = 390.0 + 2 * min(index, 60 - index)  # they meet at 450, and both turn there
        people = found((x, 300, x + 20, 350), (900 - x, 302, 920 - x, 352), confidence=0.9)
        told = None if appearance is None else np.array(appearance)
        one, other = tracker.update(people, pts, _WIDTH, _HEIGHT, told)
        ids.append((int(one), int(other)))
    return ids


def test_people_who_turn_where_they_meet_keep_their_ids_if_they_look_different() -> None:
    first, *_, last = _pass_each_other([_DARK, _BRIGHT])[5:]
    assert first == last

    first, *_, last = _pass_each_other(None)[5:]
    assert first == last[::-1]


def test_a_car_that_drives_into_a_shadow_keeps_its_id() -> None:
    tracker = CameraTracker()
    ids = []
    for index in range(20):
        appearance = np.array([_BRIGHT if index < 10 else _DARK])
        ids.append(
            int(tracker.update(found(_car(100 + 10 * index)), index / 10, _WIDTH, _HEIGHT, appearance)[0])
        )

    assert set(ids[1:]) == {1}
