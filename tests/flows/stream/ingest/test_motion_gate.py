from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flows.stream.ingest import motion_gate
from flows.stream.ingest.motion_gate import MotionGate
from streetloop.types import Image

_FPS = 25.0
_WIDTH, _HEIGHT = 640, 360


def _street() -> NDArray[np.float32]:
    """An empty road: a bright sky that falls off to one side over a darker ground."""
    street = np.tile(np.linspace(60, 190, _WIDTH, dtype=np.float32), (_HEIGHT, 1))
    street[_HEIGHT // 2 :] *= 0.6
    return street


def _with_noise(scenes: Iterable[NDArray[np.float32]], sigma: float = 3.0, seed: int = 0) -> Iterator[Image]:
    """The scenes with sensor noise."""
    rng = np.random.default_rng(seed)
    # Making noise is slow: one field, shifted at random, is as good as a new one each time.
    noise = rng.normal(0, sigma, (2 * _HEIGHT, 2 * _WIDTH)).astype(np.float32)
    for scene in scenes:
        height, width = scene.shape
        y, x = rng.integers(0, 2 * _HEIGHT - height), rng.integers(0, 2 * _WIDTH - width)
        seen = scene + noise[y : y + height, x : x + width]
        yield np.clip(seen, 0, 255).astype(np.uint8)


def _opened(gate: MotionGate, pictures: Iterable[Image], first: int = 0) -> list[int]:
    """Indices of the pictures for which the gate is open."""
    return [index for index, luma in enumerate(pictures, start=first) if gate.is_open(luma, index / _FPS)]


def _settled(hold_s: float = 0.41) -> MotionGate:
    """A gate whose background is the empty road; the next picture is number 25."""
    gate = MotionGate(keyframe_s=1000.0, hold_s=hold_s)
    assert _opened(gate, _with_noise([_street()] * 25, seed=1))[-1] < 20
    return gate


def test_the_gate_is_open_for_the_first_picture() -> None:
    assert MotionGate().is_open(np.zeros((_HEIGHT, _WIDTH), np.uint8), 0.0)


@pytest.mark.parametrize("sigma", [0.0, 3.0, 6.0, 15.0])
def test_noise_on_a_still_street_opens_for_keyframes_only(sigma: float) -> None:
    gate = MotionGate(keyframe_s=2.0, hold_s=0.0)
    pictures = _with_noise([_street()] * 110, sigma)

    assert _opened(gate, pictures) == [0, 50, 100]


def test_noise_in_a_picture_of_the_gates_own_size_does_not_open_it() -> None:
    # Larger ones are averaged, which takes most of the noise away.
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)

    assert _opened(gate, _with_noise([_street()[::4, ::4]] * 50, sigma=10.0)) == [0]


def test_a_faint_flicker_does_not_open_the_gate() -> None:
    # So blocks of a compressed picture pulse with each keyframe.
    gate = _settled()
    scenes = []
    for step in range(50):
        scene = _street()
        scene[180:300, 100:300] += 8 * (step % 2)
        scenes.append(scene)

    assert _opened(gate, _with_noise(scenes, sigma=0.5), first=25) == []


@pytest.mark.parametrize("keyframe_s", [0.5, 1.0, 2.0])
def test_the_gate_opens_once_every_keyframe_interval(keyframe_s: float) -> None:
    gate = MotionGate(keyframe_s, hold_s=0.0)
    opened = _opened(gate, _with_noise([_street()] * 110))

    assert len(opened) > 2
    assert set(np.diff(opened)) == {np.ceil(keyframe_s * _FPS)}


def test_a_small_moving_square_opens_the_gate_and_its_end_closes_it() -> None:
    gate = _settled()
    scenes = []
    for step in range(25):
        scene = _street()
        scene[200:224, 100 + 4 * step : 124 + 4 * step] = 230
        scenes.append(scene)
    opened = _opened(gate, _with_noise(scenes + [_street()] * 75), first=25)

    assert set(range(25, 50)) <= set(opened)
    # Where the square was last, the background adapts first; then the gate closes.
    assert max(opened) < 25 + 25 + 60


def test_a_car_at_walking_pace_opens_the_gate() -> None:
    gate = _settled()
    scenes = []
    for step in range(50):
        scene = _street()
        scene[200:240, 100 + step : 160 + step] = 230  # one pixel a picture
        scenes.append(scene)
    opened = _opened(gate, _with_noise(scenes), first=25)

    assert len(opened) > 0.9 * len(scenes)


def test_a_stopped_object_becomes_part_of_the_background() -> None:
    gate = _settled()
    scene = _street()
    scene[200:240, 100:160] = 230
    opened = _opened(gate, _with_noise([scene] * 125), first=25)

    assert opened[0] == 25
    assert opened[-1] < 25 + 100


@pytest.mark.parametrize("gain", [0.7, 0.9, 1.1, 1.3])
def test_a_cloud_or_the_exposure_does_not_open_the_gate(gain: float) -> None:
    gate = _settled()
    sudden = [_street() * gain] * 30
    gradual = [_street() * (gain + (1 - gain) * step / 30) for step in range(30)]

    assert _opened(gate, _with_noise(sudden + gradual), first=25) == []


def test_a_bright_spot_in_the_dark_does_not_open_the_gate_when_the_exposure_changes() -> None:
    dark = np.full((_HEIGHT, _WIDTH), 20, np.float32)
    dark[100:160, 300:400] = 240
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)

    assert _opened(gate, _with_noise([dark] * 25 + [dark * 0.8] * 25, sigma=0.5)) == [0]


def test_motion_opens_the_gate_while_the_brightness_changes() -> None:
    gate = _settled()
    scenes = []
    for step in range(20):
        scene = _street()
        scene[200:240, 100 + 4 * step : 140 + 4 * step] = 230
        scenes.append(scene * (1 - step / 60))
    opened = _opened(gate, _with_noise(scenes), first=25)

    assert opened == list(range(25, 45))


def test_the_gate_is_held_open_after_the_last_motion() -> None:
    gate = _settled()
    gate.keep_open(1.0)
    opened = _opened(gate, _with_noise([_street()] * 30), first=25)

    assert opened == list(range(25, 36))


def test_keeping_open_for_an_older_time_does_not_shorten_it() -> None:
    gate = _settled()
    gate.keep_open(1.4)
    gate.keep_open(0.9)

    assert _opened(gate, _with_noise([_street()] * 30), first=25) == list(range(25, 46))


def test_a_change_of_resolution_opens_the_gate_once() -> None:
    gate = _settled(hold_s=0.0)
    smaller = [scene[::3, ::2] for scene in [_street()] * 40]

    assert _opened(gate, _with_noise(smaller), first=25) == [25]


@pytest.mark.parametrize("shape", [(1, 1), (8, 6), (2, 2000), (200, 2)])
def test_pictures_of_extreme_shapes_are_accepted(shape: tuple[int, int]) -> None:
    gate = MotionGate(keyframe_s=1000.0, hold_s=0.0)
    pictures = [np.full(shape, 90, np.uint8)] * 3

    assert _opened(gate, pictures) == [0]


def test_the_picture_is_not_modified() -> None:
    gate = MotionGate()
    for index, luma in enumerate(_with_noise([_street()[:90, :160]] * 3)):
        before = luma.copy()
        gate.is_open(luma, index / _FPS)
        assert np.array_equal(luma, before)


def test_a_moved_camera_opens_the_gate() -> None:
    rng = np.random.default_rng(1)
    street = cv2.resize(rng.integers(0, 255, (18, 32), np.uint8), (640, 360)).astype(np.uint8)
    gate = MotionGate(keyframe_s=100)
    assert not [gate.is_open(street, k / 25) for k in range(75)][-1]
    moved = np.roll(street, 200, axis=1)
    assert all(gate.is_open(moved, 3 + k / 25) for k in range(10))


@pytest.mark.parametrize("shape", [(4000, 2), (2, 4000), (4000, 400), (1, 1)])
def test_a_picture_of_an_odd_shape_costs_no_more_than_another(shape: tuple[int, int]) -> None:
    assert motion_gate._shrink(np.zeros(shape, np.uint8)).size <= 160 * 640
    assert MotionGate().is_open(np.zeros(shape, np.uint8), 0.0)
