import pytest

from flows.stream.sources.stall_limit import StallLimit


def _after(*pictures: tuple[float, float | None]) -> float:
    limit = StallLimit(stall_s=2.2, first_s=20.0)
    for arrived_s, media_s in pictures:
        limit.note(arrived_s, media_s)
    return limit.limit_s


def test_until_the_rate_is_known_the_handshake_counts() -> None:
    assert _after() == _after((0.0, 0.0)) == _after((0.0, 0.0), (0.04, 0.04)) == 20.0


@pytest.mark.parametrize("fps", [25.0, 10.0, 5.0, 2.0])
def test_a_fast_camera_may_be_silent_for_the_setting(fps: float) -> None:
    assert _after(*((k / fps, k / fps) for k in range(20))) == 2.2


@pytest.mark.parametrize("fps", [1.0, 0.4, 0.2, 0.05])
def test_a_slow_camera_may_be_silent_for_three_periods(fps: float) -> None:
    assert _after(*((k / fps, None) for k in range(4))) == pytest.approx(3 / fps)


def test_the_rate_of_pictures_that_come_in_a_bunch_is_that_of_their_stamps() -> None:
    assert _after((0.0, 0.0), (0.01, 5.0), (0.02, 10.0)) == pytest.approx(15.0)


def test_stamps_that_leap_or_are_no_numbers_are_no_rate() -> None:
    assert _after((0.0, 0.0), (0.04, 9e9), (0.08, float("nan")), (0.12, 0.12)) == 2.2


def test_a_camera_that_becomes_faster_is_held_to_its_new_rate() -> None:
    slow = [(5.0 * k, None) for k in range(3)]
    fast = [(10.0 + k / 25, None) for k in range(1, 20)]
    assert _after(*slow, *fast) == 2.2
