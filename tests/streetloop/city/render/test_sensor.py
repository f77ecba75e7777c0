from datetime import timedelta

import cv2
import numpy as np
import pytest

from streetloop.city.render.sensor import NOON, Sensor
from streetloop.city.world.conditions import STEPS, Look
from streetloop.types import Image

_SIZE = (160, 90)
_NOISE = 12.0


def _sensor(*names: object) -> Sensor:
    return Sensor(_SIZE, "KINGSPORT / CROSSING", names or ("kingsport", "crossing", 0))


def _scene() -> Image:
    """Bricks: detail at every place."""
    image = np.full((90, 160, 3), 110, np.uint8)
    image[::6] = 60
    image[:, ::9] = 170
    return image


def _gray() -> Image:
    return np.full((90, 160, 3), 100, np.uint8)


def _expose(image: Image | None = None, frame: int = 0, sensor: Sensor | None = None, **look: int) -> Image:
    shown = _scene() if image is None else image
    return (sensor or _sensor()).expose(shown, Look(**look), frame, NOON, (80.0, 10.0))


def _below_text(image: Image) -> Image:
    return image[8:]


def _apart(a: Image, b: Image) -> float:
    return float(np.abs(_below_text(a).astype(int) - _below_text(b)).mean())


def _detail(image: Image) -> float:
    return float(cv2.Laplacian(_below_text(image).astype(np.float32), cv2.CV_32F).std())


def test_noise_differs_from_frame_to_frame() -> None:
    sensor = _sensor()
    first, second = (_expose(_gray(), frame, sensor) for frame in (0, 1))

    assert 0.2 < _apart(first, second) < _NOISE


def test_a_frames_noise_is_always_the_same() -> None:
    sensor = _sensor()
    first = _expose(frame=5, sensor=sensor)
    for frame in range(4):
        _expose(frame=frame, sensor=sensor)

    assert np.array_equal(_expose(frame=5, sensor=sensor), first)
    assert np.array_equal(_expose(frame=5), first)


def test_noise_leaves_the_brightness_alone() -> None:
    means = [_below_text(_expose(_gray(), frame)).mean() for frame in range(10)]

    assert np.mean(means) == pytest.approx(100, abs=1)


def test_another_camera_has_other_noise() -> None:
    assert _apart(_expose(), _expose(sensor=_sensor("kingsport", "crossing", 1))) > 0.5


def test_the_dark_is_noisier() -> None:
    day, night = (_below_text(_expose(_gray(), darkness=d)).std() for d in (0, STEPS))

    assert night > 1.5 * day


def test_rain_adds_streaks_that_fall() -> None:
    sensor = _sensor()
    dry, wet, later = (
        _expose(_gray(), frame, sensor, rain=rain) for frame, rain in ((0, 0), (0, STEPS), (1, STEPS))
    )

    assert _below_text(wet).mean() > _below_text(dry).mean()
    assert _below_text(wet).max() > _below_text(dry).max() + 10
    assert _apart(wet, later) > _apart(dry, _expose(_gray(), 1, sensor))


def test_more_rain_is_more_streaks() -> None:
    means = [_below_text(_expose(_gray(), rain=rain)).mean() for rain in (0, 8, 16, STEPS)]

    assert means == sorted(means)
    assert means[-1] > means[0] + 0.4


def test_a_poor_link_takes_detail() -> None:
    details = [_detail(_expose(compression=strength)) for strength in (0, 12, STEPS)]

    assert details[2] < details[1] < details[0]
    assert details[2] < 0.7 * details[0]


def test_dirt_on_the_lens_stays_where_it_is() -> None:
    sensor = _sensor()
    clean = _expose(sensor=sensor).astype(int)
    first, second = (
        _below_text(np.abs(_expose(frame=0, sensor=sensor, dirt=STEPS) - clean)).mean(axis=-1) > 25
        for _ in range(2)
    )

    assert 0.02 < first.mean() < 0.98
    assert (first == second).mean() > 0.9
    assert _detail(_expose(sensor=sensor, dirt=STEPS)) < 0.95 * _detail(_expose(sensor=sensor))


def test_drops_on_the_lens_bend_the_picture_in_places() -> None:
    changed = np.abs(_expose(wet=STEPS).astype(int) - _expose()).max(axis=-1)[8:] > 30

    assert 0.03 < changed.mean() < 0.9


@pytest.mark.parametrize("condition", ["dirt", "wet", "low_sun", "compression", "rain"])
def test_the_stronger_the_further_from_the_clean_picture(condition: str) -> None:
    clean = _expose()
    apart = [_apart(clean, _expose(**{condition: strength})) for strength in (1, 12, STEPS)]

    assert apart[0] < apart[2]
    assert apart[1] < 1.1 * apart[2]


def test_a_low_sun_dazzles_around_itself() -> None:
    added = _expose(_gray(), low_sun=STEPS).astype(int) - _expose(_gray())

    assert added[12:20, 70:90].mean() > added[70:90, :20].mean() + 20


def test_without_a_sun_in_front_a_low_sun_does_not_dazzle() -> None:
    sensor = _sensor()
    look = Look(low_sun=STEPS)

    assert np.array_equal(sensor.expose(_gray(), look, 0, NOON, None), _expose(_gray(), sensor=sensor))


def test_the_place_and_the_time_are_written_at_the_top() -> None:
    gray = _expose(_gray())

    assert np.abs(gray[:5].astype(int) - 100).max() > 100
    assert np.abs(gray[6:].astype(int) - 100).max() < 40


def test_the_written_time_goes_on_by_minutes() -> None:
    sensor = Sensor((640, 360), "KINGSPORT / CROSSING", ("a",))

    def top(seconds: float) -> Image:
        image = np.full((360, 640, 3), 100, np.uint8)
        return sensor.expose(image, Look(), 0, NOON + timedelta(seconds=seconds), None)[:20]

    assert np.array_equal(top(0), top(59))
    changed = np.abs(top(0).astype(int) - top(60)).max(axis=(0, 2)) > 50
    assert changed.any()
    assert np.flatnonzero(changed).min() > 500  # the last figure, at the right


@pytest.mark.parametrize("size", [(64, 64), (66, 130), (200, 64)])
def test_any_size_can_be_exposed(size: tuple[int, int]) -> None:
    width, height = size
    look = Look(*[STEPS] * 8)
    image = Sensor(size, "X", ("a",)).expose(
        np.full((height, width, 3), 90, np.uint8), look, 0, NOON, (10.0, 10.0)
    )

    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
