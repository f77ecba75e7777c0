import pytest

from drift.causes import (
    ASKS_FOR_LABELS,
    DIRTY,
    FOG,
    MIX,
    MODEL,
    MOVED,
    NIGHT,
    OTHER,
    CauseEvidence,
    likely_causes,
)
from drift.comparison import FeatureResult


def _results(alarm: bool = True, **changes: float) -> dict[str, FeatureResult]:
    return {name: FeatureResult(1.0, 0.001, 5.0, change, 1.0, alarm) for name, change in changes.items()}


def test_without_an_alarm_there_is_no_cause() -> None:
    assert likely_causes(CauseEvidence(_results(alarm=False, brightness=-0.4))) == []


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"brightness": -0.25, "noise": 4.0, "contrast": -0.05}, NIGHT),
        ({"brightness": 0.25, "contrast": -0.1, "saturation": -0.05, "sharpness": -0.2}, FOG),
        ({"brightness": 0.01, "sharpness": -0.6}, DIRTY),
    ],
)
def test_the_likeliest_cause_comes_first(changes: dict[str, float], cause: str) -> None:
    assert likely_causes(CauseEvidence(_results(**changes)))[0] == cause


def test_a_view_that_turned_is_a_camera_that_moved() -> None:
    still = _results(alarm=False, brightness=0.0)
    assert likely_causes(CauseEvidence(still, shift=0.05, likeness=0.4)) == [MOVED]


def test_another_scene_is_told_by_what_else_changed_first() -> None:
    dark = _results(brightness=-0.3, noise=4.0)
    assert likely_causes(CauseEvidence(dark, shift=0.3, likeness=0.01))[:2] == [NIGHT, MOVED]


def test_outputs_that_changed_while_inputs_did_not_are_the_models() -> None:
    results = {**_results(alarm=False, brightness=0.0), **_results(confidence=-0.2)}
    assert likely_causes(CauseEvidence(results)) == [MODEL]


def test_a_changed_mix_explains_changed_outputs() -> None:
    results = {**_results(alarm=False, brightness=0.0), **_results(confidence=-0.2)}
    assert likely_causes(CauseEvidence(results, mix_changed=True)) == [MIX]


def test_an_alarm_that_no_rule_knows_is_unknown() -> None:
    assert likely_causes(CauseEvidence(_results(colourfulness=9.0))) == [OTHER]


def test_a_camera_that_moved_asks_for_a_technician_and_night_for_labels() -> None:
    assert MOVED not in ASKS_FOR_LABELS
    assert DIRTY not in ASKS_FOR_LABELS
    assert NIGHT in ASKS_FOR_LABELS
