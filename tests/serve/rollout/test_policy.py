import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serve.rollout.policy import Phase, PhaseKind, Policy


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (0.5,),
        (0.0, 1.0),
        (-0.1, 1.0),
        (0.5, 0.5, 1.0),
        (0.5, 0.25, 1.0),
        (0.5, 1.0, 2.0),
        (float("nan"), 1.0),
    ],
)
def test_steps_that_do_not_rise_to_all_are_refused(steps: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="steps"):
        Policy(steps=steps)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sample", 0),
        ("sample", 1.1),
        ("minutes", -1),
        ("frames", -1),
        ("alpha", 0),
        ("alpha", 0.5),
        ("margin", 0),
        ("margin", 1),
        ("latency", 1),
        ("usual_errors", 0),
        ("harmful_errors", 1),
        ("silence", 0),
        ("memory_mb", 0),
        ("crashes", 0),
        ("patience_minutes", 0),
        ("patience_minutes", float("inf")),
        ("minutes", float("nan")),
        ("latency", float("inf")),
        ("speed", 1),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(key: str, value: float) -> None:
    with pytest.raises(ValidationError, match=key):
        Policy(**{key: value})  # type: ignore[arg-type]


@given(st.lists(st.floats(0.01, 0.99), max_size=5, unique=True))
def test_a_policy_survives_the_ledger(shares: list[float]) -> None:
    policy = Policy(steps=(*sorted(shares), 1.0))
    assert Policy(**policy.model_dump(mode="json")) == policy


def test_phases_follow_each_other_to_the_last() -> None:
    policy = Policy()
    phase, titles, shares = Phase(), [], []
    while True:
        titles.append(phase.title(policy))
        shares.append(phase.share(policy))
        assert Phase(**phase.model_dump(mode="json")) == phase
        if phase.is_last(policy):
            break
        phase = phase.following()
    assert titles == ["shadow", "canary 5 %", "canary 25 %", "canary 50 %", "canary 100 %"]
    assert shares == [0.0, 0.05, 0.25, 0.5, 1.0]


def test_the_first_step_may_be_the_last() -> None:
    policy = Policy(steps=(1.0,))
    assert not Phase().is_last(policy)
    assert Phase(kind=PhaseKind.CANARY).is_last(policy)
