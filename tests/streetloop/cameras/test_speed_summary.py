"""Mean and 85th percentile of speeds."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streetloop.cameras.speed_summary import FASTEST_KMH, SpeedSummary, whole_kmh


def test_without_any_there_is_no_summary() -> None:
    assert SpeedSummary.of({}) is None


@given(speeds=st.lists(st.integers(0, FASTEST_KMH), min_size=1, max_size=300))
def test_it_is_what_numpy_says(speeds: list[int]) -> None:
    found = SpeedSummary.of(Counter(speeds))
    assert found is not None
    assert found.timed == len(speeds)
    assert found.mean_kmh == round(float(np.mean(speeds)), 1)
    assert found.p85_kmh == np.percentile(speeds, 85, method="inverted_cdf")


def test_speeds_beyond_all_vehicles_are_kept_as_the_fastest() -> None:
    assert [whole_kmh(speed) for speed in (49.6, 1e9)] == [50, FASTEST_KMH]
