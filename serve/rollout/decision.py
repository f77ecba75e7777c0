"""The decision: a pure function of the phase, the evidence and the policy."""

import math
from dataclasses import dataclass
from enum import StrEnum

from serve.rollout.estimates import Estimates
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.statistics.confidence_sequences import Interval, Moments
from serve.rollout.statistics.evidence import EVERYTHING, Evidence, Situation

_MIN_DETECTIONS = 100  # of the champion, before silence of the challenger means anything


class Action(StrEnum):
    """What a decision does to the rollout."""

    HOLD = "hold"
    ADVANCE = "advance"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action with its reason.

    Attributes:
        action: What to do.
        reason: Why, in one sentence.
        waits_for: What must still be shown before it may advance, the most important first; of a
            hold.
    """

    action: Action
    reason: str
    waits_for: tuple[str, ...] = ()


def decide(phase: Phase, now: Situation, policy: Policy) -> Decision:
    """Decide whether a challenger holds, advances, is promoted or is rolled back.

    1. Harm rolls back at once, in any phase: crashes, invalid answers, memory, failing calls,
       almost no detections, latency, broken tracks, a certain loss of F1.
    2. Otherwise it advances, or is promoted after the last step, once it was seen for long enough
       and every condition holds. In shadow a loss beyond the margin must be ruled out; as a canary
       a gain must be certain.
    3. Otherwise it holds, and is rolled back when patience ends, except in a pause.

    All intervals and likelihood ratios are valid at every look
    (`serve.rollout.statistics.confidence_sequences`).

    Args:
        phase: The phase of the rollout.
        now: The evidence at this look.
        policy: The thresholds.

    >>> crashed = Situation(Evidence(), phase_minutes=1, phase_frames=0, minutes=1, crashes=2)
    >>> decide(Phase(), crashed, Policy()).reason
    'its process died 2 times'
    """
    estimates = Estimates.of(now.evidence, policy)
    harm = _harm(now, estimates, policy)
    if harm is not None:
        return Decision(Action.ROLL_BACK, harm)
    missing = _missing(phase, now, estimates, policy)
    if not missing:
        if phase.is_last(policy):
            return Decision(Action.PROMOTE, "it detects better, and nothing speaks against it")
        after = phase.following().title(policy)
        return Decision(Action.ADVANCE, f"{phase.title(policy)} is passed: on to {after}")
    if now.minutes >= policy.patience_minutes and not now.paused:
        return Decision(
            Action.ROLL_BACK,
            f"not shown to be better within {policy.patience_minutes:g} minutes: {missing[0]}",
        )
    return Decision(Action.HOLD, missing[0], tuple(missing))


def _harm(now: Situation, estimates: Estimates, policy: Policy) -> str | None:
    """Why it must be rolled back at once, or None."""
    evidence = now.evidence
    if now.crashes >= policy.crashes:
        return f"its process died {now.crashes} times"
    if evidence.challenger.invalid:
        return "it gave an answer that cannot be right: not numbers, outside the image or unknown"
    if now.memory_mb > policy.memory_mb:
        return f"it uses {now.memory_mb:.0f} MB of memory, more than {policy.memory_mb:.0f}"
    calls = evidence.challenger
    if estimates.failure_log_ratio >= -math.log(policy.alpha):
        return f"{calls.failed} of {calls.asked} calls failed"
    champion, challenger = evidence.detections
    if champion >= _MIN_DETECTIONS and challenger < policy.silence * champion:
        return f"it finds {challenger} objects where the champion finds {champion}"
    if estimates.latency.low > policy.latency:
        return f"it takes {estimates.latency.mean:.2f} times as long a frame as the champion"
    if policy.broken_tracks is not None and estimates.broken_ratio.low > policy.broken_tracks:
        return (
            f"its tracks break {estimates.broken_ratio.mean:.1f} times as often as the champion's on "
            f"the same cameras, at least {estimates.broken_ratio.low:.1f}"
        )
    return _loss(estimates, policy)


def _loss(estimates: Estimates, policy: Policy) -> str | None:
    for group, gain in estimates.gains.items():
        allowed = 0.0 if group == EVERYTHING else -policy.margin
        if gain.high < allowed:
            where = "" if group == EVERYTHING else f" on {group}"
            return f"it detects worse{where}: {gain.mean:+.3f}, at most {gain.high:+.3f}"
    return None


def _missing(phase: Phase, now: Situation, estimates: Estimates, policy: Policy) -> list[str]:
    """What must still be shown before it may advance, the most important first."""
    found = []
    tolerated = policy.margin if phase.kind is PhaseKind.SHADOW else 0.0
    if estimates.gain.low <= -tolerated:
        found.append(_missing_gain(now.evidence, estimates.gain, tolerated))
    if estimates.latency.high >= policy.latency:
        found.append(f"a computing time below {policy.latency:g} times the champion's")
    broken = estimates.broken_ratio
    if policy.broken_tracks is not None and broken.mean > policy.broken_tracks:
        found.append(
            f"a rate of broken tracks below {policy.broken_tracks:g} times the "
            f"champion's: {broken.mean:.1f} [{broken.low:.1f}, {broken.high:.1f}] so far"
        )
    ruled_out = estimates.ruled_out(policy)
    if phase.is_last(policy) and ruled_out < 1:
        rate = f"{100 * policy.harmful_errors:g} %"
        done = f"{100 * ruled_out:.0f} % done"
        found.append(f"more calls to rule out a failure rate of {rate} ({done})")
    if phase.kind is PhaseKind.SHADOW and policy.replay_minutes and not now.evidence.replayed:
        found.append(f"the replay of {policy.replay_minutes:g} minutes of recorded traffic")
    if now.phase_minutes < policy.minutes:
        found.append(f"{policy.minutes - now.phase_minutes:.1f} more minutes in this phase")
    if now.phase_frames < policy.frames:
        found.append(f"{policy.frames - now.phase_frames} more frames in this phase")
    return found


def _missing_gain(evidence: Evidence, gain: Interval, tolerated: float) -> str:
    if math.isinf(gain.low):
        blocks = evidence.gains.get(EVERYTHING, Moments()).count
        return f"frames with ground truth ({blocks} blocks so far): labels, or the simulated city"
    condition = f"a loss of {tolerated:g} to be ruled out" if tolerated else "a certain gain"
    return f"{condition}: {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] so far"
