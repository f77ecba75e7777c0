"""Writes what happens to a rollout into the ledger, and says it to people."""

from collections.abc import Callable, Mapping
from typing import Any

from serve.rollout.control.camera_routing import CameraRouting
from serve.rollout.control.rollout_session import RolloutSession
from serve.rollout.decision import Decision
from serve.rollout.statistics.evidence import EVERYTHING
from serve.rollout.summarize import summarize
from streetloop.clock import Clock
from streetloop.ledger import Ledger
from streetloop.ledger.history.rollout_gains import RolloutGain, keep_gain, step_of
from streetloop.ledger.rollouts import Entry, Rollout, RolloutState, move, note_progress

_NOTE_EVERY_S = 1.0


class RolloutJournal:
    """Writes decisions, each before it is carried out, and the evidence in between.

    Args:
        ledger: The ledger.
        routing: Which application serves which camera.
        clock: Time.
        tell: Called with a sentence for people.
    """

    def __init__(
        self, ledger: Ledger, routing: CameraRouting, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self._ledger, self._routing, self._clock, self._tell = ledger, routing, clock, tell

    def write_decision(
        self,
        rollout: Rollout,
        session: RolloutSession,
        action: str,
        reason: str,
        author: str,
        state: RolloutState | None = None,
        phase: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a decision with its evidence.

        Args:
            rollout: The rollout before the decision.
            session: What this process knows of it.
            action: What was decided.
            reason: Why, in one sentence.
            author: The name of a person, or ``policy``.
            state: The new state; None for the same.
            phase: JSON of the new phase; None for the same.

        Raises:
            LedgerError: It was not written; the decision must not be carried out.
        """
        now = self._clock.now()
        situation = session.situation(rollout, now)
        summary = summarize(situation, session.policy, self._routing.cities, session.verdict).as_json()
        entry = Entry(now, str(action), author, reason, summary)
        note_progress(self._ledger, rollout.id, session.evidence.as_json(), summary, now)
        move(
            self._ledger,
            rollout,
            rollout.state if state is None else state,
            rollout.phase if phase is None else phase,
            session.evidence.frames,
            entry,
        )
        session.note_decision(entry)
        self._tell(f"rollout {rollout.id}: {action}: {reason}")

    def note_hold(self, rollout: Rollout, session: RolloutSession, decision: Decision) -> None:
        """Write the evidence and what is missing, once a second at most.

        Raises:
            LedgerError: It was not written.
        """
        now = self._clock.now()
        if session.noted_at is not None and (now - session.noted_at).total_seconds() < _NOTE_EVERY_S:
            return
        session.noted_at = now
        summary = summarize(
            session.situation(rollout, now),
            session.policy,
            self._routing.cities,
            session.verdict,
            decision.waits_for or (decision.reason,),
            self._routing.applications(),
        )
        note_progress(self._ledger, rollout.id, session.evidence.as_json(), summary.as_json(), now)
        gain = summary.gains.get(EVERYTHING)
        if gain is not None and session.gain_step != step_of(now):
            kept = RolloutGain(gain.mean, gain.low, gain.high, gain.blocks)
            keep_gain(self._ledger, rollout.id, now, kept)
            session.gain_step = step_of(now)
