"""The evidence summarized, written to the ledger, and read from old ledgers."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from serve.rollout.policy import Phase, Policy
from serve.rollout.rollout_summary import JudgeVerdict, RolloutSummary
from serve.rollout.statistics.evidence import Calls, Evidence, Situation
from serve.rollout.summarize import summarize
from tests.serve.rollout.test_decision_properties import looks
from tests.support.samples.evidence import evidence, situation

POLICY = Policy()


def test_the_summary_has_intervals_of_what_is_measured() -> None:
    found = summarize(situation(evidence(gain=0.1, latency=1.2, class_bus=0.05), crashes=1), POLICY)
    assert set(found.gains) == {"all", "class:bus"}
    gain = found.gains["all"]
    assert gain.low is not None
    assert gain.high is not None
    assert 0 < gain.low < gain.mean < gain.high
    assert (gain.mean, gain.blocks) == (pytest.approx(0.1), 200)
    assert found.latency_ratio is not None
    assert found.latency_ratio.mean == pytest.approx(1.2, abs=0.01)
    assert (found.errors_ruled_out, found.crashes) == (1, 1)


def test_a_summary_of_nothing_has_no_intervals() -> None:
    found = summarize(Situation(Evidence(), 0.0, 0, 0.0), POLICY).as_json()
    assert found["latency_ratio"] == {"mean": 1.0, "low": None, "high": None}
    assert found["gains"] == {}
    assert found["errors_ruled_out"] == 0
    assert not {"verdict", "waits_for", "cameras"} & found.keys()


@given(looks())
def test_any_summary_survives_the_ledger(look: tuple[Phase, Situation, Policy]) -> None:
    _, now, policy = look
    verdict = JudgeVerdict(accepted=False, reasons=("night: worse",), says="version 2 was refused")
    found = summarize(now, policy, {"a": "Oslo"}, verdict, ["frames"], {"a": "champion"})
    written = json.dumps(found.as_json(), allow_nan=False)
    assert RolloutSummary.from_json(json.loads(written)) == found


def test_keys_of_version_0_1_0_are_read_and_written_as_they_are_called_now() -> None:
    def old(precision: float) -> dict[str, object]:
        return {"precision": precision, "recall": 0.5, "boxes": 4, "things": 6}

    served = {
        "cameras": 1,
        "frames": 9,
        "track_minutes": 2.5,
        "detections_a_frame": 3.0,
        "broken_a_1000_s": None,
        "flickers_a_s": 0.01,
    }
    group = {
        "champion": served,
        "challenger": served,
        "broken_ratio": None,
        "agreement": 0.9,
        "confidence_shift": None,
    }
    found = RolloutSummary.from_json(
        {
            "frames": 9,
            "calls": {"asked": 3, "failed": 1, "invalid": 0},
            "scores": {"all": {"champion": old(0.25), "challenger": old(0.75)}},
            "arms": {"all": group},
        }
    )
    assert found.scores["all"].challenger.ground_truths == 6
    assert found.calls == Calls(3, 1, 0)
    plain = found.as_json()
    assert plain["served"] == {"all": group}
    assert "things" not in plain["scores"]["all"]["champion"]
    assert RolloutSummary.from_json(plain) == found


def test_what_was_not_measured_is_not_written() -> None:
    assert RolloutSummary.from_json({}).as_json() == {}
    assert RolloutSummary.from_json({"frames": 7}).as_json() == {"frames": 7}


def test_keys_of_a_newer_version_are_left_out() -> None:
    assert RolloutSummary.from_json({"frames": 7, "novelty": 1}).as_json() == {"frames": 7}


def test_a_rate_of_no_tracks_is_none() -> None:
    silent = replace(evidence(), cameras={})
    assert summarize(situation(silent), POLICY).served == {}
