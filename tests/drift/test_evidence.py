import pytest

from drift.comparison import FeatureResult
from drift.evidence import EVIDENCE, Changes, evidence_of
from drift.measurement.covering import Covering
from drift.measurement.view_change import ViewChange
from tests.drift.support import USUAL


def _result(name: str, change: float, *, alarm: bool = True) -> dict[str, FeatureResult]:
    return {name: FeatureResult(1.0, 0.001, 5.0, change, 1.0, alarm, usual=USUAL[name])}


def test_without_a_change_there_is_no_evidence() -> None:
    still = Changes(
        {name: FeatureResult(0.1, 0.5, 0.1, 0.0, 1.0, False, usual=v) for name, v in USUAL.items()}
    )
    assert evidence_of(still) == dict.fromkeys(EVIDENCE, 0.0)
    assert not still.is_drift


@pytest.mark.parametrize(
    ("feature", "change", "word", "opposite"),
    [
        ("brightness", -0.3, "darker", "brighter"),
        ("contrast", -0.1, "flatter", "more contrast"),
        ("sharpness", 0.5, "sharper", "softer"),
        ("saturation", -0.2, "paler", "more saturated"),
        ("noise", 5.0, "noisier", "smoother"),
        ("blockiness", 0.6, "blockier", "less blocky"),
    ],
)
def test_a_change_and_its_opposite_have_names(feature: str, change: float, word: str, opposite: str) -> None:
    found = evidence_of(Changes(_result(feature, change)))
    assert found[word] > 0.3
    assert found[opposite] == 0.0
    assert evidence_of(Changes(_result(feature, -change)))[opposite] > 0.1


def test_half_the_light_is_as_much_by_day_as_in_the_evening() -> None:
    day = FeatureResult(1.0, 0.001, 5.0, -0.3, 1.0, True, usual=0.6)
    evening = FeatureResult(1.0, 0.001, 5.0, -0.15, 1.0, True, usual=0.3)
    by_day, later = (evidence_of(Changes({"brightness": one}))["darker"] for one in (day, evening))
    assert by_day == pytest.approx(later, rel=0.05)


def test_grey_is_colourless_and_a_pale_picture_is_not() -> None:
    assert evidence_of(Changes(_result("colourfulness", -29.9)))["colourless"] > 0.9
    assert evidence_of(Changes(_result("colourfulness", -20.0)))["colourless"] == 0.0


def test_detections_count_where_they_alarm() -> None:
    assert evidence_of(Changes(_result("confidence", -0.3)))["detections changed"] > 1.0
    assert evidence_of(Changes(_result("confidence", -0.3, alarm=False)))["detections changed"] == 0.0


def test_a_view_that_moved_or_is_covered_is_drift() -> None:
    moved = Changes({}, view=ViewChange(displacement=0.05, likeness=0.4, aligned=0.9))
    covered = Changes({}, covering=Covering(0.4, 0.3))
    assert moved.is_drift
    assert covered.is_drift
    assert evidence_of(moved)["view moved"] > 1.0
    assert evidence_of(covered)["partly covered"] == pytest.approx(0.3)


def test_another_mix_is_drift() -> None:
    mix = Changes({}, mix=0.4)
    assert mix.is_drift
    assert evidence_of(mix)["other traffic"] == pytest.approx(2.0)
