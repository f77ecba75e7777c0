"""The ledger's rows of a rollout with their JSON parsed: here, and nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from serve.rollout.policy import Phase, Policy
from serve.rollout.rollout_summary import RolloutSummary
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import RolloutError
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import Entry, Rollout, list_decisions, list_rollouts

_MAX_ROLLOUTS = 10_000


def parse_policy(rollout: Rollout) -> Policy:
    """The policy that the rollout was started with."""
    return Policy(**rollout.policy)


def parse_phase(rollout: Rollout) -> Phase:
    """The phase that the rollout is in."""
    return Phase(**rollout.phase)


def parse_evidence(rollout: Rollout) -> Evidence:
    """The evidence since the rollout began."""
    return Evidence() if rollout.evidence is None else Evidence.from_json(rollout.evidence)


def parse_summary(row: Rollout | Entry) -> RolloutSummary:
    """The summary of a rollout at its last look, or of the moment of a decision."""
    return RolloutSummary.from_json(row.summary)


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision on a rollout.

    Attributes:
        at: When it was taken.
        action: What was decided.
        author: The person who asked for it, or ``policy``.
        reason: Why, in one sentence.
        summary: The evidence at that moment.
    """

    at: datetime
    action: str
    author: str
    reason: str
    summary: RolloutSummary

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Parse a row of the ledger."""
        return cls(entry.at, entry.action, entry.author, entry.reason, parse_summary(entry))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "at": self.at.isoformat(),
            "action": self.action,
            "author": self.author,
            "reason": self.reason,
            "evidence": self.summary.as_json(),
        }


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """A rollout with its decisions.

    Attributes:
        row: The row of the ledger.
        policy: What the challenger must show.
        phase: Where the rollout is.
        summary: The evidence at the last look.
        decisions: All decisions, the oldest first.
    """

    row: Rollout
    policy: Policy
    phase: Phase
    summary: RolloutSummary
    decisions: tuple[DecisionRecord, ...] = ()

    @classmethod
    def of(cls, rollout: Rollout, decisions: Iterable[Entry] = ()) -> Self:
        """Parse rows of the ledger."""
        entries = tuple(DecisionRecord.of(entry) for entry in decisions)
        return cls(rollout, parse_policy(rollout), parse_phase(rollout), parse_summary(rollout), entries)

    @property
    def phase_title(self) -> str:
        """The phase in words, such as ``canary 25 %``."""
        return self.phase.title(self.policy)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `streetloop rollout report --json` prints them."""
        row = self.row
        return {
            "rollout": row.id,
            "state": str(row.state),
            "phase": self.phase_title,
            "model": row.model,
            "champion": row.champion,
            "city": row.city,
            "author": row.author,
            "started_at": row.started_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
            "ended_at": row.ended_at and row.ended_at.isoformat(),
            "policy": dict(row.policy),
            "evidence": self.summary.as_json(),
            "decisions": [decision.as_json() for decision in self.decisions],
        }


def read_rollout(ledger: Ledger, number: int | None = None) -> RolloutRecord:
    """Read a rollout with its decisions.

    Args:
        ledger: The ledger.
        number: Number of the rollout; None for the newest.

    Raises:
        RolloutError: There is none.
    """
    for rollout in list_rollouts(ledger, 1 if number is None else _MAX_ROLLOUTS):
        if number in {None, rollout.id}:
            return RolloutRecord.of(rollout, list_decisions(ledger, rollout.id))
    raise RolloutError(
        "no rollout yet: `streetloop rollout start VERSION` begins one"
        if number is None
        else f"there is no rollout {number}"
    )
