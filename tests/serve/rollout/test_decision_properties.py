"""What holds for any evidence whatever."""

from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.decision import Action, decide
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import DetectionCounts
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Scores, Situation
from tests.support.samples.evidence import evidence, situation, spread

counts = st.integers(0, 10**7)
scores = st.builds(lambda v: Moments.of(*v), st.lists(st.floats(-1, 1), max_size=60))
scores |= st.builds(spread, st.floats(-1, 1), st.integers(0, 400), st.floats(0, 1))
logs = st.builds(spread, st.floats(-20, 20), st.integers(0, 400), st.floats(0, 5))


@st.composite
def calls(draw: st.DrawFn) -> Calls:
    asked = draw(counts)
    failed = draw(st.integers(0, asked))
    return Calls(asked, failed, draw(st.integers(0, failed)))


seconds = st.floats(0, 1e7)
served = st.builds(ServedStats, counts, counts, seconds, counts, counts)
cameras = st.dictionaries(st.sampled_from("abc"), st.builds(CameraStats, served, served, scores, scores))
detection_counts = st.builds(DetectionCounts, counts, counts, counts)
scores_by_model = st.builds(Scores, detection_counts, detection_counts)
groups = st.dictionaries(st.sampled_from([EVERYTHING, "class:car", "city:Oslo"]), scores)
anything = st.builds(
    Evidence,
    counts,
    calls(),
    calls(),
    logs,
    groups,
    st.tuples(counts, counts),
    scores,
    scores,
    counts,
    st.dictionaries(st.sampled_from([EVERYTHING, "class:car"]), scores_by_model),
    cameras,
)
times = st.floats(0, 1e6)
situations = st.builds(Situation, anything, times, counts, times, st.integers(0, 9), times, st.booleans())
shares = st.lists(st.floats(0.01, 0.99), max_size=4, unique=True).map(lambda found: (*sorted(found), 1.0))
rates = st.floats(1e-6, 0.999)
policies = st.builds(
    Policy,
    steps=shares,
    minutes=st.floats(0, 1e4),
    frames=st.integers(0, 10**6),
    alpha=st.floats(1e-9, 0.49),
    margin=st.floats(0.001, 0.99),
    latency=st.floats(1.01, 100),
    usual_errors=rates,
    harmful_errors=rates,
    silence=st.floats(0.01, 0.99),
    patience_minutes=st.floats(0.1, 1e6),
    broken_tracks=st.none() | st.floats(1.01, 100),
    track_minutes=st.floats(0, 1e4),
)


@st.composite
def looks(draw: st.DrawFn) -> tuple[Phase, Situation, Policy]:
    policy = draw(policies)
    step = draw(st.integers(-1, len(policy.steps) - 1))
    phase = Phase() if step < 0 else Phase(kind=PhaseKind.CANARY, step=step)
    return phase, draw(situations), policy


@given(looks())
def test_there_is_always_a_decision_with_a_reason(look: tuple[Phase, Situation, Policy]) -> None:
    decision = decide(*look)
    assert decision.reason
    assert bool(decision.waits_for) == (decision.action is Action.HOLD)


@given(looks())
def test_only_the_last_step_promotes_and_only_the_others_advance(
    look: tuple[Phase, Situation, Policy],
) -> None:
    phase, _, policy = look
    action = decide(*look).action
    assert action is not (Action.ADVANCE if phase.is_last(policy) else Action.PROMOTE)


@given(looks())
def test_the_same_question_has_the_same_answer(look: tuple[Phase, Situation, Policy]) -> None:
    phase, now, policy = look
    before = now.evidence.as_json()
    assert decide(phase, now, policy) == decide(phase, now, policy)
    assert now.evidence.as_json() == before


@given(looks())
def test_nobody_goes_on_without_having_been_seen_for_long_enough(
    look: tuple[Phase, Situation, Policy],
) -> None:
    _, now, policy = look
    if decide(*look).action in {Action.ADVANCE, Action.PROMOTE}:
        assert now.phase_minutes >= policy.minutes
        assert now.phase_frames >= policy.frames
        assert now.crashes < policy.crashes
        assert not now.evidence.challenger.invalid


@given(st.floats(-0.3, 0.0), st.integers(0, 400), st.integers(0, 3))
def test_who_is_not_better_never_goes_beyond_the_first_step(gain: float, blocks: int, step: int) -> None:
    now = situation(evidence(gain=gain, blocks=blocks))
    action = decide(Phase(kind=PhaseKind.CANARY, step=step), now, Policy()).action
    assert action in {Action.HOLD, Action.ROLL_BACK}


@given(st.integers(0, 4000), st.integers(0, 100))
def test_more_failures_never_help(asked: int, more: int) -> None:
    def harms(failed: int) -> bool:
        found = evidence(calls=Calls(asked + 200, failed))
        return decide(Phase(), situation(found), Policy()).action is Action.ROLL_BACK

    if harms(more):
        assert harms(more + 1)
