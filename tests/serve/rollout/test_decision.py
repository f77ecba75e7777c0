from dataclasses import replace

import pytest

from serve.rollout.decision import Action, decide
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Situation
from tests.support.samples.evidence import evidence, situation, spread

POLICY = Policy()
SHADOW = Phase()
CANARIES = [Phase(kind=PhaseKind.CANARY, step=step) for step in range(4)]
PHASES = [SHADOW, *CANARIES]
FIRST, LAST = CANARIES[0], CANARIES[-1]

each_phase = pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.title(POLICY))


# What harms goes back

HARM = {
    "crashes": (situation(evidence(), crashes=2), "its process died 2 times"),
    "nonsense": (situation(evidence(calls=Calls(2000, 1, 1))), "cannot be right"),
    "memory": (situation(evidence(), memory_mb=4100), "4100 MB of memory, more than 4096"),
    "errors": (situation(evidence(calls=Calls(2000, 40))), "40 of 2000 calls failed"),
    "silence": (situation(evidence(detections=(5000, 400))), "finds 400 objects where"),
    "latency": (situation(evidence(latency=2.0)), "2.00 times as long a frame"),
    "worse": (situation(evidence(gain=-0.05)), "it detects worse: -0.050"),
    "class": (situation(evidence(class_bus=-0.1)), "worse on class:bus: -0.100"),
    "city": (situation(evidence(city_oslo=-0.1)), "worse on city:oslo"),
}


@each_phase
@pytest.mark.parametrize("harm", HARM)
def test_what_harms_goes_back_in_any_phase_and_says_why(phase: Phase, harm: str) -> None:
    now, why = HARM[harm]
    decision = decide(phase, now, POLICY)
    assert decision.action is Action.ROLL_BACK
    assert why in decision.reason


def test_a_canary_waits_for_the_replay_that_the_policy_asks_for() -> None:
    policy = POLICY.model_copy(update={"replay_minutes": 30.0})
    waiting = decide(SHADOW, situation(evidence()), policy)
    assert waiting.action is Action.HOLD
    assert waiting.reason == "the replay of 30 minutes of recorded traffic"
    seen = replace(evidence(), replayed=900)
    assert decide(SHADOW, situation(seen), policy).action is Action.ADVANCE
    assert decide(FIRST, situation(evidence()), policy).action is Action.ADVANCE, "only before the canary"


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_not_waited_for(harm: str) -> None:
    now = replace(HARM[harm][0], phase_minutes=0.0, phase_frames=0, minutes=0.1)
    assert decide(SHADOW, now, POLICY).action is Action.ROLL_BACK


@pytest.mark.parametrize(
    "now",
    [
        situation(evidence(), crashes=1),
        situation(evidence(), memory_mb=4096),
        situation(evidence(calls=Calls(20_000, 20))),
        situation(evidence(detections=(99, 0))),
        situation(evidence(detections=(5000, 501))),
        situation(evidence(latency=1.3)),
        situation(evidence(class_bus=-0.03)),
        situation(evidence(city_oslo=-0.04)),
    ],
    ids=["crash", "memory", "errors", "few objects", "half blind", "slow", "class", "city"],
)
def test_what_is_within_the_policy_does_no_harm(now: Situation) -> None:
    assert decide(FIRST, now, POLICY).action is Action.ADVANCE


def test_a_loss_by_chance_is_not_a_loss() -> None:
    # A few bad blocks say as little as a few good ones.
    found = replace(evidence(), gains={EVERYTHING: spread(-0.05, 20, 0.2)})
    decision = decide(SHADOW, situation(found), POLICY)
    assert decision.action is Action.HOLD


def test_two_failures_of_few_calls_are_no_proof() -> None:
    now = situation(evidence(calls=Calls(300, 2)))
    assert decide(SHADOW, now, POLICY).action is Action.ADVANCE


def test_what_the_champion_suffers_too_is_not_the_challengers_fault() -> None:
    both = evidence(calls=Calls(2000, 100), champion=Calls(10_000, 500))
    alone = evidence(calls=Calls(2000, 100), champion=Calls(10_000, 5))
    assert decide(FIRST, situation(both), POLICY).action is Action.ADVANCE
    assert decide(FIRST, situation(alone), POLICY).action is Action.ROLL_BACK


# Going on


@pytest.mark.parametrize("number", range(4))
def test_a_better_one_goes_on_step_by_step(number: int) -> None:
    decision = decide(PHASES[number], situation(evidence()), POLICY)
    assert decision.action is Action.ADVANCE
    assert decision.reason.endswith(f"on to canary {[5, 25, 50, 100][number]} %")


def test_after_the_last_step_a_better_one_is_promoted() -> None:
    assert decide(LAST, situation(evidence()), POLICY).action is Action.PROMOTE


def test_one_step_is_enough_if_the_policy_says_so() -> None:
    policy = Policy(steps=(1.0,))
    assert decide(SHADOW, situation(evidence()), policy).action is Action.ADVANCE
    assert decide(FIRST, situation(evidence()), policy).action is Action.PROMOTE


WANTING = {
    "minutes": (situation(evidence(), phase_minutes=9.0), "1.0 more minutes in this phase"),
    "frames": (situation(evidence(), phase_frames=400), "100 more frames in this phase"),
    "truth": (situation(evidence(blocks=18)), "18 blocks so far"),
    "speed": (situation(replace(evidence(), latency=Moments())), "below 1.5 times the champion's"),
}


@each_phase
@pytest.mark.parametrize("lack", WANTING)
def test_what_is_not_known_yet_is_waited_for_by_name(phase: Phase, lack: str) -> None:
    now, what = WANTING[lack]
    decision = decide(phase, now, POLICY)
    assert decision.action is Action.HOLD
    assert any(what in wanted for wanted in decision.waits_for), decision.waits_for
    assert decision.reason == decision.waits_for[0]


def test_all_that_is_wanting_is_named() -> None:
    decision = decide(LAST, Situation(Evidence(), 0.0, 0, 0.0), POLICY)
    assert len(decision.waits_for) == 5


def test_only_the_last_step_waits_until_harmful_errors_are_ruled_out() -> None:
    few = situation(evidence(calls=Calls(300)))
    assert decide(CANARIES[2], few, POLICY).action is Action.ADVANCE
    decision = decide(LAST, few, POLICY)
    assert decision.action is Action.HOLD
    assert decision.waits_for == ("more calls to rule out a failure rate of 1 % (51 % done)",)


def test_shadow_asks_for_no_loss_and_a_canary_for_a_gain() -> None:
    equal = situation(evidence(gain=0.0))
    assert decide(SHADOW, equal, POLICY).action is Action.ADVANCE
    for phase in CANARIES:
        decision = decide(phase, equal, POLICY)
        assert decision.action is Action.HOLD
        assert "a certain gain: +0.000" in decision.reason


def test_shadow_waits_where_a_loss_is_possible() -> None:
    unclear = replace(evidence(), gains={EVERYTHING: spread(0.0, 40, 0.3)})
    decision = decide(SHADOW, situation(unclear), POLICY)
    assert decision.action is Action.HOLD
    assert "a loss of 0.05 to be ruled out" in decision.reason


def test_a_gain_in_one_class_is_no_gain_over_all() -> None:
    now = situation(evidence(gain=0.0, class_bus=0.3))
    assert decide(FIRST, now, POLICY).action is Action.HOLD


# Patience


@each_phase
def test_patience_ends(phase: Phase) -> None:
    equal = evidence(gain=0.0, blocks=18)
    patient = decide(phase, situation(equal, minutes=1439.9), POLICY)
    assert patient.action is Action.HOLD
    decision = decide(phase, situation(equal, minutes=1440), POLICY)
    assert decision.action is Action.ROLL_BACK
    assert "not shown to be better within 1440 minutes" in decision.reason


def test_who_is_through_in_the_last_minute_is_through() -> None:
    assert decide(LAST, situation(evidence(), minutes=2000), POLICY).action is Action.PROMOTE


# Tracks


def _tracks(broken: int, before: int = 100, minutes: float = 60.0) -> Situation:
    """A challenger in whose hour tracks broke so often, as in the champion's hour before."""
    seconds = 60 * minutes
    stats = CameraStats(ServedStats(1, 1, seconds, before), ServedStats(1, 1, seconds, broken))
    return situation(replace(evidence(), cameras={"a": stats}))


def test_tracks_that_break_far_more_often_for_certain_send_it_back() -> None:
    decision = decide(FIRST, _tracks(1000), POLICY)
    assert decision.action is Action.ROLL_BACK
    assert "its tracks break 10.0 times as often as the champion's on the same" in decision.reason


def test_tracks_that_seem_to_break_more_often_hold_it() -> None:
    decision = decide(FIRST, _tracks(230), POLICY)
    assert decision.action is Action.HOLD
    assert "a rate of broken tracks below 2 times the champion's: 2.3 [" in decision.reason


@pytest.mark.parametrize("now", [_tracks(120), _tracks(0), _tracks(1000, minutes=9), _tracks(9, 9)])
def test_tracks_that_break_as_usual_or_of_which_little_is_known_change_nothing(now: Situation) -> None:
    assert decide(LAST, now, POLICY).action is Action.PROMOTE


def test_who_does_not_care_about_tracks_is_not_held_up_by_them() -> None:
    policy = Policy(broken_tracks=None)
    assert decide(LAST, _tracks(1000), policy).action is Action.PROMOTE


@each_phase
def test_nobody_is_impatient_in_a_pause(phase: Phase) -> None:
    now = situation(evidence(gain=0.0), minutes=POLICY.patience_minutes)
    assert decide(phase, now, POLICY).action in {Action.ROLL_BACK, Action.ADVANCE}
    assert decide(phase, replace(now, paused=True), POLICY).action is not Action.ROLL_BACK
    harmful = situation(evidence(gain=-0.5), minutes=POLICY.patience_minutes)
    assert decide(phase, replace(harmful, paused=True), POLICY).action is Action.ROLL_BACK
