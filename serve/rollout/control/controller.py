"""Carries rollouts out: looks, decides, writes the decision to the ledger, and does it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait

from serve.rollout.control.camera_routing import CameraRouting
from serve.rollout.control.ports import Applications, Fleet, Models, NoReplayer, Replayer
from serve.rollout.control.rollout_journal import RolloutJournal
from serve.rollout.control.rollout_session import RolloutSession
from serve.rollout.control.transitions import Transitions
from serve.rollout.decision import Action, Decision, decide
from serve.rollout.label_evidence import LabelEvidence
from serve.rollout.policy import PhaseKind
from serve.rollout.rollout_record import parse_phase
from serve.rollout.route_table import target_application
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import Rollout, RolloutCommand, RolloutState, list_decisions, open_rollout
from streetloop.storage.store import ObjectStore

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_CLOSE_S = 30.0
_LAST_WORK_S = 15.0
POLICY = "policy"
"""Author of the decisions that no person made."""


class RolloutController:
    """Looks at the open rollout twice a second, on a thread of its own.

    Every decision is in the ledger before it is carried out, and what is carried out follows from
    the ledger alone: after a crash in between, the next process carries it out.

    Args:
        ledger: The ledger.
        fleet: The running streams.
        applications: The applications that serve models.
        models: Finds models, and is told who the champion is.
        store: The object store with the labeled frames.
        names: Class names that all models share.
        cameras: Called for the cameras that are to run now; the answer may change between calls.
        clock: Time.
        tell: Called with a sentence for people.
        champion_applications: Application of a city's own champion by city, where it has one.
        replayer: Shows recorded traffic to challengers whose policy asks for it.
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
        replayer: Replayer | None = None,
    ) -> None:
        self._ledger, self._fleet, self._clock, self._tell = ledger, fleet, clock, tell
        self._routing = CameraRouting(fleet, cameras, champion_applications or {})
        self._journal = RolloutJournal(ledger, self._routing, clock, tell)
        self._labels = LabelEvidence(ledger, store, applications, names, self._routing.cities)
        to_champion = self._routing.route_to_champion
        self._transitions = Transitions(applications, models, to_champion, replayer or NoReplayer())
        self._session: RolloutSession | None = None
        self._tell_once = SayOnce(tell)
        self._thread = PollingThread("rollout", self.step, _LOOK_EVERY_S, _log, self._tell_once)

    def start(self) -> None:
        """Start the thread."""
        self._routing.publish()
        self._thread.start()

    def close(self) -> None:
        """Stop the thread; an open rollout continues after the next start."""
        self._thread.close(_CLOSE_S)
        self._transitions.close()
        session = self._session
        begun = [self._transitions.ending, *(() if session is None else session.futures)]
        # Ray ends next, and whoever calls Serve then starts another Ray.
        wait([f for f in begun if f is not None and not f.done()], timeout=_LAST_WORK_S)

    def step(self) -> None:
        """Look once; never waits for a model.

        Raises:
            LedgerError: The ledger did not answer; nothing was done that it does not record.
        """
        self._routing.follow_cameras()
        rollout = open_rollout(self._ledger)
        found = self._fleet.collect_evidence()
        if rollout is None:
            return
        session = self._session
        if session is None or session.id != rollout.id:
            session = self._session = RolloutSession(rollout, list_decisions(self._ledger, rollout.id))
            found = Evidence()  # what was found belongs to the rollout before
            self._tell(f"rollout {rollout.id} of version {rollout.model}: {session.title(rollout)}")
        session.evidence += found + self._collect_labels(rollout)
        if rollout.command is not None and self._apply(rollout.command, rollout, session):
            return
        if rollout.state is RolloutState.PROMOTING:
            self._continue_promotion(rollout, session)
        elif self._is_challenger_up(rollout, session):
            self._decide(rollout, session)

    def _collect_labels(self, rollout: Rollout) -> Evidence:
        cameras = self._routing.compared(rollout.city)
        return self._labels.collect(rollout, self._routing.compared_champion(cameras), cameras)

    # Looking and deciding

    def _is_challenger_up(self, rollout: Rollout, session: RolloutSession) -> bool:
        """Load the challenger; roll back if it cannot be loaded."""
        if not self._routing.cameras_of(rollout.city):
            self._roll_back(rollout, session, f"no camera of this run is in {rollout.city}", POLICY)
            return False
        now, challenger = self._clock.monotonic(), session.challenger
        challenger.load_when_due(lambda: self._transitions.load_challenger(rollout.model), now)
        outage = challenger.retry_after_outage(now)
        if outage is not None:
            self._tell_once(f"rollout {rollout.id} waits: {outage}")
        failure = challenger.load_failure(now)
        if failure is not None:
            self._roll_back(rollout, session, failure, POLICY)
        elif not challenger.is_up:
            hold = Decision(Action.HOLD, "the challenger is being loaded")
            self._journal.note_hold(rollout, session, hold)
        return challenger.is_up

    def _decide(self, rollout: Rollout, session: RolloutSession) -> None:
        phase, policy = parse_phase(rollout), session.policy
        self._routing.route_share(rollout.city, policy, phase.share(policy))
        session.challenger.watch_process(self._transitions.describe_challenger, self._clock.monotonic())
        if phase.kind is PhaseKind.SHADOW and policy.replay_minutes and not session.evidence.replayed:
            self._replay(rollout, session)
        decision = decide(phase, session.situation(rollout, self._clock.now()), policy)
        if rollout.state is RolloutState.PAUSED and decision.action in {Action.ADVANCE, Action.PROMOTE}:
            decision = Decision(Action.HOLD, "paused by hand", ("`streetloop rollout resume`",))
        if decision.action is Action.HOLD:
            self._journal.note_hold(rollout, session, decision)
        elif decision.action is Action.ADVANCE:
            self._advance(rollout, session, decision.reason)
        elif decision.action is Action.PROMOTE:
            self._begin_promotion(rollout, session, decision.reason, POLICY)
        else:
            self._roll_back(rollout, session, decision.reason, POLICY)

    def _replay(self, rollout: Rollout, session: RolloutSession) -> None:
        """Gather evidence from recorded traffic, on another thread."""
        cameras, minutes = self._routing.cameras_of(rollout.city), session.policy.replay_minutes
        work = session.replaying

        def begin() -> "Future[Evidence]":
            return self._transitions.replay(rollout.model, sorted(cameras), minutes)

        if work.poll(begin, self._clock.monotonic()) and work.future is not None:
            session.evidence += work.future.result()
        elif work.error is not None:
            self._tell_once(f"rollout {rollout.id}: the replay waits: {work.error}")

    def _advance(self, rollout: Rollout, session: RolloutSession, reason: str) -> None:
        phase = parse_phase(rollout).following()
        plain = phase.model_dump(mode="json")
        self._journal.write_decision(rollout, session, Action.ADVANCE, reason, POLICY, phase=plain)
        self._routing.route_share(rollout.city, session.policy, phase.share(session.policy))

    # Commands

    def _apply(self, command: RolloutCommand, rollout: Rollout, session: RolloutSession) -> bool:
        """Apply a command; False if the look continues as usual."""
        author = rollout.command_by or "somebody"
        is_promoting = rollout.state is RolloutState.PROMOTING
        if command is RolloutCommand.ROLL_BACK:
            if is_promoting:
                self._undo_promotion(rollout, session, author)
            else:
                self._roll_back(rollout, session, "by hand", author)
        elif is_promoting:
            reason = f"{command}: it is being promoted"
            self._journal.write_decision(rollout, session, "refuse", reason, author)
        elif command is RolloutCommand.PROMOTE:
            if not session.challenger.is_up:
                return False  # it stays pending until the challenger answers
            self._begin_promotion(rollout, session, "by hand", author)
        else:
            state = RolloutState.PAUSED if command is RolloutCommand.PAUSE else RolloutState.RUNNING
            self._journal.write_decision(rollout, session, str(command), "by hand", author, state)
        return True

    # Promotion and rollback

    def _begin_promotion(self, rollout: Rollout, session: RolloutSession, reason: str, author: str) -> None:
        state = RolloutState.PROMOTING
        self._journal.write_decision(rollout, session, Action.PROMOTE, reason, author, state)
        self._routing.route_share(rollout.city, session.policy, 1.0)

    def _continue_promotion(self, rollout: Rollout, session: RolloutSession) -> None:
        """The champion's application loads the model while the challenger serves."""
        work = session.taking_over
        if not work.poll(lambda: self._transitions.take_over(rollout), self._clock.monotonic()):
            if work.error is not None:
                self._tell_once(f"rollout {rollout.id}: promotion waits: {work.error}")
            return
        if rollout.city is not None:
            self._routing.set_own_champion(rollout.city, target_application(rollout.city))
        reason = f"version {rollout.model} is the champion"
        state = RolloutState.PROMOTED
        self._journal.write_decision(rollout, session, "promoted", reason, POLICY, state)
        self._end_challenger()

    def _undo_promotion(self, rollout: Rollout, session: RolloutSession, author: str) -> None:
        """The old model is loaded again, then all cameras go there, then it is written.

        The command stays pending until then, so that a restart continues with it.
        """
        keeps_own = rollout.city is None or self._routing.has_own_champion(rollout.city)

        def begin() -> Future[None]:
            return self._transitions.give_back(rollout, session, keeps_own_champion=keeps_own)

        work = session.giving_back
        if work.poll(begin, self._clock.monotonic()):
            self._roll_back(rollout, session, "by hand", author)
        elif work.error is not None:
            self._tell_once(f"rollout {rollout.id}: rollback waits: {work.error}")

    def _roll_back(self, rollout: Rollout, session: RolloutSession, reason: str, author: str) -> None:
        state = RolloutState.ROLLED_BACK
        self._journal.write_decision(rollout, session, Action.ROLL_BACK, reason, author, state)
        self._end_challenger()

    def _end_challenger(self) -> None:
        """Route all cameras to their champions, then end the challenger."""
        self._routing.route_to_champion()
        loading = None if self._session is None else self._session.challenger.loading
        self._session = None
        self._transitions.end_challenger(loading)
