import numpy as np
import pytest

from drift.statistics.pareto_tail import rare_distance


def test_within_what_was_seen_it_is_the_quantile() -> None:
    null = np.linspace(0, 1, 1001)
    assert rare_distance(null, 0.25) == pytest.approx(0.75)


@pytest.mark.parametrize("probability", [1e-3, 1e-4, 1e-5])
def test_beyond_it_the_tail_of_an_exponential_goes_on(probability: float) -> None:
    null = np.sort(np.random.default_rng(1).exponential(size=20_000))
    assert rare_distance(null, probability) == pytest.approx(-np.log(probability), rel=0.25)


def test_rarer_is_farther() -> None:
    null = np.sort(np.random.default_rng(2).gamma(2.0, size=999))
    found = [rare_distance(null, p) for p in (0.2, 0.05, 1e-2, 1e-4, 1e-6)]
    assert found == sorted(found)


def test_a_constant_null_is_its_value() -> None:
    assert rare_distance(np.full(100, 2.5), 1e-6) == 2.5


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="10 distances are too few"):
        rare_distance(np.arange(10.0), 0.01)
