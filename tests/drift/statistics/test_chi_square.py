import numpy as np
import pytest
from scipy.stats import chi2_contingency

from drift.statistics.chi_square import changed_share, compare_mixes


def test_it_is_scipys() -> None:
    before, since = np.array([50, 30, 20]), np.array([20, 30, 50])
    found = compare_mixes(before, since)
    expected = chi2_contingency(np.stack([before, since]), correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_the_same_mix_is_no_change() -> None:
    found = compare_mixes(np.array([100, 50]), np.array([10, 5]))
    assert found.p_value == pytest.approx(1.0)
    assert found.effect_size == pytest.approx(0.0, abs=1e-9)


def test_counts_that_repeat_each_other_say_less() -> None:
    before, since = np.array([500, 300]), np.array([40, 60])
    once, often = compare_mixes(before, since), compare_mixes(before, since, design_effect=20)
    assert often.p_value > once.p_value
    assert often.effect_size == pytest.approx(once.effect_size)


@pytest.mark.parametrize(("before", "since"), [([0, 0], [3, 4]), ([3, 4], [0, 0]), ([7], [9])])
def test_nothing_to_compare_is_no_change(before: list[int], since: list[int]) -> None:
    assert compare_mixes(np.array(before), np.array(since)).p_value == 1.0


def test_kinds_that_neither_has_do_not_matter() -> None:
    with_none = compare_mixes(np.array([5, 0, 9]), np.array([6, 0, 2]))
    without = compare_mixes(np.array([5, 9]), np.array([6, 2]))
    assert with_none == without


def test_different_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="2 classes in the reference, 3 in the window"):
        compare_mixes(np.array([1, 2]), np.array([1, 2, 3]))


def test_share_that_changed_its_kind() -> None:
    before, since = np.array([80, 20, 0]), np.array([6, 2, 2])
    assert changed_share(before, since) == pytest.approx(0.2)
    assert changed_share(before, 3 * before) == 0
    assert changed_share(np.array([5, 0]), np.array([0, 9])) == 1
