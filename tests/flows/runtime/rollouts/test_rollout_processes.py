"""Rollouts of the command line: `run` killed with SIGKILL, and two people at once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from serve.rollout.route_table import CHALLENGER, leaders
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.rollouts import RolloutState, list_decisions, list_rollouts
from tests.support.programs.cli import Command, camera_file, processes_of
from tests.support.rollout import HALF, SHADOW, ask, register_tiny, wait_for
from tests.support.stream_flow import faulty
from train.model_registry import CHAMPION, Registry

CAMERAS = ("north", "east", "south", "west")
LED = leaders(CAMERAS, 0.5)
_AT_ONCE_S = 5.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of version 1, the champion, and version 2."""
    home = tmp_path_factory.mktemp("home")
    registry = Registry(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}", home / "mlflow")
    first, _ = (
        register_tiny(registry, faulty.good(home / f"{confidence}.onnx", confidence))
        for confidence in (0.9, 0.8)
    )
    registry.set_alias(CHAMPION, first)
    return home


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Of the test and the commands that it starts."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    small = {"LEDGER_URL": url, "IMAGE_SIZE": "160", "DRIFT": "0", "TRIAGE": "0", "THREADS": "1"}
    for name, value in small.items():
        monkeypatch.setenv(f"STREETLOOP_{name}", value)
    ledger = open_ledger(url)
    yield ledger
    ledger.close()


def run_until_killed(cameras: str, home: Path) -> None:
    """A run that SIGKILL ends before the first camera goes to a challenger."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.programs.dying_run", "run", cameras, "--json"],
        env={**os.environ, "STREETLOOP_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.wait(timeout=120) == -signal.SIGKILL
    finally:
        process.kill()
    wait_for(lambda: not processes_of(home), "the end of the killed run's processes")


@pytest.mark.ray
def test_a_killed_run_goes_on_in_the_same_phase_with_the_same_cameras(
    home: Path, ledger: Ledger, tmp_path: Path
) -> None:
    # Equal so far: enough to serve half of the cameras, and for no more.
    rollout = ask(ledger, SHADOW, gain=0.0)
    uri = "sim://kingsport/crossing?size=160x96&fps=3&seed="
    cameras = camera_file(
        tmp_path, *({"id": name, "uri": uri + str(seed)} for seed, name in enumerate(CAMERAS))
    )
    run_until_killed(cameras, home)

    killed = list_rollouts(ledger)[0]
    assert (killed.state, dict(killed.phase)) == (RolloutState.RUNNING, HALF.model_dump(mode="json"))
    assert CHALLENGER not in killed.summary.get("cameras", {}).values()
    assert [entry.action for entry in list_decisions(ledger, rollout.id)] == ["start", "advance"]

    command = Command("run", cameras, "--json", home=home)
    try:
        wait_for(lambda: led(ledger) == LED, "the same cameras on the challenger", 120)
        again = list_rollouts(ledger)[0]
        assert (again.state, again.phase) == (killed.state, killed.phase)
        assert again.evidence["frames"] >= killed.evidence["frames"]
        asked = Command("rollout", "rollback", home=home).finish()
        assert asked.code == 0, asked.stderr
        wait_for(lambda: list_rollouts(ledger)[0].state is RolloutState.ROLLED_BACK, "the rollback")
        back = list_decisions(ledger, rollout.id)[-1]
        assert [e.action for e in list_decisions(ledger, rollout.id)][1:] == ["advance", "roll back"]
    finally:
        command.interrupt()
        outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    assert_nothing_lost(outcome.json)
    served = versions(outcome.json["log"])
    assert {name for name, found in served.items() if len(found) == 2} == LED
    late = versions(outcome.json["log"], back.at.timestamp() + _AT_ONCE_S)
    assert {version for found in late.values() for version in found} <= {"detector-1"}


def led(ledger: Ledger) -> frozenset[str]:
    """The cameras that the challenger serves, as people are told."""
    told = list_rollouts(ledger)[0].summary.get("cameras", {})
    return frozenset(name for name, application in told.items() if application == CHALLENGER)


def assert_nothing_lost(summary: dict[str, Any]) -> None:
    for camera in summary["cameras"].values():
        assert camera["detected"] > 0
        assert camera["failed"] == 0
        fates = ("detected", "gated", "dropped", "failed")
        assert camera["decoded"] == sum(camera[fate] for fate in fates)


def versions(log: str, since: float = 0.0) -> dict[str, set[str]]:
    """Names of the models that answered since a moment, by camera."""
    rows = duckdb.sql(
        "select distinct camera_id, regexp_extract(model_version, '^(.*)-', 1) "
        f"from '{log}/**/*.parquet' where epoch(captured_at) > {since}"
    ).fetchall()
    return {camera: {v for c, v in rows if c == camera} for camera, _ in rows}


@pytest.mark.slow
def test_of_two_who_start_at_once_one_is_refused(home: Path, ledger: Ledger) -> None:
    both = [Command("rollout", "start", "2", home=home) for _ in range(2)]
    outcomes = sorted((command.finish() for command in both), key=lambda outcome: outcome.code)
    assert [outcome.code for outcome in outcomes] == [0, 1], outcomes
    assert "rollout 1 is requested" in outcomes[0].stderr
    refused = " ".join(outcomes[1].stderr.split())
    assert "rollout 1 of version 2 is open" in refused
    assert "Traceback" not in refused
    assert len(list_rollouts(ledger)) == 1
    told = json.loads(Command("rollout", "status", "--json", home=home).finish().stdout)
    assert (told["rollout"], told["state"], told["phase"]) == (1, "running", "shadow")
