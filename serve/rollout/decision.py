"""The decision: a pure function of what is known and what is wanted."""

import math
from dataclasses import dataclass
from enum import StrEnum

from serve.rollout.estimates import Estimates
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.statistics.confidence_sequences import Interval, Moments
from serve.rollout.statistics.evidence import EVERYTHING, Evidence, Situation

_MANY = 100  # detections of the champion before silence of the challenger means anything


class Action(StrEnum):
    """What is to be done."""

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
        waits_for: What is wanting before it may go on; of a hold.
    """

    action: Action
    reason: str
    waits_for: tuple[str, ...] = ()


def decide(phase: Phase, now: Situation, policy: Policy) -> Decision:
    """What to do with a challenger.

    What harms is sent back at once, in any phase. Otherwise it goes on once it has been seen for
    long enough and what must be ruled out is ruled out: a loss beyond the margin before it serves
    anybody, and anything but a gain before it serves more than the first few. "Not known yet"
    holds, and nobody is impatient in a pause. All intervals and odds are valid at every look
    (`serve.rollout.statistics.confidence_sequences`).

    Args:
        phase: Where the rollout is.
        now: What is known.
        policy: What is wanted.
    """
    estimates = Estimates.of(now.evidence, policy)
    harm = _harm(now, estimates, policy)
    if harm is not None:
        return Decision(Action.ROLL_BACK, harm)
    wanting = _wanting(phase, now, estimates, policy)
    if not wanting:
        if phase.is_last(policy):
            return Decision(Action.PROMOTE, "it detects better, and nothing speaks against it")
        after = phase.following().title(policy)
        return Decision(Action.ADVANCE, f"{phase.title(policy)} is passed: on to {after}")
    if now.minutes >= policy.patience_minutes and not now.paused:
        return Decision(
            Action.ROLL_BACK,
            f"not shown to be better within {policy.patience_minutes:g} minutes: {wanting[0]}",
        )
    return Decision(Action.HOLD, wanting[0], tuple(wanting))


def _harm(now: Situation, estimates: Estimates, policy: Policy) -> str | None:
    """Why it must go back at once, or None."""
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
    if champion >= _MANY and challenger < policy.silence * champion:
        return f"it finds {challenger} things where the champion finds {champion}"
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


def _wanting(phase: Phase, now: Situation, estimates: Estimates, policy: Policy) -> list[str]:
    """What must still be seen before it may go on, the most telling first."""
    found = []
    careful = phase.kind is PhaseKind.SHADOW
    if estimates.gain.low <= (-policy.margin if careful else 0.0):
        found.append(_gain_wanted(now.evidence, estimates.gain, careful, policy))
    if estimates.latency.high >= policy.latency:
        found.append(f"that it takes less than {policy.latency:g} times the champion's time")
    breaking = estimates.broken_ratio
    if policy.broken_tracks is not None and breaking.mean > policy.broken_tracks:
        found.append(
            f"that its tracks break less than {policy.broken_tracks:g} times as often as the "
            f"champion's: {breaking.mean:.1f} [{breaking.low:.1f}, {breaking.high:.1f}] so far"
        )
    ruled_out = estimates.ruled_out(policy)
    if phase.is_last(policy) and ruled_out < 1:
        rate = f"{100 * policy.harmful_errors:g} %"
        done = f"{100 * ruled_out:.0f} % done"
        found.append(f"more calls to rule out that {rate} of them fail ({done})")
    if now.phase_minutes < policy.minutes:
        found.append(f"{policy.minutes - now.phase_minutes:.1f} more minutes in this phase")
    if now.phase_frames < policy.frames:
        found.append(f"{policy.frames - now.phase_frames} more frames in this phase")
    return found


def _gain_wanted(evidence: Evidence, gain: Interval, careful: bool, policy: Policy) -> str:
    if math.isinf(gain.low):
        have = evidence.gains.get(EVERYTHING, Moments()).count
        return f"frames with known truth ({have} blocks so far): labels, or the simulated city"
    wanted = f"a loss of {policy.margin:g} is ruled out" if careful else "a gain is certain"
    return f"that {wanted}: {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] so far"
