"""Parses the JSON of the ledger's rollouts: here, and nowhere else."""

from serve.rollout.policy import Phase, Policy
from serve.rollout.rollout_summary import RolloutSummary
from serve.rollout.statistics.evidence import Evidence
from streetloop.ledger.rollouts import Entry, Rollout


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
