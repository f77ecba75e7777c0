from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.address import TRAFFIC, VEHICLES, Address, parse_address
from streetloop.city.world.city_events import EVENTS, CityEvent
from streetloop.city.world.conditions import CONDITIONS, Condition
from streetloop.city.world.places import PLACES
from streetloop.errors import ConfigError
from tests.support.samples.city import CAMERAS

_OPTIONS = ("condition", "event", "seed", "traffic", "size", "fps", "start", "frames", "live")


@pytest.mark.parametrize(("city", "camera"), CAMERAS)
def test_every_camera_has_an_address(city: str, camera: str) -> None:
    address = parse_address(f"sim://{city}/{camera}")

    assert address == Address(city, camera)
    assert address.place is PLACES[city]


def test_without_options_it_is_a_plain_day_without_end() -> None:
    address = parse_address("sim://kingsport/crossing")

    assert (address.conditions, address.events, address.traffic) == ((), (), "normal")
    assert (address.width, address.height, address.fps) == (640, 360, 10.0)
    assert (address.seed, address.start, address.frames, address.live) == (0, 0.0, None, True)


@pytest.mark.parametrize("city", ["kingsport", "atlantis"])
def test_a_password_is_not_repeated(city: str) -> None:
    with pytest.raises(ConfigError, match=rf"unknown city '\*\*\*@{city}'"):
        parse_address(f"sim://admin:hunter2@{city}/crossing")


def test_all_options_can_be_given_at_once() -> None:
    address = parse_address(
        "sim://millbrook/market?condition=rain,night@60:30&event=congestion@20:40&seed=7"
        "&traffic=busy&size=320x180&fps=12.5&start=600&frames=300&live=0"
    )

    assert address == Address(
        "millbrook",
        "market",
        (Condition("rain"), Condition("night", 60.0, 30.0)),
        (CityEvent(20.0, 40.0, "congestion"),),
        seed=7,
        traffic="busy",
        width=320,
        height=180,
        fps=12.5,
        start=600.0,
        frames=300,
        live=False,
    )


def test_an_address_may_be_percent_encoded() -> None:
    address = parse_address("sim://kingsport/street%2Dnorth?condition=night%4060%3A30")

    assert address.camera == "street-north"
    assert address.conditions == (Condition("night", 60.0, 30.0),)


@given(st.floats(0, 1e6), st.floats(0.01, 240), st.integers(0, 10**6))
def test_frames_are_evenly_apart_from_the_start_on(start: float, fps: float, frame: int) -> None:
    address = Address("kingsport", "crossing", start=start, fps=fps)

    assert address.second(0) == start
    assert address.second(frame + 1) - address.second(frame) == pytest.approx(1 / fps, rel=1e-3)


# Mistakes


@pytest.mark.parametrize("uri", ["rtsp://kingsport/crossing", "kingsport/crossing", "", "sim"])
def test_only_sim_is_simulated(uri: str) -> None:
    with pytest.raises(ConfigError, match="sim://city/camera"):
        parse_address(uri)


@pytest.mark.parametrize("uri", ["sim://atlantis/crossing", "sim:///crossing", "sim://", "sim:x"])
def test_an_unknown_city_is_answered_with_those_that_exist(uri: str) -> None:
    with pytest.raises(ConfigError, match="unknown city") as caught:
        parse_address(uri)
    assert all(city in str(caught.value) for city in PLACES)


@pytest.mark.parametrize(
    "uri", ["sim://kingsport/attic", "sim://kingsport", "sim://kingsport/", "sim://kingsport/a/b"]
)
def test_an_unknown_camera_is_answered_with_those_of_the_city(uri: str) -> None:
    with pytest.raises(ConfigError, match="kingsport has no camera") as caught:
        parse_address(uri)
    assert all(camera in str(caught.value) for camera in PLACES["kingsport"].cameras)


def test_a_uri_that_cannot_be_read_at_all_is_quoted() -> None:
    with pytest.raises(ConfigError, match="is no valid URI"):
        parse_address("sim://[kingsport/crossing")


@pytest.mark.parametrize(
    ("option", "known"),
    [
        ("colour=red", _OPTIONS),
        ("Seed=7", _OPTIONS),
        ("=7", _OPTIONS),
        ("condition=snow", CONDITIONS),
        ("event=earthquake", EVENTS),
        ("traffic=wild", TRAFFIC),
        ("traffic=", TRAFFIC),
        ("vehicles=rockets", VEHICLES),
    ],
)
def test_what_is_unknown_is_answered_with_what_exists(option: str, known: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="unknown") as caught:
        parse_address(f"sim://kingsport/crossing?{option}")
    assert all(name in str(caught.value) for name in known)


@pytest.mark.parametrize(
    "size",
    [
        "",
        "640",
        "640x",
        "x360",
        "640x360x3",
        "0x0",
        "62x64",
        "64x62",
        "641x360",
        "640x361",
        "3842x2160",
        "3840x2162",
        "-640x360",
        "640.0x360",
        "640 x 360",
        "999999x64",
    ],
)
def test_a_size_must_be_even_and_within_bounds(size: str) -> None:
    with pytest.raises(ConfigError, match="write even numbers from 64x64 to 3840x2160"):
        parse_address(f"sim://kingsport/crossing?size={size}")


@pytest.mark.parametrize("size", ["64x64", "3840x2160", "642x362"])
def test_the_bounds_of_the_size_belong_to_it(size: str) -> None:
    address = parse_address(f"sim://kingsport/crossing?size={size}")

    assert f"{address.width}x{address.height}" == size


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("seed", ["", "-1", "1.5", "x", "nan", str(2**63), "9" * 5000]),
        ("fps", ["", "0", "-10", "fast", "nan", "inf", "0.009", "240.1"]),
        ("start", ["", "-1", "x", "nan", "inf", "1e10"]),
        ("frames", ["", "0", "-5", "1.5", "x", "inf", str(2**53 + 1)]),
    ],
)
def test_a_number_out_of_bounds_is_answered_with_the_bounds(key: str, values: list[str]) -> None:
    for value in values:
        with pytest.raises(ConfigError, match=rf"{key}=.*: write a (whole )?number from .* to "):
            parse_address(f"sim://kingsport/crossing?{key}={value}")


@pytest.mark.parametrize("value", ["", "2", "yes", "true", "-1"])
def test_live_is_0_or_1(value: str) -> None:
    with pytest.raises(ConfigError, match="write 0 or 1"):
        parse_address(f"sim://kingsport/crossing?live={value}")


@given(st.text(max_size=60))
def test_whatever_is_written_there_is_an_address_or_one_sentence(text: str) -> None:
    for uri in (
        text,
        f"sim://{text}",
        f"sim://kingsport/{text}",
        f"sim://kingsport/corner?{text}",
        f"sim://kingsport/corner?condition={text}&event={text}",
    ):
        with suppress(ConfigError):
            parse_address(uri)
