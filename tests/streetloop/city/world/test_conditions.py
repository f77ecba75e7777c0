from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streetloop.city.world.conditions import CONDITIONS, STEPS, Condition, Look, look_at, parse_conditions
from streetloop.errors import ConfigError

_HOUR = 3600.0
_PLAIN = st.sampled_from([name for name in CONDITIONS if name != "daily"])
_SOME = st.lists(st.builds(Condition, _PLAIN, st.floats(0, 1000), st.floats(0, 1000)), max_size=4)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_is_written_by_its_name(name: str) -> None:
    assert parse_conditions(name) == (Condition(name),)


def test_a_beginning_and_a_fade_follow_the_name() -> None:
    assert parse_conditions("night@60") == (Condition("night", 60.0),)
    assert parse_conditions("night@60:30") == (Condition("night", 60.0, 30.0),)
    assert parse_conditions("night@0.5:1.25") == (Condition("night", 0.5, 1.25),)


def test_several_are_parted_by_commas_and_keep_their_order() -> None:
    names = [condition.name for condition in parse_conditions("fog, rain@9,dusk@1:2")]

    assert names == ["fog", "rain", "dusk"]


def test_an_unknown_condition_is_named_with_all_that_exist() -> None:
    with pytest.raises(ConfigError, match="unknown condition 'snow'") as caught:
        parse_conditions("rain,snow@60")
    assert all(name in str(caught.value) for name in CONDITIONS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "night,",
        "night@",
        "night@60:",
        "night@-1",
        "night@60:30:9",
        "night:30",
        "night@x",
        "night@nan",
        "night@inf",
        "night@1e3",
        "Night!",
        "night 60",
    ],
)
def test_what_is_malformed_is_quoted_and_the_form_is_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="is not understood; write night, or night@60:30"):
        parse_conditions(text)


@pytest.mark.parametrize("text", ["night@1.2.3", "night@.", "night@60:..", "rain@5:1.2.3"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no such number"):
        parse_conditions(text)


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_conditions("x" * 5000)
    assert len(str(caught.value)) < 400


# Looks


def test_without_conditions_it_is_a_fine_day() -> None:
    assert look_at((), 0.0) == Look()


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("day", "darkness", 0),
        ("dusk", "darkness", STEPS // 2),
        ("night", "darkness", STEPS),
        ("rain", "rain", STEPS),
        ("fog", "fog", STEPS),
        ("low-sun", "low_sun", STEPS),
        ("dirty-lens", "dirt", STEPS),
        ("wet-lens", "wet", STEPS),
        ("knocked", "knock", STEPS),
        ("compressed", "compression", STEPS),
    ],
)
def test_a_condition_does_one_thing_fully_once_it_has_come_on(name: str, attribute: str, value: int) -> None:
    assert look_at([Condition(name, 60.0, 30.0)], 90.0) == Look(**{attribute: value})


@given(_PLAIN, st.floats(0, 1000), st.floats(0, 1000))
def test_a_condition_holds_nothing_before_it_begins(name: str, start: float, fade: float) -> None:
    assert look_at([Condition(name, start, fade)], start - 0.001) == Look()


@given(st.floats(0, 1000), st.floats(0, 1000), st.lists(st.floats(-10, 2100), min_size=2).map(sorted))
def test_a_fade_only_ever_comes_on(start: float, fade: float, seconds: list[float]) -> None:
    condition = Condition("fog", start, fade)
    shares = [condition.share(t) for t in seconds]

    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    looks = [look_at([condition], t).fog for t in seconds]
    assert looks == sorted(looks)


def test_half_way_through_its_fade_a_condition_is_half_there() -> None:
    assert look_at([Condition("rain", 60.0, 30.0)], 75.0).rain == STEPS // 2


def test_the_last_of_several_wins() -> None:
    conditions = parse_conditions("night,day@100")

    assert look_at(conditions, 50).darkness == STEPS
    assert look_at(conditions, 100).darkness == 0


def test_what_concerns_different_things_adds_up() -> None:
    assert look_at(parse_conditions("night,rain,dirty-lens"), 0) == Look(
        darkness=STEPS, rain=STEPS, dirt=STEPS
    )


@given(_SOME, st.floats(0, 5000))
def test_strengths_are_whole_numbers_within_the_scale(conditions: list[Condition], t: float) -> None:
    look = look_at(conditions, t)
    for field in fields(look):
        value = getattr(look, field.name)
        assert isinstance(value, int)
        assert 0 <= value <= STEPS
        assert look.strength(field.name) == value / STEPS


# The hours


@pytest.mark.parametrize(
    ("hour", "darkness"),
    [(0, STEPS), (3, STEPS), (9, 0), (12, 0), (15, 0), (21, STEPS), (24, STEPS), (36, 0)],
)
def test_daily_is_dark_at_night_and_light_by_day(hour: int, darkness: int) -> None:
    assert look_at([Condition("daily")], hour * _HOUR).darkness == darkness


def test_daily_is_dusky_morning_and_evening() -> None:
    for hour in (6.0, 18.0):
        assert 0 < look_at([Condition("daily")], hour * _HOUR).darkness < STEPS


def test_daily_changes_by_little_at_a_time() -> None:
    darkness = [look_at([Condition("daily")], t * 60.0).darkness for t in range(24 * 60)]

    assert max(abs(b - a) for a, b in pairwise(darkness)) <= 1
