import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier

import pytest

from streetloop.errors import LedgerError, RolloutError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import list_events
from streetloop.ledger.rollouts import (
    Entry,
    Rollout,
    RolloutCommand,
    RolloutState,
    list_decisions,
    list_rollouts,
    move,
    note_progress,
    open_rollout,
    request_command,
    start_rollout,
)
from tests.support.samples.older_ledger import older_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHADOW, FIRST = {"kind": "shadow", "step": 0}, {"kind": "canary", "step": 0}


def _after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def _started(ledger: Ledger, model: str = "2", author: str = "ann") -> Rollout:
    return start_rollout(ledger, model, "1", "Oslo", {"alpha": 0.01}, SHADOW, author, NOON)


def _entry(action: str = "advance", minutes: float = 10) -> Entry:
    return Entry(_after(minutes), action, "policy", "because", {"frames": 7})


def test_a_rollout_is_read_as_it_was_asked_for(ledger: Ledger) -> None:
    started = _started(ledger)
    assert started == Rollout(
        1,
        RolloutState.RUNNING,
        "2",
        "1",
        "Oslo",
        {"alpha": 0.01},
        SHADOW,
        None,
        {},
        "ann",
        NOON,
        NOON,
        0,
        NOON,
        None,
        None,
        None,
    )
    assert open_rollout(ledger) == started
    assert list_rollouts(ledger) == [started]
    (entry,) = list_decisions(ledger, started.id)
    assert entry == Entry(NOON, "start", "ann", "version 2 is tried", {})


def test_a_second_one_is_refused_and_told_whose_the_first_is(ledger: Ledger) -> None:
    _started(ledger)
    with pytest.raises(RolloutError, match="rollout 1 of version 2 is open, started by ann"):
        _started(ledger, "3", "bob")
    assert [rollout.model for rollout in list_rollouts(ledger)] == ["2"]


@pytest.mark.parametrize("state", [RolloutState.PROMOTED, RolloutState.ROLLED_BACK])
def test_after_one_is_over_there_may_be_another(ledger: Ledger, state: RolloutState) -> None:
    first = _started(ledger)
    move(ledger, first, state, SHADOW, 9, _entry())
    assert open_rollout(ledger) is None
    second = _started(ledger, "3")
    assert [rollout.id for rollout in list_rollouts(ledger)] == [second.id, first.id]
    assert list_rollouts(ledger, 1) == [second]
    assert list_rollouts(ledger)[1].ended_at == _after(10)


@pytest.mark.parametrize("state", [RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.PROMOTING])
def test_one_that_is_not_over_stays_open(ledger: Ledger, state: RolloutState) -> None:
    move(ledger, _started(ledger), state, SHADOW, 9, _entry())
    found = open_rollout(ledger)
    assert found is not None
    assert (found.state, found.ended_at) == (state, None)


def test_a_new_phase_begins_when_it_begins_and_the_same_one_goes_on(ledger: Ledger) -> None:
    started = _started(ledger)
    move(ledger, started, RolloutState.PAUSED, SHADOW, 50, _entry("pause", 5))
    paused = open_rollout(ledger)
    assert paused is not None
    assert (paused.phase_at, paused.phase_frames) == (NOON, 0)
    move(ledger, paused, RolloutState.RUNNING, FIRST, 90, _entry("advance", 10))
    moved = open_rollout(ledger)
    assert moved is not None
    assert (moved.phase, moved.phase_at, moved.phase_frames) == (FIRST, _after(10), 90)
    assert [entry.action for entry in list_decisions(ledger, 1)] == ["start", "pause", "advance"]


def test_progress_is_kept_without_being_a_decision(ledger: Ledger) -> None:
    started = _started(ledger)
    note_progress(ledger, started.id, {"frames": 12}, {"frames": 12, "x": None}, _after(3))
    found = open_rollout(ledger)
    assert found is not None
    assert (found.evidence, found.summary) == ({"frames": 12}, {"frames": 12, "x": None})
    assert found.updated_at == _after(3)
    assert len(list_decisions(ledger, started.id)) == 1


def test_decisions_are_those_of_their_rollout_the_oldest_first(ledger: Ledger) -> None:
    first = _started(ledger)
    move(ledger, first, RolloutState.ROLLED_BACK, SHADOW, 0, _entry("roll back", 1))
    _started(ledger, "3")
    assert [e.action for e in list_decisions(ledger, first.id)] == ["start", "roll back"]
    assert [e.action for e in list_decisions(ledger, first.id + 1)] == ["start"]
    assert list_decisions(ledger, 99) == []


def test_a_reason_of_any_length_is_kept_as_far_as_there_is_room(ledger: Ledger) -> None:
    entry = Entry(NOON, "roll back", "policy", "x" * 5000, {})
    move(ledger, _started(ledger), RolloutState.ROLLED_BACK, SHADOW, 0, entry)
    assert list_decisions(ledger, 1)[-1].reason == "x" * 1000


def test_a_decision_is_written_whole_or_not_at_all(ledger: Ledger) -> None:
    started = _started(ledger)
    naive = Entry(NOON.replace(tzinfo=None), "advance", "policy", "", {})
    with pytest.raises(LedgerError, match="time zone"):
        move(ledger, started, RolloutState.PROMOTED, FIRST, 0, naive)
    assert open_rollout(ledger) == started
    assert len(list_decisions(ledger, 1)) == 1


# Commands


def test_a_command_is_pending_until_it_is_applied(ledger: Ledger) -> None:
    _started(ledger)
    asked = request_command(ledger, RolloutCommand.PAUSE, "bob")
    assert (asked.command, asked.command_by) == (RolloutCommand.PAUSE, "bob")
    assert open_rollout(ledger) == asked
    move(ledger, asked, RolloutState.PAUSED, SHADOW, 0, _entry("pause"))
    applied = open_rollout(ledger)
    assert applied is not None
    assert (applied.command, applied.command_by) == (None, None)


def test_a_command_that_comes_while_something_else_is_decided_is_not_lost(ledger: Ledger) -> None:
    # As a look has read it, before somebody asked for a rollback.
    read = _started(ledger)
    request_command(ledger, RolloutCommand.ROLL_BACK, "bob")
    move(ledger, read, RolloutState.RUNNING, FIRST, 0, _entry("advance"))
    found = open_rollout(ledger)
    assert found is not None
    assert (found.phase, found.command, found.command_by) == (FIRST, RolloutCommand.ROLL_BACK, "bob")


def test_the_last_command_counts_but_none_replaces_a_rollback(ledger: Ledger) -> None:
    _started(ledger)
    request_command(ledger, RolloutCommand.PAUSE, "ann")
    request_command(ledger, RolloutCommand.PROMOTE, "ann")
    request_command(ledger, RolloutCommand.ROLL_BACK, "bob")
    assert request_command(ledger, RolloutCommand.ROLL_BACK, "carl").command is RolloutCommand.ROLL_BACK
    with pytest.raises(RolloutError, match="is being rolled back, as carl asked"):
        request_command(ledger, RolloutCommand.PROMOTE, "ann")
    found = open_rollout(ledger)
    assert found is not None
    assert found.command is RolloutCommand.ROLL_BACK


@pytest.mark.parametrize("wanted", list(RolloutCommand))
def test_of_no_rollout_nothing_can_be_wanted(ledger: Ledger, wanted: RolloutCommand) -> None:
    with pytest.raises(RolloutError, match="no rollout is open"):
        request_command(ledger, wanted, "ann")
    move(ledger, _started(ledger), RolloutState.ROLLED_BACK, SHADOW, 0, _entry())
    with pytest.raises(RolloutError, match="no rollout is open"):
        request_command(ledger, wanted, "ann")


# Several at once


def _try_to_start(url: str, author: str, together: Barrier, outcomes: object) -> None:
    ledger = open_ledger(url)
    together.wait(60)
    try:
        _started(ledger, author=author)
        outcomes.put("started")  # type: ignore[attr-defined]
    except RolloutError:
        outcomes.put("refused")  # type: ignore[attr-defined]
    ledger.close()


def test_of_four_that_start_at_once_one_gets_it(ledger_url: str) -> None:
    spawned = multiprocessing.get_context("forkserver")
    spawned.set_forkserver_preload(["streetloop.ledger.rollouts"])
    open_ledger(ledger_url).close()
    together, outcomes = spawned.Barrier(4), spawned.SimpleQueue()
    people = [
        spawned.Process(target=_try_to_start, args=(ledger_url, name, together, outcomes))
        for name in ("ann", "bob", "carl", "dora")
    ]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    assert sorted(outcomes.get() for _ in people) == ["refused"] * 3 + ["started"]
    assert len(list_rollouts(open_ledger(ledger_url))) == 1


def test_the_database_itself_keeps_two_from_being_open(ledger: Ledger) -> None:
    _started(ledger)
    columns = "is_open, state, model, champion, policy, phase, reading, author"
    columns += ", started_at, phase_at, phase_frames, updated_at"
    again = f"insert into rollouts ({columns}) select {columns} from rollouts"
    with pytest.raises(LedgerError, match="is_open"), ledger.transaction() as connection:
        connection.exec_driver_sql(again)
    assert len(list_rollouts(ledger)) == 1


def test_a_ledger_from_before_rollouts_is_brought_up_to_date_with_what_is_in_it(empty_url: str) -> None:
    engine = older_ledger(empty_url, "v2")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into events (kind, started_at, detail) values ('drift', '2026-03-01', '{}')"
        )
    engine.dispose()
    ledger = open_ledger(empty_url)
    assert [event.kind for event in list_events(ledger)] == ["drift"]
    assert list_rollouts(ledger) == []
    assert _started(ledger).id == 1
    ledger.close()
