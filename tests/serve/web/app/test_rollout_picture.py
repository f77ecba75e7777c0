"""A rollout as a picture: stages, the gain over time, what is waited for, and who serves whom."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.web.app.rollout_picture import draw_gain, sides_of, waits_in_words
from streetloop.control.versions.rollout_course import GainPointView
from streetloop.ledger.history.rollout_gains import STEP_S, RolloutGain, keep_gain, list_gains
from streetloop.ledger.rollouts import Entry, RolloutState, list_rollouts, move, note_progress, start_rollout
from tests.support.control_service import NOW, READING, Content
from tests.support.control_service import content as content
from tests.support.control_service import empty as empty

HALF = {"all": {"mean": 0.02, "low": -0.05, "high": 0.09, "blocks": 12}}


def canary(step: int) -> dict[str, Any]:
    return Phase(kind=PhaseKind.CANARY, step=step).model_dump(mode="json")


def decide(content: Content, action: str, state: RolloutState, phase: dict[str, Any], minutes: int) -> None:
    entry = Entry(NOW - timedelta(minutes=minutes), action, "policy", "why", {"gains": HALF})
    move(content.ledger, list_rollouts(content.ledger, 1)[0], state, phase, 100, entry)


def states(content: Content, number: int | None = None) -> dict[str, str]:
    return {stage.title: stage.state for stage in content.service.rollout(number).stages}


def test_the_stages_are_those_of_its_policy(content: Content) -> None:
    assert states(content) == {
        "shadow": "now",
        "5 %": "waits",
        "25 %": "waits",
        "50 %": "waits",
        "100 %": "waits",
        "promoted": "waits",
    }
    decide(content, "advance", RolloutState.RUNNING, canary(0), 40)
    decide(content, "advance", RolloutState.RUNNING, canary(1), 30)
    assert list(states(content).values()) == ["done", "done", "now", "waits", "waits", "waits"]
    since = [stage.since for stage in content.service.rollout().stages]
    assert since[1:3] == [NOW - timedelta(minutes=40), NOW - timedelta(minutes=30)]
    assert since[3:] == [None] * 3
    assert content.service.rollouts(0, 1).items[0].stages == []


@pytest.mark.parametrize(
    ("state", "action", "found"),
    [
        ("rolled back", "roll back", ["done", "failed", "waits", "waits", "waits", "waits"]),
        ("promoting", "promote", ["done", "done", "skipped", "skipped", "skipped", "now"]),
        ("promoted", "promoted", ["done", "done", "skipped", "skipped", "skipped", "done"]),
        ("paused", "pause", ["done", "now", "waits", "waits", "waits", "waits"]),
    ],
)
def test_how_it_stands_after_its_first_step(
    content: Content, state: str, action: str, found: list[str]
) -> None:
    decide(content, "advance", RolloutState.RUNNING, canary(0), 40)
    decide(content, action, RolloutState(state), canary(0), 10)
    assert list(states(content).values()) == found


def test_its_gain_over_time_is_what_the_ledger_kept_and_what_was_decided(content: Content) -> None:
    at = NOW - timedelta(minutes=50)
    keep_gain(content.ledger, 2, at, RolloutGain(0.01, None, None, 3))
    keep_gain(content.ledger, 2, at, RolloutGain(0.03, None, None, 4))
    keep_gain(content.ledger, 2, at + timedelta(seconds=STEP_S), RolloutGain(0.02, -0.2, 0.2, 8))
    keep_gain(content.ledger, 1, at, RolloutGain(0.9, None, None, 4))
    assert [gain.mean for _, gain in list_gains(content.ledger, 2)] == [0.03, 0.02]
    decide(content, "advance", RolloutState.RUNNING, canary(0), 10)
    note_progress(content.ledger, 2, {}, READING, NOW)
    gains = content.service.rollout(2).gains
    assert [(one.mean, one.low, one.blocks) for one in gains] == [
        (0.03, None, 4),
        (0.02, -0.2, 8),
        (0.02, -0.05, 12),
        (0.04, -0.01, 40),
    ]
    chart = draw_gain(content.service.rollout(2))
    assert chart is not None
    assert [title for _, title in chart.marks] == ["shadow", "5 %"]
    assert chart.marks[0][0] == 0
    assert chart.band.startswith("0.0,0.0 "), "an end that is unbounded is at the edge"
    assert chart.dots[-1][2] == "+0.040 [-0.010, +0.090], 40 blocks"
    assert chart.dots[-1][:2][1] < chart.zero, "a gain is above the line"


def test_one_moment_is_no_course_and_a_long_one_is_thinned(content: Content) -> None:
    rollout = content.service.rollout(2)
    assert draw_gain(rollout) is None
    many = [
        GainPointView(at=NOW + timedelta(seconds=20 * n), mean=n / 9000, low=None, high=None, blocks=n)
        for n in range(4320)
    ]
    chart = draw_gain(type(rollout)(**{**dict(rollout), "gains": many}))
    assert chart is not None
    assert len(chart.line.split()) <= 240
    assert len(chart.dots) == 1
    assert "4319 blocks" in chart.dots[-1][2]
    assert chart.times[1] == many[-1].at


def test_conditions_are_said_in_plain_words() -> None:
    waits = waits_in_words(["a certain gain: +0.040 [-0.010, +0.090] so far", "3.0 more minutes"])
    assert [bool(means) for means, _ in waits] == [True, False]
    assert waits[0][1].startswith("a certain gain")


def test_cameras_are_on_the_side_that_serves_them() -> None:
    cameras = {f"c{n:03}": "challenger" if n % 2 else "champion" for n in range(100)}
    sides = sides_of({**cameras, "own": "champion-rome"})
    assert [len(names) for names, _ in sides.values()] == [40, 40]
    assert [count for _, count in sides.values()] == [50, 51]
    assert list(sides) == ["challenger", "champion"]


def test_a_moment_in_utc_is_kept_whatever_its_zone(empty: Content) -> None:
    at = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
    keep_gain(empty.ledger, 7, at, RolloutGain(0.1, 0.0, 0.2, 5))
    assert list_gains(empty.ledger, 7) == [(at.replace(second=0), RolloutGain(0.1, 0.0, 0.2, 5))]
    assert list_gains(empty.ledger, 8) == []


def test_a_policy_of_other_steps_has_other_stages(empty: Content) -> None:
    policy = Policy(steps=(0.5, 1.0)).model_dump(mode="json")
    start_rollout(empty.ledger, "2", "1", None, policy, Phase().model_dump(mode="json"), "ann", NOW)
    assert list(states(empty)) == ["shadow", "50 %", "100 %", "promoted"]
