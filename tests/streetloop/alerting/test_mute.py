from datetime import UTC, datetime
from typing import Any

import pytest

from streetloop.alerting.mute import Mute, parse_mute
from streetloop.cameras.camera_file import parse_cameras
from streetloop.errors import ConfigError

FRIDAY = datetime(2026, 3, 6, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 6) -> datetime:
    return FRIDAY.replace(day=day, hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("mute", "covered"),
    [
        ({"camera": "a40"}, True),
        ({"camera": "m4"}, False),
        ({"kind": "queue"}, True),
        ({"kind": "drift"}, False),
        ({"kind": "queue", "camera": "m4"}, False),
        ({"days": ["fri"]}, True),
        ({"days": ["sat", "sun"]}, False),
        ({"between": "11:00-13:00"}, True),
        ({"between": "12:00-12:01"}, True),
        ({"between": "11:00-12:00"}, False),
        ({"until": "2026-03-06T12:00:01Z"}, True),
        ({"until": "2026-03-06T12:00:00Z"}, False),
    ],
)
def test_everything_that_is_named_must_fit(mute: dict[str, Any], covered: bool) -> None:
    assert parse_mute(mute).covers("queue", "a40", at(12)) is covered


def test_hours_past_midnight_are_of_the_day_on_which_they_began() -> None:
    night = Mute(between="22:00-06:00", days=("fri",))
    covered = [at(21, 59), at(22), at(5, 59, day=7), at(6, day=7), at(3), at(23, day=7)]
    assert [night.covers("queue", None, one) for one in covered] == [False, True, True, False, False, False]


@pytest.mark.parametrize(
    ("mute", "said"),
    [
        ({}, "names nothing"),
        ({"between": "25:00-06:00"}, "between: is a span of hours"),
        ({"between": "06:00-06:00"}, "between: is a span of hours"),
        ({"days": ["friday"]}, "days.0: "),
        ({"until": "2026-03-06T12:00:00"}, "until: "),
        ({"kinds": ["queue"]}, "kinds: is unknown; known are camera, kind, between"),
    ],
)
def test_what_is_wrong_is_one_sentence(mute: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mute(mute)
    assert str(caught.value).startswith(f"mute: {said}")


def test_mutes_stand_in_the_camera_file() -> None:
    file = "cameras: [{id: a40, uri: 'sim://larkfield/gantry'}]\nmute: "
    assert parse_cameras(file + "[{kind: queue, days: [sat, sun]}]").mute == (
        Mute(kind="queue", days=("sat", "sun")),
    )
    with pytest.raises(ConfigError, match="mute: names nothing"):
        parse_cameras(file + "[{}]")
    with pytest.raises(ConfigError, match="mute: must be a list"):
        parse_cameras(file + "{kind: queue}")
