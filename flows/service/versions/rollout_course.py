"""The stages of a rollout, and its gain over time, from the ledger's decisions and progress."""

from collections.abc import Sequence
from datetime import datetime

from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.rollout_record import parse_phase, parse_policy, parse_summary
from serve.rollout.rollout_summary import GainSummary
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.control.versions.rollout_course import GainPointView, RolloutStageView, StageState
from streetloop.ledger.history.rollout_gains import RolloutGain
from streetloop.ledger.rollouts import Entry, Rollout, RolloutState

_ADVANCE, _START, _PROMOTED = "advance", "start", "promoted"


def stages_of(rollout: Rollout, decisions: Sequence[Entry]) -> list[RolloutStageView]:
    """The stages of a rollout, from shadow to promotion.

    Args:
        rollout: The rollout.
        decisions: On it, the oldest first.
    """
    policy = parse_policy(rollout)
    phases = [Phase(), *(Phase(kind=PhaseKind.CANARY, step=step) for step in range(len(policy.steps)))]
    reached = _index(parse_phase(rollout))
    begun = _begun(decisions)
    stages = [
        RolloutStageView(
            title=_title(phase, policy),
            share=phase.share(policy),
            state=_state(number, reached, rollout.state),
            since=begun[number] if number < len(begun) else None,
        )
        for number, phase in enumerate(phases)
    ]
    ended = next((entry.at for entry in decisions if entry.action == _PROMOTED), None)
    last: dict[RolloutState, StageState] = {RolloutState.PROMOTED: "done", RolloutState.PROMOTING: "now"}
    state = last.get(rollout.state, "waits")
    return [*stages, RolloutStageView(title=_PROMOTED, share=1.0, state=state, since=ended)]


def gains_of(
    rollout: Rollout, decisions: Sequence[Entry], kept: Sequence[tuple[datetime, RolloutGain]]
) -> list[GainPointView]:
    """What was known of the gain in between, at each decision, and now.

    Args:
        rollout: The rollout.
        decisions: On it, the oldest first.
        kept: What the ledger kept in between.
    """
    known = [(entry.at, parse_summary(entry)) for entry in decisions]
    known.append((rollout.updated_at, parse_summary(rollout)))
    found: dict[datetime, RolloutGain | GainSummary] = dict(kept)
    found |= {at: s.gains[EVERYTHING] for at, s in known if EVERYTHING in s.gains}
    return [
        GainPointView(at=at, mean=gain.mean, low=gain.low, high=gain.high, blocks=gain.blocks)
        for at, gain in sorted(found.items(), key=lambda one: one[0])
    ]


def _index(phase: Phase) -> int:
    return 0 if phase.kind is PhaseKind.SHADOW else phase.step + 1


def _title(phase: Phase, policy: Policy) -> str:
    return "shadow" if phase.kind is PhaseKind.SHADOW else f"{100 * phase.share(policy):g} %"


def _begun(decisions: Sequence[Entry]) -> list[datetime]:
    """When each stage began that was reached."""
    return [entry.at for entry in decisions if entry.action in {_START, _ADVANCE}]


def _state(number: int, reached: int, state: RolloutState) -> StageState:
    if number < reached:
        return "done"
    if state in {RolloutState.PROMOTED, RolloutState.PROMOTING}:
        return "done" if number == reached else "skipped"
    if number > reached:
        return "waits"
    return "failed" if state is RolloutState.ROLLED_BACK else "now"
