"""Carries rollouts out: looks, decides, writes the decision down, and does it."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace
from typing import Any

from serve.rollout.decision import Action, Decision, decide
from serve.rollout.evidence import Evidence, Situation
from serve.rollout.label_evidence import LabelEvidence
from serve.rollout.policy import Phase, Policy
from serve.rollout.route_table import CHAMPION, RouteTable, leaders
from serve.rollout.session import Fleet, Models, Slots, Trial, home_slot
from serve.rollout.summary import reading
from serve.rollout.transitions import RolloutWork
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import RegistryError, StreetloopError
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import (
    Entry,
    Rollout,
    State,
    Wish,
    list_decisions,
    move,
    note_progress,
    open_rollout,
)
from streetloop.storage.store import ObjectStore

_log = logging.getLogger(__name__)

_LOOK_S = 0.5
_NOTE_S = 1.0
_WATCH_S = 2.0
_LOAD_S = 180.0
_AGAIN_S = 5.0
_LAST_S = 15.0
POLICY = "policy"
"""Author of the decisions that nobody made by hand."""


class RolloutControl:
    """Looks at the open rollout twice a second, on a thread of its own.

    Every decision is in the ledger before anything is done about it, and what is done follows from
    the ledger alone: a process that is killed in between does it after its restart.

    Args:
        ledger: Where rollouts are.
        fleet: The streams.
        slots: The applications.
        models: Finds them.
        store: Where labelled frames are.
        names: Class names that all models share.
        cameras: All that run; whoever adds one later adds it to this list.
        clock: Time.
        tell: Called with a sentence for people.
        homes: Champion's application by city, where a city has one of its own.
    """

    def __init__(
        self,
        ledger: Ledger,
        fleet: Fleet,
        slots: Slots,
        models: Models,
        store: ObjectStore,
        names: Sequence[str],
        cameras: Sequence[Camera],
        clock: Clock,
        tell: Callable[[str], None],
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self._ledger, self._fleet = ledger, fleet
        self._cameras, self._clock, self._tell = cameras, clock, tell
        self._homes = dict(homes or {})
        self._table = RouteTable(homes=self._homes_of_cameras())
        self._trial: Trial | None = None
        self._cities = {camera.id: camera.city for camera in cameras}
        self._labels = LabelEvidence(ledger, store, slots, names, self._cities)
        self._work = RolloutWork(slots, models, self._go_home)
        self._told: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollout", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._fleet.follow(self._table)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; an open rollout goes on after the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30.0)
        self._work.close()
        trial = self._trial
        begun = [self._work.ending, *(() if trial is None else trial.futures)]
        # Ray ends next, and who asks it then starts another.
        wait([f for f in begun if f is not None and not f.done()], timeout=_LAST_S)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            try:
                self.step()
            except StreetloopError as error:
                self._tell_once(f"rollout: {error}")
            except Exception:  # noqa: BLE001
                # The boundary of the thread: a rollout must not take the streams along.
                _log.exception("a look at the rollout failed")
                self._tell_once("a look at the rollout failed; the log says why")

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
        trial = self._trial
        if trial is None or trial.id != rollout.id:
            trial = self._trial = Trial(rollout, list_decisions(self._ledger, rollout.id))
            found = Evidence()  # of the one before
            self._tell(f"rollout {rollout.id} of version {rollout.model}: {trial.title(rollout)}")
        trial.evidence += found + self._label_evidence(rollout)
        if rollout.wanted is not None and self._grant(rollout, trial):
            return
        if rollout.state is State.PROMOTING:
            self._go_on_promoting(rollout, trial)
        else:
            self._look(rollout, trial)

    # Looking and deciding

    def _look(self, rollout: Rollout, trial: Trial) -> None:
        harm = self._challenger_harm(rollout, trial)
        if harm is not None:
            self._roll_back(rollout, trial, harm, POLICY)
            return
        if not trial.is_up:
            self._note(rollout, trial, Decision(Action.HOLD, "the challenger is being loaded"))
            return
        phase = Phase(**rollout.phase)
        self._publish(rollout, trial.policy, phase.share(trial.policy))
        self._watch_process(trial)
        decision = decide(phase, self._situation(rollout, trial), trial.policy)
        if rollout.state is State.PAUSED and decision.action in {Action.ADVANCE, Action.PROMOTE}:
            decision = Decision(Action.HOLD, "paused by hand", ("`streetloop rollout resume`",))
        if decision.action is Action.HOLD:
            self._note(rollout, trial, decision)
        elif decision.action is Action.ADVANCE:
            self._advance(rollout, trial, phase.following(), decision.reason)
        elif decision.action is Action.PROMOTE:
            self._begin_promotion(rollout, trial, decision.reason, POLICY)
        else:
            self._roll_back(rollout, trial, decision.reason, POLICY)

    def _challenger_harm(self, rollout: Rollout, trial: Trial) -> str | None:
        """Brings the challenger up; why it cannot be, or None."""
        if not self._scope(rollout):
            return f"no camera of this run is in {rollout.city}"
        now = self._clock.monotonic()
        if trial.loading is None:
            if now < trial.again_at:
                return None
            trial.loading = self._work.load_challenger(rollout.model)
            if trial.loading_since is None:
                trial.loading_since = now
        is_late = trial.loading_since is not None and now - trial.loading_since > _LOAD_S
        if not trial.loading.done():
            return f"it was not loaded within {_LOAD_S:.0f} s" if is_late else None
        error = trial.loading.exception()
        if isinstance(error, RegistryError) and not is_late:
            # Not its fault: the registry may be away.
            trial.loading, trial.again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id} waits: {error}")
            return None
        return None if error is None else f"it cannot be loaded: {error}"

    def _watch_process(self, trial: Trial) -> None:
        """A process that died comes back by itself, with another id."""
        now = self._clock.monotonic()
        if trial.asking is not None and trial.asking.done():
            if trial.asking.exception() is None:
                trial.note_process(trial.asking.result())
            trial.asking = None
        if trial.asking is None and now - trial.asked_at >= _WATCH_S:
            trial.asked_at = now
            trial.asking = self._work.describe_challenger()

    def _situation(self, rollout: Rollout, trial: Trial) -> Situation:
        now = self._clock.now()
        return Situation(
            trial.evidence,
            (now - rollout.phase_at).total_seconds() / 60,
            trial.evidence.frames - rollout.phase_frames,
            (now - rollout.started_at).total_seconds() / 60 - trial.paused_minutes(now),
            trial.crashes,
            trial.memory_mb,
            rollout.state is State.PAUSED,
        )

    # What people want

    def _grant(self, rollout: Rollout, trial: Trial) -> bool:
        """Do what somebody wants; False if the look goes on as usual."""
        author = rollout.wanted_by or "somebody"
        if rollout.wanted is Wish.ROLL_BACK and rollout.state is State.PROMOTING:
            self._undo_promotion(rollout, trial, author)
        elif rollout.wanted is Wish.ROLL_BACK:
            self._roll_back(rollout, trial, "by hand", author)
        elif rollout.wanted is Wish.PROMOTE and rollout.state is not State.PROMOTING:
            if not trial.is_up:
                return False  # once it can answer
            self._begin_promotion(rollout, trial, "by hand", author)
        elif rollout.wanted in {Wish.PAUSE, Wish.RESUME} and rollout.state is not State.PROMOTING:
            state = State.PAUSED if rollout.wanted is Wish.PAUSE else State.RUNNING
            wanted = str(rollout.wanted)
            self._write(rollout, trial, state, rollout.phase, wanted, "by hand", author)
        else:
            self._write(
                rollout,
                trial,
                rollout.state,
                rollout.phase,
                "refuse",
                f"{rollout.wanted}: it is being promoted",
                author,
            )
        return True

    # Doing

    def _advance(self, rollout: Rollout, trial: Trial, phase: Phase, reason: str) -> None:
        plain = phase.model_dump(mode="json")
        self._write(rollout, trial, rollout.state, plain, Action.ADVANCE, reason, POLICY)
        self._publish(rollout, trial.policy, phase.share(trial.policy))

    def _begin_promotion(self, rollout: Rollout, trial: Trial, reason: str, author: str) -> None:
        self._write(rollout, trial, State.PROMOTING, rollout.phase, Action.PROMOTE, reason, author)
        self._publish(rollout, trial.policy, 1.0)

    def _go_on_promoting(self, rollout: Rollout, trial: Trial) -> None:
        """The champion's application takes the model over while the challenger serves."""
        now = self._clock.monotonic()
        if trial.taking_over is None:
            if now < trial.again_at:
                return
            trial.taking_over = self._work.take_over(rollout)
        if not trial.taking_over.done():
            return
        error = trial.taking_over.exception()
        if error is not None:
            # Whatever it is (the registry may be away): the challenger goes on serving meanwhile.
            trial.taking_over, trial.again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id}: promotion waits: {error}")
            return
        if rollout.city is not None:
            self._homes[rollout.city] = home_slot(rollout)
        self._write(
            rollout,
            trial,
            State.PROMOTED,
            rollout.phase,
            "promoted",
            f"version {rollout.model} is the champion",
            POLICY,
        )
        self._clear()

    def _undo_promotion(self, rollout: Rollout, trial: Trial, author: str) -> None:
        """The old model goes back in its place, then everybody goes there, then it is written.

        Until then the wish stands, so that a restart goes on with it.
        """
        now = self._clock.monotonic()
        if trial.giving_back is None and now >= trial.back_again_at:
            keeps_own = rollout.city is None or rollout.city in self._homes
            trial.giving_back = self._work.give_back(rollout, trial, keeps_own=keeps_own)
        if trial.giving_back is None or not trial.giving_back.done():
            return
        error = trial.giving_back.exception()
        if error is not None:
            trial.giving_back, trial.back_again_at = None, now + _AGAIN_S
            self._tell_once(f"rollout {rollout.id}: going back waits: {error}")
            return
        self._roll_back(rollout, trial, "by hand", author)

    def _roll_back(self, rollout: Rollout, trial: Trial, reason: str, author: str) -> None:
        self._write(
            rollout, trial, State.ROLLED_BACK, rollout.phase, Action.ROLL_BACK, reason, author
        )
        self._clear()

    def _clear(self) -> None:
        """Everybody goes home, then the challenger ends."""
        self._go_home()
        loading = None if self._trial is None else self._trial.loading
        self._trial = None
        self._work.end_challenger(loading)

    # Helpers of the above

    def _homes_of_cameras(self) -> dict[str, str]:
        return {c.id: self._homes[c.city] for c in self._cameras if c.city in self._homes}

    def _meet_new_cameras(self) -> None:
        """The list of cameras changes while they run."""
        self._cities |= {camera.id: camera.city for camera in self._cameras}
        homes = self._homes_of_cameras()
        if homes != self._table.homes:
            self._follow(replace(self._table, number=self._table.number + 1, homes=homes))

    def _scope(self, rollout: Rollout) -> list[str]:
        return [c.id for c in self._cameras if rollout.city is None or c.city == rollout.city]

    def _compared(self, rollout: Rollout) -> frozenset[str]:
        """The cameras that take part: none of a city with a champion of its own, if all may."""
        own = {} if rollout.city is not None else self._homes_of_cameras()
        return frozenset(camera for camera in self._scope(rollout) if camera not in own)

    def _label_evidence(self, rollout: Rollout) -> Evidence:
        cameras = self._compared(rollout)
        home = self._table.home(min(cameras)) if cameras else CHAMPION
        return self._labels.collect(rollout, home, cameras)

    def _publish(self, rollout: Rollout, policy: Policy, share: float) -> None:
        scope = self._compared(rollout)
        table = RouteTable(
            self._table.number + 1,
            self._homes_of_cameras(),
            scope,
            leaders(scope, share),
            policy.sample,
            policy.block_s,
        )
        same = (table.challenged, table.compared, table.sample)
        if same != (self._table.challenged, self._table.compared, self._table.sample):
            self._follow(table)

    def _go_home(self) -> None:
        self._follow(RouteTable(self._table.number + 1, self._homes_of_cameras()))

    def _follow(self, table: RouteTable) -> None:
        self._table = table
        self._fleet.follow(table)

    def _write(
        self,
        rollout: Rollout,
        trial: Trial,
        state: State,
        phase: Mapping[str, Any],
        action: str,
        reason: str,
        author: str,
    ) -> None:
        found = self._reading(rollout, trial)
        entry = Entry(self._clock.now(), str(action), author, reason, found)
        note_progress(self._ledger, rollout.id, trial.evidence.as_json(), found, entry.at)
        move(self._ledger, rollout, state, phase, trial.evidence.frames, entry)
        trial.note_decision(entry)
        self._tell(f"rollout {rollout.id}: {action}: {reason}")

    def _note(self, rollout: Rollout, trial: Trial, decision: Decision) -> None:
        now = self._clock.now()
        if trial.noted_at is not None and (now - trial.noted_at).total_seconds() < _NOTE_S:
            return
        trial.noted_at = now
        found = self._reading(rollout, trial)
        found["waits_for"] = list(decision.waits_for) or [decision.reason]
        found["cameras"] = {c.id: self._table.slot(c.id) for c in self._cameras}
        note_progress(self._ledger, rollout.id, trial.evidence.as_json(), found, now)

    def _reading(self, rollout: Rollout, trial: Trial) -> dict[str, Any]:
        found = reading(self._situation(rollout, trial), trial.policy, self._cities)
        return found if trial.verdict is None else {**found, "verdict": trial.verdict}

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)
