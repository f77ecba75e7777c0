"""The numbers that a policy is trusted for."""

from typing import Any

import numpy as np
import pytest

from serve.rollout.policy import Policy
from serve.rollout.policy_simulation import (
    KINDS,
    SimulatedCandidate,
    SimulatedFleet,
    simulate_gains,
    simulate_policy,
    simulate_run,
)

pytestmark = pytest.mark.slow

RUNS = 200


@pytest.fixture(scope="module")
def simulated() -> dict[str, Any]:
    return simulate_policy(Policy(), RUNS)


def test_a_harmful_candidate_is_promoted_in_at_most_one_run_of_a_hundred(simulated: dict[str, Any]) -> None:
    assert simulated["harmful"]["promoted"] <= 0.01
    assert simulated["harmful"]["rolled_back"] >= 0.95


def test_a_better_candidate_is_promoted_in_at_least_95_runs_of_a_hundred(simulated: dict[str, Any]) -> None:
    assert simulated["better"]["promoted"] >= 0.95
    # Five phases of ten minutes each.
    assert simulated["better"]["minutes_until_promoted"] >= 50
    assert simulated["better"]["most_share_served"] == 1.0


def test_an_equal_candidate_ends_undecided(simulated: dict[str, Any]) -> None:
    assert simulated["equal"]["undecided"] >= 0.9
    assert simulated["equal"]["promoted"] <= 0.02


def test_the_ends_of_a_kind_add_up(simulated: dict[str, Any]) -> None:
    assert simulated["runs"] == RUNS
    for kind in KINDS:
        ends = [simulated[kind][end] for end in ("promoted", "rolled_back", "undecided")]
        assert sum(ends) == pytest.approx(1.0)


def _simulated(candidate: SimulatedCandidate, runs: int, policy: Policy | None = None, **fleet: Any) -> Any:
    rng = np.random.default_rng(7)
    return [
        simulate_run(policy or Policy(), candidate, SimulatedFleet(**fleet), 4.0, rng) for _ in range(runs)
    ]


@pytest.mark.parametrize("candidate", KINDS["harmful"])
def test_each_kind_of_harm_is_found_by_itself(candidate: SimulatedCandidate) -> None:
    outcomes = [ending.outcome for ending in _simulated(candidate, 40)]
    assert outcomes.count("promoted") == 0
    assert outcomes.count("rolled back") >= 38


def test_an_equal_candidate_hardly_ever_serves_more_than_the_first_step() -> None:
    shares = [ending.max_share for ending in _simulated(SimulatedCandidate(), 80, gain_std=0.0)]
    assert sum(share > 0.05 for share in shares) <= 1
    assert max(shares) >= 0.05


def test_impatience_ends_an_equal_candidate_by_policy() -> None:
    policy = Policy(patience_minutes=30)
    endings = _simulated(SimulatedCandidate(), 20, policy)
    assert {ending.outcome for ending in endings} == {"rolled back"}
    assert {ending.minutes for ending in endings} == {30.0}
    assert max(ending.max_share for ending in endings) <= 0.05


def test_a_seed_is_simulated_the_same_every_time_and_another_one_otherwise() -> None:
    one, again, other = (simulate_policy(Policy(), 6, 1.5, seed=seed) for seed in (1, 1, 3))
    assert one == again
    assert one != other


@pytest.mark.parametrize("recall", [-0.15, -0.05, 0.0, 0.05])
def test_a_modelled_candidate_gains_what_its_recall_says(recall: float) -> None:
    rng = np.random.default_rng(3)
    found = np.concatenate(
        [
            simulate_gains(SimulatedCandidate(recall), SimulatedFleet(gain_std=0.0), 200, rng).ravel()
            for _ in range(10)
        ]
    )
    assert found.min() >= -1
    assert found.max() <= 1
    # F1 moves about as much as recall, and noise is that of a few objects a block.
    assert found.mean() == pytest.approx(0.7 * recall, abs=0.015)
    assert 0.03 < found.std() < 0.12


@pytest.mark.parametrize("block_s", [5.0, 20.0, 60.0])
def test_a_policy_is_looked_at_after_each_of_its_own_blocks(block_s: float) -> None:
    policy = Policy(block_s=block_s, patience_minutes=1)
    (ending,) = _simulated(SimulatedCandidate(), 1, policy)
    assert ending.minutes == pytest.approx(1.0)
    rng = np.random.default_rng(5)
    gains = simulate_gains(SimulatedCandidate(), SimulatedFleet(gain_std=0.0), 2000, rng, block_s)
    assert gains.std() == pytest.approx(0.053 * np.sqrt(20 / block_s), rel=0.25)


def test_a_fleet_without_objects_gives_no_gain_and_no_end() -> None:
    (ending,) = _simulated(SimulatedCandidate(0.05), 1, ground_truths=0.0)
    assert ending.outcome == "undecided"
    assert ending.max_share <= 0.05
