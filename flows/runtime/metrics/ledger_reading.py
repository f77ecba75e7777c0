"""What the ledger says that metrics show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from serve.rollout.rollout_record import parse_phase, parse_policy, parse_summary
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.outbox import sink_states
from streetloop.ledger.events import count_open_events
from streetloop.ledger.learning import count_ended_learning, open_learning
from streetloop.ledger.lookups.review_waits import oldest_waiting
from streetloop.ledger.reviews import count_reviews
from streetloop.ledger.rollouts import Rollout, count_ended_rollouts, open_rollout

_ALL = "all"  # the gain over all classes and cities, see `serve.rollout.rollout_summary`


@dataclass(frozen=True, slots=True)
class RolloutReading:
    """The open rollout.

    Attributes:
        phase: ``shadow`` or ``canary``.
        state: Its state.
        share: Share of the cameras that the challenger serves, 0 to 1.
        phase_at: When the phase began (UTC).
        blocks: Blocks with known truth that were compared.
    """

    phase: str
    state: str
    share: float
    phase_at: datetime
    blocks: int


@dataclass(frozen=True, slots=True)
class OutboxReading:
    """What an event sink was not sent yet.

    Attributes:
        waiting: Changes of events.
        oldest_at: When the oldest of them came (UTC); None if none waits.
    """

    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """What the ledger says at one moment.

    Attributes:
        events: Open events by kind.
        labels: Frames of the review queue by state.
        oldest: When the frame that has waited longest began to, by state (UTC); None if none waits.
        learning: Step of the open learning run; None if none is open.
        learned: Learning runs that have ended, by their last step.
        rollout: The open rollout; None if none is open.
        rolled_out: Rollouts that have ended, by state.
        outboxes: By event sink, what it was not sent yet.
    """

    events: Mapping[str, int]
    labels: Mapping[str, int]
    oldest: Mapping[str, datetime | None]
    learning: str | None
    learned: Mapping[str, int]
    rollout: RolloutReading | None
    rolled_out: Mapping[str, int]
    outboxes: Mapping[str, OutboxReading] = field(default_factory=dict)


def read_ledger(ledger: Ledger) -> LedgerReading:
    """Read it.

    Raises:
        LedgerError: It does not answer.
    """
    learning, rollout = open_learning(ledger), open_rollout(ledger)
    return LedgerReading(
        count_open_events(ledger),
        {state.value: count for state, count in count_reviews(ledger).items()},
        oldest_waiting(ledger),
        None if learning is None else learning.step.value,
        {step.value: count for step, count in count_ended_learning(ledger).items()},
        None if rollout is None else _rollout(rollout),
        {state.value: count for state, count in count_ended_rollouts(ledger).items()},
        {one.sink.name: OutboxReading(one.waiting, one.oldest_at) for one in sink_states(ledger)},
    )


def _rollout(rollout: Rollout) -> RolloutReading:
    phase, summary = parse_phase(rollout), parse_summary(rollout)
    gain = summary.gains.get(_ALL)
    return RolloutReading(
        phase.kind.value,
        rollout.state.value,
        phase.share(parse_policy(rollout)),
        rollout.phase_at,
        0 if gain is None else gain.blocks,
    )
