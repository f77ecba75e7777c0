import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.render.lighting import light_of, lit
from streetloop.city.world.conditions import STEPS, Look
from streetloop.city.world.place import Solid
from tests.support.samples.city import Stage

_STRENGTH = st.integers(0, STEPS)
_LOOKS = st.builds(Look, darkness=_STRENGTH, rain=_STRENGTH, fog=_STRENGTH, low_sun=_STRENGTH)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(
        Solid(6.0, 25.0, 6.0, 6.0, 5.0, "brick"), Solid(-6.0, 70.0, 6.0, 6.0, 9.0, "brick"), size=(160, 90)
    )


def _shown(stage: Stage, **look: int) -> np.ndarray:
    return lit(stage.backdrop, light_of(Look(**look))).astype(float)


@given(_LOOKS)
def test_light_is_never_negative(look: Look) -> None:
    light = light_of(look)

    for part in (light.sky, light.sun, light.lamps, light.fog):
        assert (part >= 0).all()
        assert np.isfinite(part).all()
    assert light.fog_per_m > 0


def test_sky_and_sun_fade_as_it_gets_dark_and_lamps_come_on() -> None:
    lights = [light_of(Look(darkness=d)) for d in range(STEPS + 1)]

    assert (np.diff([light.sky.sum() for light in lights]) < 0).all()
    assert (np.diff([light.sun.sum() for light in lights]) <= 0).all()
    assert (np.diff([light.lamps.sum() for light in lights]) >= 0).all()
    assert lights[0].lamps.sum() == lights[-1].sun.sum() == 0


@pytest.mark.parametrize("weather", ["rain", "fog"])
def test_clouds_take_the_sun(weather: str) -> None:
    assert light_of(Look(**{weather: STEPS})).sun.sum() < 0.05 * light_of(Look()).sun.sum()


def test_fog_shortens_the_view() -> None:
    thickness = [light_of(Look(fog=f)).fog_per_m for f in range(STEPS + 1)]

    assert thickness == sorted(thickness)
    assert thickness[-1] > 20 * thickness[0]


def test_what_is_farther_is_more_like_the_fog() -> None:
    light = light_of(Look(fog=STEPS))
    black = np.zeros((4, 3), np.float32)
    seen = light.through_air(black, np.float32([0, 10, 50, 5000]))

    assert (seen[0] == 0).all()
    assert (np.diff(seen.mean(axis=1)) > 0).all()
    assert seen[3] == pytest.approx(light.fog, rel=1e-3)


def test_light_is_shown_as_its_square_root_within_bounds() -> None:
    light = light_of(Look())

    assert light.show(np.float32([-1, 0, 0.25, 1, 9])).tolist() == pytest.approx([0, 0, 127.5, 255, 255])


def test_the_still_scene_darkens_from_day_to_night(stage: Stage) -> None:
    day, dusk, night = (_shown(stage, darkness=d).mean() for d in (0, STEPS // 2, STEPS))

    assert night < dusk < day


def test_fog_takes_the_far_house_before_the_near_one(stage: Stage) -> None:
    depth = stage.backdrop.solid_depth
    near, far = depth < 40, (depth > 50) & np.isfinite(depth)
    clear, foggy = _shown(stage), _shown(stage, fog=STEPS)
    fog = np.sqrt(np.clip(light_of(Look(fog=STEPS)).fog, 0, 1)) * 255

    assert near.any()
    assert far.any()
    assert np.abs(foggy[far] - fog).mean() < np.abs(foggy[near] - fog).mean()
    assert foggy[near | far].std() < clear[near | far].std()


def test_rain_darkens_the_road_nearby(stage: Stage) -> None:
    nearby = np.zeros_like(stage.backdrop.road)
    nearby[-10:] = stage.backdrop.road[-10:]

    assert _shown(stage, rain=STEPS)[nearby].mean() < 0.9 * _shown(stage)[nearby].mean()


def test_shade_is_darker_than_sun(stage: Stage) -> None:
    light = light_of(Look())
    shaded = lit(stage.backdrop, light, shadow=True).astype(int)
    sunny = lit(stage.backdrop, light).astype(int)

    assert (shaded <= sunny).all()
    road = stage.backdrop.road
    assert shaded[road].mean() < 0.8 * sunny[road].mean()


def test_a_low_sun_is_warm() -> None:
    low, high = light_of(Look(low_sun=STEPS)), light_of(Look())

    assert low.sun_name == "low_sun"
    assert high.sun_name == "sun"
    assert low.sun[2] / low.sun[0] > 2 * high.sun[2] / high.sun[0]
