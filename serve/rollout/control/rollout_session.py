"""What a process knows of the open rollout beyond the ledger."""

from collections.abc import Iterable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any

from serve.rollout.control.challenger import Challenger
from serve.rollout.control.retried_work import RetriedWork
from serve.rollout.rollout_record import parse_evidence, parse_phase, parse_policy, parse_summary
from serve.rollout.rollout_summary import JudgeVerdict
from serve.rollout.statistics.evidence import Situation
from streetloop.ledger.rollouts import Entry, Rollout, RolloutCommand, RolloutState


class RolloutSession:
    """What this process knows of the open rollout beyond the ledger.

    Args:
        rollout: The row of the ledger.
        decisions: All decisions on it so far, the oldest first.

    Attributes:
        id: Number of the rollout.
        policy: What the challenger must show.
        evidence: Evidence since the rollout began.
        challenger: The challenger's application and process.
        taking_over: The champion's application loads the challenger's model.
        giving_back: The champion's application loads the old model again.
        replaying: The challenger answers recorded traffic.
        noted_at: When the evidence was last written to the ledger.
        gain_step: The step of time whose gain was last written to the ledger.
        verdict: What the offline judge said; None if that is not on record.
    """

    def __init__(self, rollout: Rollout, decisions: Iterable[Entry] = ()) -> None:
        self.id = rollout.id
        self.policy = parse_policy(rollout)
        self.evidence = parse_evidence(rollout)
        self.challenger = Challenger()
        self.taking_over, self.giving_back = RetriedWork(), RetriedWork()
        self.replaying = RetriedWork()
        self.noted_at: datetime | None = None
        self.gain_step: int | None = None
        self.verdict: JudgeVerdict | None = None
        self._paused = timedelta()
        self._paused_since: datetime | None = None
        for entry in decisions:
            self.verdict = self.verdict or parse_summary(entry).verdict
            self.note_decision(entry)

    @property
    def futures(self) -> tuple[Future[Any] | None, ...]:
        """Work that was begun for it."""
        steps = self.taking_over, self.giving_back, self.replaying
        return (*self.challenger.futures, *(step.future for step in steps))

    def title(self, rollout: Rollout) -> str:
        """Its phase in words."""
        return parse_phase(rollout).title(self.policy)

    def note_decision(self, entry: Entry) -> None:
        """Note where a pause begins or ends."""
        if entry.action == RolloutCommand.PAUSE and self._paused_since is None:
            self._paused_since = entry.at
        elif entry.action != RolloutCommand.PAUSE and self._paused_since is not None:
            self._paused += entry.at - self._paused_since
            self._paused_since = None

    def situation(self, rollout: Rollout, now: datetime) -> Situation:
        """The rollout at this look."""
        return Situation(
            self.evidence,
            _minutes(now - rollout.phase_at),
            self.evidence.frames - rollout.phase_frames,
            _minutes(now - rollout.started_at - self._paused_until(now)),
            self.challenger.crashes,
            self.challenger.memory_mb,
            rollout.state is RolloutState.PAUSED,
        )

    def _paused_until(self, now: datetime) -> timedelta:
        under_way = timedelta() if self._paused_since is None else now - self._paused_since
        return self._paused + under_way


def _minutes(duration: timedelta) -> float:
    return duration.total_seconds() / 60
