import pytest

from drift.causes import (
    ASKS_FOR_LABELS,
    CAUSES,
    DIRTY,
    FOG,
    GREY,
    MIX,
    MODEL,
    MOVED,
    NIGHT,
    OCCLUSION,
    OTHER,
    diagnose,
    read_classifier,
    shipped_classifier,
)
from drift.comparison import FeatureResult
from drift.evidence import EVIDENCE, Changes
from drift.measurement.covering import Covering
from drift.measurement.view_change import ViewChange
from tests.drift.support import USUAL


def _results(alarm: bool = True, **changes: float) -> dict[str, FeatureResult]:
    return {
        name: FeatureResult(1.0, 0.001, 5.0, change, 1.0, alarm, usual=USUAL[name])
        for name, change in changes.items()
    }


def _named(changes: Changes) -> list[str]:
    return [cause.name for cause in diagnose(changes)]


def test_the_shipped_classifier_knows_every_cause_and_every_piece_of_evidence() -> None:
    shipped = shipped_classifier()
    assert shipped.causes == CAUSES
    assert shipped.evidence == EVIDENCE
    assert shipped.weights.shape == (len(CAUSES), len(EVIDENCE))


def test_probabilities_add_up() -> None:
    shipped = shipped_classifier()
    for evidence in ({}, {"darker": 1.0}, dict.fromkeys(EVIDENCE, 4.0)):
        found = shipped.probabilities({**dict.fromkeys(EVIDENCE, 0.0), **evidence})
        assert sum(found.values()) == pytest.approx(1.0)
        assert found.keys() == set(CAUSES)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"brightness": -0.25, "noise": 4.0, "contrast": -0.1, "sharpness": 0.2}, NIGHT),
        ({"brightness": 0.2, "contrast": -0.12, "saturation": -0.18, "sharpness": -0.8}, FOG),
        ({"brightness": 0.0, "contrast": -0.01, "sharpness": -1.5, "noise": -1.0}, DIRTY),
        ({"colourfulness": -29.9, "saturation": -0.3}, GREY),
    ],
)
def test_the_likeliest_cause_comes_first(changes: dict[str, float], cause: str) -> None:
    assert _named(Changes(_results(**changes)))[0] == cause


def test_a_view_that_moved_is_a_camera_that_moved() -> None:
    moved = ViewChange(displacement=0.05, roll_deg=3.0, likeness=0.4, aligned=0.9)
    assert _named(Changes(_results(alarm=False, brightness=0.0), moved)) == [MOVED]


def test_a_view_that_is_covered_is_an_occlusion() -> None:
    covered = Covering(0.5, 0.45)
    dark = _results(brightness=-0.2, noise=-1.0, contrast=0.05)
    assert _named(Changes(dark, ViewChange(likeness=0.4, aligned=0.4), covered))[0] == OCCLUSION


def test_outputs_that_changed_while_inputs_did_not_are_the_models() -> None:
    results = {**_results(alarm=False, brightness=0.0), **_results(confidence=-0.2)}
    assert _named(Changes(results)) == [MODEL]


def test_a_changed_mix_explains_changed_outputs() -> None:
    results = {**_results(alarm=False, brightness=0.0), **_results(confidence=-0.2)}
    assert _named(Changes(results, mix=0.4))[0] == MIX


def test_what_nothing_explains_is_unknown() -> None:
    assert _named(Changes(_results(speed=3.0))) == [OTHER]


def test_what_speaks_for_a_cause_is_named() -> None:
    night, *_ = diagnose(Changes(_results(brightness=-0.3, noise=5.0, contrast=-0.1)))
    assert night.name == NIGHT
    assert "darker" in night.evidence


def test_causes_below_the_level_are_not_shown() -> None:
    plain = {"causes": [NIGHT, FOG, OTHER], "bias": [0.0, 0.0, -2.0], "weights": {"darker": [1.0, 0.0, 0.0]}}
    evidence = {"darker": 0.2}
    both = read_classifier({**plain, "level": 0.3}).diagnose(evidence)
    assert [cause.name for cause in both] == [NIGHT, FOG]
    none = read_classifier({**plain, "level": 0.9}).diagnose(evidence)
    assert [cause.name for cause in none] == [OTHER]


def test_a_camera_that_moved_asks_for_a_technician_and_night_for_labels() -> None:
    assert not {MOVED, DIRTY, OCCLUSION} & ASKS_FOR_LABELS
    assert {NIGHT, GREY} <= ASKS_FOR_LABELS
