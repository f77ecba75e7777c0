"""What a process knows of the open rollout beyond the ledger."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any

from serve.rollout.rollout_record import parse_evidence, parse_phase, parse_policy, parse_summary
from serve.rollout.rollout_summary import Verdict
from serve.rollout.route_table import CHAMPION, city_application
from streetloop.ledger.rollouts import Entry, Rollout, RolloutCommand


class RolloutSession:
    """What this process knows of the open rollout beyond the ledger.

    Args:
        rollout: As the ledger has it.
        decisions: All on it so far, the oldest first.

    Attributes:
        verdict: What the judge said offline; None if nobody knows.
    """

    def __init__(self, rollout: Rollout, decisions: Iterable[Entry] = ()) -> None:
        self.id = rollout.id
        self.policy = parse_policy(rollout)
        self.evidence = parse_evidence(rollout)
        self.loading: Future[None] | None = None
        self.loading_since: float | None = None
        self.taking_over: Future[None] | None = None
        self.giving_back: Future[None] | None = None
        self.again_at = self.back_again_at = 0.0
        self.asking: Future[dict[str, Any]] | None = None
        self.asked_at = 0.0
        self.noted_at: datetime | None = None
        self.crashes = 0
        self.memory_mb = 0.0
        self._process: int | None = None
        self._paused = timedelta()
        self._paused_since: datetime | None = None
        self.verdict: Verdict | None = None
        for entry in decisions:
            self.verdict = self.verdict or parse_summary(entry).verdict
            self.note_decision(entry)

    @property
    def is_up(self) -> bool:
        """True if the challenger answers."""
        return self.loading is not None and self.loading.done() and self.loading.exception() is None

    @property
    def futures(self) -> tuple[Future[Any] | None, ...]:
        """All that was begun for it."""
        return (self.loading, self.taking_over, self.giving_back, self.asking)

    def title(self, rollout: Rollout) -> str:
        """Its phase, for people."""
        return parse_phase(rollout).title(self.policy)

    def note_decision(self, entry: Entry) -> None:
        """A pause begins or ends."""
        if entry.action == RolloutCommand.PAUSE and self._paused_since is None:
            self._paused_since = entry.at
        elif entry.action != RolloutCommand.PAUSE and self._paused_since is not None:
            self._paused += entry.at - self._paused_since
            self._paused_since = None

    def paused_minutes(self, now: datetime) -> float:
        """How long it was paused so far."""
        going_on = timedelta() if self._paused_since is None else now - self._paused_since
        return (self._paused + going_on).total_seconds() / 60

    def note_process(self, description: Mapping[str, Any]) -> None:
        """What the challenger says of itself."""
        self.memory_mb = float(description["memory_mb"])
        process = int(description["process"])
        if self._process is not None and process != self._process:
            self.crashes += 1
        self._process = process


def target_application(rollout: Rollout) -> str:
    """The application that the new champion is to answer in."""
    return CHAMPION if rollout.city is None else city_application(rollout.city)
