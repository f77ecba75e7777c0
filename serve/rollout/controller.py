"""Carries rollouts out: looks, decides, writes the decision down, and does it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace
from typing import Any

from serve.rollout.decision import Action, Decision, decide
from serve.rollout.label_evidence import LabelEvidence
from serve.rollout.policy import Phase, Policy
from serve.rollout.ports import Applications, Fleet, Models
from serve.rollout.rollout_session import RolloutSession, target_application
from serve.rollout.route_table import CHAMPION, RouteTable, leaders
from serve.rollout.statistics.evidence import Evidence, Situation
from serve.rollout.summarize import summarize
from serve.rollout.transitions import RolloutWork
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import RegistryError
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import (
    Entry,
    Rollout,
    RolloutCommand,
    RolloutState,
    list_decisions,
    move,
    note_progress,
    open_rollout,
)
from streetloop.polling import PollingThread, SayOnce
from streetloop.storage.store import ObjectStore

_log = logging.getLogger(__name__)

_LOOK_S = 0.5
_NOTE_S = 1.0
_WATCH_S = 2.0
_LOAD_S = 180.0
_AGAIN_S = 5.0
_LAST_S = 15.0
_CLOSE_S = 30.0
POLICY = "policy"
"""Author of the decisions that nobody made by hand."""


class RolloutControl:
    """Looks at the open rollout twice a second, on a thread of its own.

    Every decision is in the ledger before anything is done about it, and what is done follows from
    the ledger alone: a process that is killed in between does it after its restart.

    Args:
        ledger: Where rollouts are.
        fleet: The streams.
        applications: The applications.
        models: Finds them.
        store: Where labelled frames are.
        names: Class names that all models share.
        cameras: Called for the cameras that are to run now; may answer otherwise each time.
        clock: Time.
        tell: Called with a sentence for people.
        champion_applications: Champion's application by city, where a city has one of its own.
    """

    def __init__(
        self,
        ledger: Ledger,
        fleet: Fleet,
        applications: Applications,
        models: Models,
        store: ObjectStore,
        names: Sequence[str],
        cameras: Callable[[], Sequence[Camera]],
        clock: Clock,
        tell: Callable[[str], None],
        champion_applications: Mapping[str, str] | None = None,
    ) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._cameras, self._clock, self._tell = cameras, clock, tell
        self._champion_applications = dict(champion_applications or {})
        self._table = RouteTable(champion_applications=self._camera_applications())
        self._session: RolloutSession | None = None
        self._cities = {camera.id: camera.city for camera in cameras()}
        self._labels = LabelEvidence(ledger, store, applications, names, self._cities)
        self._work = RolloutWork(applications, models, self._route_to_champion)
        self._tell_once = SayOnce(tell)
        self._thread = PollingThread("rollout", self.step, _LOOK_S, _log, self._tell_once)

    def start(self) -> None:
        """Begin."""
        self._fleet.follow(self._table)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; an open rollout goes on after the next start."""
        self._thread.close(_CLOSE_S)
        self._work.close()
        session = self._session
        begun = [self._work.ending, *(() if session is None else session.futures)]
        # Ray ends next, and who asks it then starts another.
        wait([f for f in begun if f is not None and not f.done()], timeout=_LAST_S)

    def step(self) -> None:
        """One look. Never waits for a model.

        Raises:
            LedgerError: The ledger did not answer; nothing was done that it does not know of.
        """
        self._meet_new_cameras()
        rollout = open_rollout(self._ledger)
        found = self._fleet.collect_evidence()
        if rollout is None:
            return
        session = self._session
        if session is None or session.id != rollout.id:
            session = self._session = RolloutSession(rollout, list_decisions(self._ledger, rollout.id))
            found = Evidence()  # of the one before
            self._tell(f"rollout {rollout.id} of version {rollout.model}: {session.title(rollout)}")
        session.evidence += found + self._label_evidence(rollout)
        if rollout.command is not None and self._apply(rollout, session):
            return
        if rollout.state is RolloutState.PROMOTING:
            self._go_on_promoting(rollout, session)
        else:
            self._look(rollout, session)

    # Looking and deciding

    def _look(self, rollout: Rollout, session: RolloutSession) -> None:
        harm = self._challenger_harm(rollout, session)
        if harm is not None:
            self._roll_back(rollout, session, harm, POLICY)
            return
        if not session.is_up:
            self._note(rollout, session, Decision(Action.HOLD, "the challenger is being loaded"))
            return
        phase = Phase(**rollout.phase)
        self._publish(rollout, session.policy, phase.share(session.policy))
        self._watch_process(session)
        decision = decide(phase, self._situation(rollout, session), session.policy)
        if rollout.state is RolloutState.PAUSED and decision.action in {Action.ADVANCE, Action.PROMOTE}:
            decision = Decision(Action.HOLD, "paused by hand", ("`streetloop rollout resume`",))
        if decision.action is Action.HOLD:
            self._note(rollout, session, decision)
        elif decision.action is Action.ADVANCE:
            self._advance(rollout, session, phase.following(), decision.reason)
        elif decision.action is Action.PROMOTE:
            self._begin_promotion(rollout, session, decision.reason, POLICY)
        else:
            self._roll_back(rollout, session, decision.reason, POLICY)

    def _challenger_harm(self, rollout: Rollout, session: RolloutSession) -> str | None:
        """Brings the challenger up; why it cannot be, or None."""
        if not self._scope(rollout):
            return f"no camera of this run is in {rollout.city}"
        now = self._clock.monotonic()
        if session.loading is None:
            if now < session.again_at:
                return None
            session.loading = self._work.load_challenger(rollout.model)
            if session.loading_since is None:
                session.loading_since = now
        is_late = session.loading_since is not None and now - session.loading_since > _LOAD_S
        if not session.loading.done():
            return f"it was not loaded within {_LOAD_S:.0f} s" if is_late else None
        error = session.loading.exception()
        if isinstance(error, RegistryError) and not is_late:
            # Not its fault: the registry may be away.
            session.loading, session.again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id} waits: {error}")
            return None
        return None if error is None else f"it cannot be loaded: {error}"

    def _watch_process(self, session: RolloutSession) -> None:
        """A process that died comes back by itself, with another id."""
        now = self._clock.monotonic()
        if session.asking is not None and session.asking.done():
            if session.asking.exception() is None:
                session.note_process(session.asking.result())
            session.asking = None
        if session.asking is None and now - session.asked_at >= _WATCH_S:
            session.asked_at = now
            session.asking = self._work.describe_challenger()

    def _situation(self, rollout: Rollout, session: RolloutSession) -> Situation:
        now = self._clock.now()
        return Situation(
            session.evidence,
            (now - rollout.phase_at).total_seconds() / 60,
            session.evidence.frames - rollout.phase_frames,
            (now - rollout.started_at).total_seconds() / 60 - session.paused_minutes(now),
            session.crashes,
            session.memory_mb,
            rollout.state is RolloutState.PAUSED,
        )

    # What people want

    def _apply(self, rollout: Rollout, session: RolloutSession) -> bool:
        """Do what somebody wants; False if the look goes on as usual."""
        author = rollout.command_by or "somebody"
        if rollout.command is RolloutCommand.ROLL_BACK and rollout.state is RolloutState.PROMOTING:
            self._undo_promotion(rollout, session, author)
        elif rollout.command is RolloutCommand.ROLL_BACK:
            self._roll_back(rollout, session, "by hand", author)
        elif rollout.command is RolloutCommand.PROMOTE and rollout.state is not RolloutState.PROMOTING:
            if not session.is_up:
                return False  # once it can answer
            self._begin_promotion(rollout, session, "by hand", author)
        elif (
            rollout.command in {RolloutCommand.PAUSE, RolloutCommand.RESUME}
            and rollout.state is not RolloutState.PROMOTING
        ):
            state = RolloutState.PAUSED if rollout.command is RolloutCommand.PAUSE else RolloutState.RUNNING
            wanted = str(rollout.command)
            self._write(rollout, session, state, rollout.phase, wanted, "by hand", author)
        else:
            self._write(
                rollout,
                session,
                rollout.state,
                rollout.phase,
                "refuse",
                f"{rollout.command}: it is being promoted",
                author,
            )
        return True

    # Doing

    def _advance(self, rollout: Rollout, session: RolloutSession, phase: Phase, reason: str) -> None:
        plain = phase.model_dump(mode="json")
        self._write(rollout, session, rollout.state, plain, Action.ADVANCE, reason, POLICY)
        self._publish(rollout, session.policy, phase.share(session.policy))

    def _begin_promotion(self, rollout: Rollout, session: RolloutSession, reason: str, author: str) -> None:
        self._write(rollout, session, RolloutState.PROMOTING, rollout.phase, Action.PROMOTE, reason, author)
        self._publish(rollout, session.policy, 1.0)

    def _go_on_promoting(self, rollout: Rollout, session: RolloutSession) -> None:
        """The champion's application takes the model over while the challenger serves."""
        now = self._clock.monotonic()
        if session.taking_over is None:
            if now < session.again_at:
                return
            session.taking_over = self._work.take_over(rollout)
        if not session.taking_over.done():
            return
        error = session.taking_over.exception()
        if error is not None:
            # Whatever it is (the registry may be away): the challenger goes on serving meanwhile.
            session.taking_over, session.again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id}: promotion waits: {error}")
            return
        if rollout.city is not None:
            self._champion_applications[rollout.city] = target_application(rollout)
        self._write(
            rollout,
            session,
            RolloutState.PROMOTED,
            rollout.phase,
            "promoted",
            f"version {rollout.model} is the champion",
            POLICY,
        )
        self._clear()

    def _undo_promotion(self, rollout: Rollout, session: RolloutSession, author: str) -> None:
        """The old model goes back in its place, then everybody goes there, then it is written.

        Until then the wish stands, so that a restart goes on with it.
        """
        now = self._clock.monotonic()
        if session.giving_back is None and now >= session.back_again_at:
            keeps_own_champion = rollout.city is None or rollout.city in self._champion_applications
            session.giving_back = self._work.give_back(
                rollout, session, keeps_own_champion=keeps_own_champion
            )
        if session.giving_back is None or not session.giving_back.done():
            return
        error = session.giving_back.exception()
        if error is not None:
            session.giving_back, session.back_again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id}: going back waits: {error}")
            return
        self._roll_back(rollout, session, "by hand", author)

    def _roll_back(self, rollout: Rollout, session: RolloutSession, reason: str, author: str) -> None:
        self._write(
            rollout, session, RolloutState.ROLLED_BACK, rollout.phase, Action.ROLL_BACK, reason, author
        )
        self._clear()

    def _clear(self) -> None:
        """Everybody goes home, then the challenger ends."""
        self._route_to_champion()
        loading = None if self._session is None else self._session.loading
        self._session = None
        self._work.end_challenger(loading)

    # Helpers of the above

    def _camera_applications(self) -> dict[str, str]:
        return {
            c.id: self._champion_applications[c.city]
            for c in self._cameras()
            if c.city in self._champion_applications
        }

    def _meet_new_cameras(self) -> None:
        """Cameras come and go while others run."""
        self._cities |= {camera.id: camera.city for camera in self._cameras()}
        champion_applications = self._camera_applications()
        if champion_applications != self._table.champion_applications:
            self._follow(
                replace(
                    self._table, number=self._table.number + 1, champion_applications=champion_applications
                )
            )

    def _scope(self, rollout: Rollout) -> list[str]:
        return [c.id for c in self._cameras() if rollout.city is None or c.city == rollout.city]

    def _compared(self, rollout: Rollout) -> frozenset[str]:
        """The cameras that take part: none of a city with a champion of its own, if all may."""
        own = {} if rollout.city is not None else self._camera_applications()
        return frozenset(camera for camera in self._scope(rollout) if camera not in own)

    def _label_evidence(self, rollout: Rollout) -> Evidence:
        cameras = self._compared(rollout)
        champion_application = self._table.champion_application(min(cameras)) if cameras else CHAMPION
        return self._labels.collect(rollout, champion_application, cameras)

    def _publish(self, rollout: Rollout, policy: Policy, share: float) -> None:
        scope = self._compared(rollout)
        table = RouteTable(
            self._table.number + 1,
            self._camera_applications(),
            scope,
            leaders(scope, share),
            policy.sample,
            policy.block_s,
        )
        same = (table.challenged, table.compared, table.sample)
        if same != (self._table.challenged, self._table.compared, self._table.sample):
            self._follow(table)

    def _route_to_champion(self) -> None:
        self._follow(RouteTable(self._table.number + 1, self._camera_applications()))

    def _follow(self, table: RouteTable) -> None:
        self._table = table
        self._fleet.follow(table)

    def _write(
        self,
        rollout: Rollout,
        session: RolloutSession,
        state: RolloutState,
        phase: Mapping[str, Any],
        action: str,
        reason: str,
        author: str,
    ) -> None:
        summary = summarize(
            self._situation(rollout, session), session.policy, self._cities, session.verdict
        ).as_json()
        entry = Entry(self._clock.now(), str(action), author, reason, summary)
        note_progress(self._ledger, rollout.id, session.evidence.as_json(), summary, entry.at)
        move(self._ledger, rollout, state, phase, session.evidence.frames, entry)
        session.note_decision(entry)
        self._tell(f"rollout {rollout.id}: {action}: {reason}")

    def _note(self, rollout: Rollout, session: RolloutSession, decision: Decision) -> None:
        now = self._clock.now()
        if session.noted_at is not None and (now - session.noted_at).total_seconds() < _NOTE_S:
            return
        session.noted_at = now
        summary = summarize(
            self._situation(rollout, session),
            session.policy,
            self._cities,
            session.verdict,
            decision.waits_for or (decision.reason,),
            {c.id: self._table.application(c.id) for c in self._cameras()},
        )
        note_progress(self._ledger, rollout.id, session.evidence.as_json(), summary.as_json(), now)
