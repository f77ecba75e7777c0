from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flows.stream.ingest.motion_gate import MotionGate
from streetloop.types import Image

_FPS = 25.0
_WIDTH, _HEIGHT = 640, 360


def _street() -> NDArray[np.float32]:
    """An empty road: a bright sky that falls off to one side over a darker ground."""
    street = np.tile(np.linspace(60, 190, _WIDTH, dtype=np.float32), (_HEIGHT, 1))
    street[_HEIGHT // 2 :] *= 0.6
    return street


def _taken(scenes: Iterable[NDArray[np.float32]], sigma: float = 3.0, seed: int = 0) -> Iterator[Image]:
    """The scenes as a sensor with noise sees them."""
    rng = np.random.default_rng(seed)
    # Making noise is slow: one field, shifted at random, is as good as a new one each time.
    noise = rng.normal(0, sigma, (2 * _HEIGHT, 2 * _WIDTH)).astype(np.float32)
    for scene in scenes:
        height, width = scene.shape
        y, x = rng.integers(0, 2 * _HEIGHT - height), rng.integers(0, 2 * _WIDTH - width)
        seen = scene + noise[y : y + height, x : x + width]
        yield np.clip(seen, 0, 255).astype(np.uint8)


def _looks(gate: MotionGate, pictures: Iterable[Image], first: int = 0) -> list[int]:
    """Indices of the pictures that the detector has to look at."""
    return [index for index, luma in enumerate(pictures, start=first) if gate.is_open(luma, index / _FPS)]


def _settled(hold_s: float = 0.41) -> MotionGate:
    """A gate that has watched the empty road; the next picture is number 25."""
    gate = MotionGate(keyframe_s=1000.0, hold_s=hold_s)
    assert _looks(gate, _taken([_street()] * 25, seed=1))[-1] < 20
    return gate


def test_the_first_picture_is_always_looked_at() -> None:
    assert MotionGate().is_open(np.zeros((_HEIGHT, _WIDTH), np.uint8), 0.0)


@pytest.mark.parametrize("sigma", [0.0, 3.0, 6.0, 15.0])
def test_noise_on_a_still_street_opens_for_keyframes_only(sigma: float) -> None:
    gate = MotionGate(keyframe_s=2.0, hold_s=0.0)
    pictures = _taken([_street()] * 110, sigma)

    assert _looks(gate, pictures) == [0, 50, 100]


def test_a_noisy_picture_as_small_as_the_gate_looks_at_it_stays_closed() -> None:
    # Larger ones are averaged, which takes most of the noise away.
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)

    assert _looks(gate, _taken([_street()[::4, ::4]] * 50, sigma=10.0)) == [0]


def test_a_faint_flicker_does_not_open_the_gate() -> None:
    # So blocks of a compressed picture pulse with each keyframe.
    gate = _settled()
    scenes = []
    for step in range(50):
        scene = _street()
        scene[180:300, 100:300] += 8 * (step % 2)
        scenes.append(scene)

    assert _looks(gate, _taken(scenes, sigma=0.5), first=25) == []


@pytest.mark.parametrize("keyframe_s", [0.5, 1.0, 2.0])
def test_no_more_than_the_keyframe_interval_passes_without_a_look(keyframe_s: float) -> None:
    gate = MotionGate(keyframe_s, hold_s=0.0)
    looks = _looks(gate, _taken([_street()] * 110))

    assert len(looks) > 2
    assert set(np.diff(looks)) == {np.ceil(keyframe_s * _FPS)}


def test_a_small_moving_square_opens_the_gate_and_its_end_closes_it() -> None:
    gate = _settled()
    scenes = []
    for step in range(25):
        scene = _street()
        scene[200:224, 100 + 4 * step : 124 + 4 * step] = 230
        scenes.append(scene)
    looks = _looks(gate, _taken(scenes + [_street()] * 75), first=25)

    assert set(range(25, 50)) <= set(looks)
    # Where the square was last, the background has to forget it; then it is quiet.
    assert max(looks) < 25 + 25 + 60


def test_a_car_at_walking_pace_opens_the_gate() -> None:
    gate = _settled()
    scenes = []
    for step in range(50):
        scene = _street()
        scene[200:240, 100 + step : 160 + step] = 230  # one pixel a picture
        scenes.append(scene)
    looks = _looks(gate, _taken(scenes), first=25)

    assert len(looks) > 0.9 * len(scenes)


def test_what_has_stopped_becomes_part_of_the_background() -> None:
    gate = _settled()
    scene = _street()
    scene[200:240, 100:160] = 230
    looks = _looks(gate, _taken([scene] * 125), first=25)

    assert looks[0] == 25
    assert looks[-1] < 25 + 100


@pytest.mark.parametrize("gain", [0.7, 0.9, 1.1, 1.3])
def test_a_cloud_or_the_exposure_does_not_open_the_gate(gain: float) -> None:
    gate = _settled()
    sudden = [_street() * gain] * 30
    gradual = [_street() * (gain + (1 - gain) * step / 30) for step in range(30)]

    assert _looks(gate, _taken(sudden + gradual), first=25) == []


def test_a_bright_spot_in_the_dark_does_not_open_the_gate_when_the_exposure_changes() -> None:
    dark = np.full((_HEIGHT, _WIDTH), 20, np.float32)
    dark[100:160, 300:400] = 240
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)

    assert _looks(gate, _taken([dark] * 25 + [dark * 0.8] * 25, sigma=0.5)) == [0]


def test_something_moving_is_seen_while_the_brightness_changes() -> None:
    gate = _settled()
    scenes = []
    for step in range(20):
        scene = _street()
        scene[200:240, 100 + 4 * step : 140 + 4 * step] = 230
        scenes.append(scene * (1 - step / 60))
    looks = _looks(gate, _taken(scenes), first=25)

    assert looks == list(range(25, 45))


def test_the_gate_is_held_open_after_the_last_motion() -> None:
    gate = _settled()
    gate.keep_open(1.0)
    looks = _looks(gate, _taken([_street()] * 30), first=25)

    assert looks == list(range(25, 36))


def test_keeping_open_for_an_older_time_does_not_shorten_it() -> None:
    gate = _settled()
    gate.keep_open(1.4)
    gate.keep_open(0.9)

    assert _looks(gate, _taken([_street()] * 30), first=25) == list(range(25, 46))


def test_a_change_of_resolution_is_looked_at_and_then_quiet_again() -> None:
    gate = _settled(hold_s=0.0)
    smaller = [scene[::3, ::2] for scene in [_street()] * 40]

    assert _looks(gate, _taken(smaller), first=25) == [25]


@pytest.mark.parametrize("shape", [(1, 1), (8, 6), (2, 2000), (200, 2)])
def test_odd_pictures_are_judged_too(shape: tuple[int, int]) -> None:
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)
    pictures = [np.full(shape, 90, np.uint8)] * 3

    assert _looks(gate, pictures) == [0]


def test_the_picture_that_was_given_is_left_as_it_is() -> None:
    gate = MotionGate()
    for index, luma in enumerate(_taken([_street()[:90, :160]] * 3)):
        before = luma.copy()
        gate.is_open(luma, index / _FPS)
        assert np.array_equal(luma, before)


def test_a_camera_that_is_knocked_aside_opens_the_gate() -> None:
    rng = np.random.default_rng(1)
    street = cv2.resize(rng.integers(0, 255, (18, 32), np.uint8), (640, 360)).astype(np.uint8)
    gate = MotionGate(keyframe_s=100)
    assert not [gate.is_open(street, k / 25) for k in range(75)][-1]
    moved = np.roll(street, 200, axis=1)
    assert all(gate.is_open(moved, 3 + k / 25) for k in range(10))
