"""Tracks that hold, break and flicker."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.statistics.camera_stats import CameraStats, ServedStats
from serve.rollout.statistics.track_stability import FleetStability, StabilityWatch
from streetloop.types import UNCONFIRMED, Detections, Tracked

CAR, BUS = 0, 1
FRAME_S = 0.1
Track = tuple[int, float, int]
"""Id, left side, class."""


def frame(*tracks: Track) -> Tracked:
    """Boxes of 100 x 100 pixels at different left sides."""
    boxes = np.array([(x, 0, x + 100, 100) for _, x, _ in tracks], np.float32).reshape(-1, 4)
    classes = np.array([k for _, _, k in tracks], np.int64)
    found = Detections(boxes, np.full(len(tracks), 0.9, np.float32), classes)
    return Tracked(found, np.array([track for track, _, _ in tracks], np.int64))


def watched(frames: list[Tracked], apart_s: float = FRAME_S) -> ServedStats:
    watch = StabilityWatch()
    return sum((watch.take(k * apart_s, one) for k, one in enumerate(frames)), ServedStats())


def stay(track: int, frames: int, x: float = 0.0, class_id: int = CAR) -> list[Tracked]:
    return [frame((track, x, class_id))] * frames


EMPTY = frame()


def test_a_track_that_stays_is_whole() -> None:
    found = watched(stay(1, 21))
    assert (found.frames, found.boxes, found.broken, found.flickers) == (21, 21, 0, 0)
    assert found.track_s == pytest.approx(2.0)


def test_a_track_that_is_followed_in_its_place_is_broken() -> None:
    assert watched([*stay(1, 5), *[EMPTY] * 5, *stay(2, 5)]).broken == 1
    assert watched([*stay(1, 5), *stay(2, 5), *stay(3, 5)]).broken == 2


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (stay(2, 5, class_id=BUS), "another class"),
        (stay(2, 5, x=300.0), "another place"),
        ([*[EMPTY] * 12, *stay(2, 5)], "another time"),
        (stay(1, 5), "the same track"),
        ([frame((1, 0, CAR), (2, 10, CAR))] * 5, "beside the first, which is still there"),
        (stay(UNCONFIRMED, 5), "not confirmed"),
    ],
)
def test_what_else_begins_breaks_nothing(later: list[Tracked], why: str) -> None:
    assert watched([*stay(1, 5), *[EMPTY] * 4, *later]).broken == 0, why


def test_a_thing_that_drives_on_is_looked_for_where_it_would_be() -> None:
    driving = [frame((1, 20.0 * k, CAR)) for k in range(10)]
    ahead = [frame((2, 20.0 * k, CAR)) for k in range(20, 25)]
    assert watched([*driving, *[EMPTY] * 10, *ahead]).broken == 1


def test_a_track_is_followed_once() -> None:
    both = [frame((2, 0, CAR), (3, 10, CAR))] * 5
    assert watched([*stay(1, 5), *both]).broken == 1


def test_a_stream_that_was_away_breaks_nothing() -> None:
    assert watched([*stay(1, 5), *stay(2, 5)], apart_s=2.0).broken == 0
    assert watched(stay(1, 5), apart_s=2.0).track_s == 0


def test_class_changes_and_short_losses_are_counted() -> None:
    changing = [frame((1, 0, k % 2)) for k in range(6)]
    assert watched(changing).flickers == 5
    assert watched([*stay(1, 3), *[EMPTY] * 4, *stay(1, 3)]).flickers == 1


def test_where_the_model_changes_nothing_is_broken_and_each_has_its_own() -> None:
    stability, found = FleetStability(), CameraStats()
    for k, one in enumerate([*stay(1, 6), *stay(2, 6)]):
        (added,) = stability.take("a", k * FRAME_S, one, challenger=k >= 6).values()
        found += added
    assert (found.champion.frames, found.challenger.frames) == (6, 6)
    assert found.champion.broken == found.challenger.broken == 0
    assert found.champion.track_s == pytest.approx(0.5)


def test_cameras_know_nothing_of_each_other() -> None:
    stability = FleetStability()
    for k in range(5):
        stability.take("a", k * FRAME_S, frame((1, 0, CAR)), challenger=False)
    (found,) = stability.take("b", 0.6, frame((2, 0, CAR)), challenger=False).values()
    assert found.champion.broken == 0


tracks = st.lists(
    st.lists(
        st.tuples(st.integers(-1, 6), st.floats(0, 400, width=32), st.integers(0, 2)),
        max_size=5,
        unique_by=lambda one: one[0],
    ),
    max_size=40,
)


@given(tracks, st.floats(0.02, 3.0))
def test_whatever_is_tracked_the_sums_stay_within_reason(frames: list[list[Track]], apart_s: float) -> None:
    shown = [frame(*one) for one in frames]
    found = watched(shown, apart_s)
    sightings = sum(track != UNCONFIRMED for one in frames for track, _, _ in one)
    assert found.frames == len(frames)
    assert found.boxes == sum(len(one) for one in frames)
    assert 0 <= found.broken <= sightings
    assert 0 <= found.flickers <= 2 * sightings
    longest = sum(min(len(a) + len(b), 10) * 1.5 for a, b in itertools.pairwise([[], *frames]))
    assert 0 <= found.track_s <= longest


@given(tracks)
def test_ids_alone_change_nothing(frames: list[list[Track]]) -> None:
    def renamed(one: list[Track]) -> list[Track]:
        return [(t if t == UNCONFIRMED else 100 - t, x, k) for t, x, k in one]

    plain = [sorted(one, key=lambda t: t[1]) for one in frames]
    first = watched([frame(*one) for one in plain])
    again = watched([frame(*renamed(one)) for one in plain])
    assert first == again
