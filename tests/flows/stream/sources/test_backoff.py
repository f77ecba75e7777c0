import random

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.stream.sources.backoff import Backoff


class _Extreme(random.Random):
    """A generator whose `uniform` always gives its lower, or its upper, end."""

    def __init__(self, *, upper: bool) -> None:
        super().__init__()
        self._upper = upper

    def uniform(self, a: float, b: float) -> float:
        return b if self._upper else a


def test_the_bound_doubles_up_to_the_limit() -> None:
    backoff = Backoff(rng=_Extreme(upper=True))

    assert [backoff.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_the_jitter_shortens_a_wait_by_up_to_half() -> None:
    backoff = Backoff(rng=_Extreme(upper=False))

    assert [backoff.next_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


@settings(deadline=None)
@given(st.integers(), st.floats(0.01, 10), st.floats(10, 100))
def test_every_wait_is_within_half_its_bound_and_the_bound(seed: int, first_s: float, limit_s: float) -> None:
    backoff = Backoff(first_s, limit_s, random.Random(seed))
    for attempt in range(20):
        bound = min(limit_s, first_s * 2**attempt)
        assert bound / 2 <= backoff.next_s() <= bound


def test_cameras_have_different_waits() -> None:
    one, other = Backoff(), Backoff()

    assert [one.next_s() for _ in range(5)] != [other.next_s() for _ in range(5)]


def test_a_camera_that_is_away_for_years_still_waits_for_the_limit() -> None:
    backoff = Backoff(rng=_Extreme(upper=True))
    waits = [backoff.next_s() for _ in range(5000)]

    assert waits[-1] == 30


def test_reset_starts_over_from_the_first_wait() -> None:
    backoff = Backoff(rng=_Extreme(upper=True))
    for _ in range(6):
        backoff.next_s()
    backoff.reset()

    assert [backoff.next_s(), backoff.next_s()] == [1, 2]
