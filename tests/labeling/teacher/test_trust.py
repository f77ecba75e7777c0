"""When a teacher's class is trusted, and when no longer."""

import pytest

from labeling.teacher.trust import Check, Precision, Trust, TrustPolicy


def _checks(count: int, right: int, name: str = "car", camera: str = "a", size: int = 10) -> list[Check]:
    """So many frames of ten boxes each, ``right`` of them right."""
    return [Check(camera, name, right, size) for _ in range(count)]


def test_a_class_is_trusted_once_enough_boxes_were_certainly_right() -> None:
    trust = Trust(TrustPolicy(0.95, 100), _checks(9, 10))
    assert not trust.trusts("car", "a"), "ninety boxes say nothing"
    trust.add(Check("a", "car", 10, 10))
    assert trust.trusts("car", "a")
    assert not trust.trusts("bus", "a")


def test_many_right_boxes_do_not_suffice_if_the_bound_is_below_the_level() -> None:
    trust = Trust(TrustPolicy(0.95, 100), [*_checks(1, 4), *_checks(19, 10)])
    assert Precision(194, 200).share > 0.95 > Precision(194, 200).low
    assert not trust.trusts("car", "a")


def test_trust_ends_when_the_class_is_certainly_bad_and_not_before() -> None:
    trust = Trust(TrustPolicy(0.95, 100), _checks(12, 10))
    seen = []
    for _ in range(6):
        trust.add(Check("a", "car", 6, 10))
        seen.append(trust.trusts("car", "a"))
    assert seen[0], "one bad frame of thirteen may be chance"
    assert not seen[-1]


def test_old_checks_are_forgotten() -> None:
    trust = Trust(TrustPolicy(0.95, 100), [*_checks(100, 0), *_checks(50, 10)])
    assert trust.trusts("car", "a")
    (whole, own) = trust.precisions()
    assert (whole[0], own[0]) == (None, "a")
    assert own[2] == Precision(500, 500)


def test_a_camera_with_few_checks_has_the_trust_of_all_and_one_with_many_its_own() -> None:
    trust = Trust(TrustPolicy(0.9, 100), [*_checks(40, 10, camera="a"), *_checks(1, 10, camera="b")])
    assert trust.trusts("car", "b")
    assert trust.trusts("car", "never seen")
    for check in _checks(10, 5, camera="c"):
        trust.add(check)
    assert not trust.trusts("car", "c")
    assert trust.trusts("car", "a")


@pytest.mark.parametrize(("right", "checked", "low", "high"), [(0, 10, 0.0, 0.3085), (8, 10, 0.4439, 0.9748)])
def test_the_interval_is_that_of_clopper_and_pearson(
    right: int, checked: int, low: float, high: float
) -> None:
    """Figures of R's ``binom.test``."""
    assert Precision(right, checked).low == pytest.approx(low, abs=1e-4)
    assert Precision(right, checked).high == pytest.approx(high, abs=1e-4)
