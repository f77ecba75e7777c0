"""A session in an actor: it outlives its command, and its own process."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from streetloop.ledger import open_ledger
from streetloop.ledger.events import list_events
from streetloop.settings import read_settings
from tests.support.programs.cli import Command, Outcome, camera_file
from tests.support.rollout import wait_for
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay

pytestmark = pytest.mark.ray

_STREETS: list[dict[str, Any]] = [
    {"id": name, "uri": f"sim://kingsport/crossing?size=320x192&seed={seed}", "fps": 4}
    for seed, name in enumerate(("north", "south"))
]
_BACK_S = 60.0  # 10 s where nothing else runs; a machine that tests share is slower


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignRay]:
    ray = ForeignRay()
    yield ray
    ray.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREETLOOP_CAMERAS_PER_WORKER", "1")
    monkeypatch.setenv("STREETLOOP_LOG_FLUSH_S", "1")
    monkeypatch.setenv("STREETLOOP_APP_PORT", "0")
    monkeypatch.setenv("HOME", str(tmp_path))  # of somebody who never made a token of Ray
    return tmp_path / "home"


def command(home: Path, foreign: ForeignRay, *words: str) -> Outcome:
    return Command(*words, "--address", foreign.address, home=home).finish()


def workers(foreign: ForeignRay) -> set[int]:
    return foreign.ids("ray::StreamWorker")


def control_plane(foreign: ForeignRay) -> int:
    (found,) = foreign.ids("ray::ControlPlane")
    return found


def frames_of(home: Path) -> list[dict[str, Any]]:
    """Every row of the frame log that is written so far."""
    files = sorted(home.glob("store/frames/**/*.parquet"))
    return [row for path in files for row in pq.read_table(path).to_pylist()]


def test_a_control_plane_that_is_killed_comes_back_and_no_frame_is_lost(
    foreign: ForeignRay, home: Path, tmp_path: Path
) -> None:
    path = camera_file(tmp_path, *_STREETS)
    begun = command(home, foreign, "up", path, "--detach")
    assert begun.code == 0, begun.stderr
    wait_for(lambda: len(workers(foreign)) == 2, "two workers run")
    before = workers(foreign)
    _another_is_refused(foreign, home, tmp_path)

    wait_for(lambda: len(frames_of(home)) > 20, "frames are logged")
    control = control_plane(foreign)
    os.kill(control, signal.SIGKILL)
    killed_at = len(frames_of(home))
    wait_for(lambda: _restarts(home) == 1, "the control plane is back", _BACK_S)
    assert workers(foreign) == before, "the workers ran on"
    assert control_plane(foreign) != control
    wait_for(lambda: len(frames_of(home)) > killed_at + 20, "frames go on")

    watching = Command("attach", "--address", foreign.address, home=home)
    assert watching.process.stderr is not None
    assert watching.process.stderr.readline(), "it says what was said before"
    watching.interrupt()
    assert watching.finish().code == 0, "whoever watches may leave"

    ended = command(home, foreign, "down", "--json")
    assert ended.code == 0, ended.stderr
    rows = frames_of(home)
    for name, camera in ended.json["cameras"].items():
        numbers = sorted(row["frame_id"] for row in rows if row["camera_id"] == name)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is lost or doubled"
        assert camera["decoded"] == len(numbers) == camera["detected"] + camera["gated"] + camera["dropped"]
    wait_for(lambda: not foreign.busy(), "nothing is left")


def _another_is_refused(foreign: ForeignRay, home: Path, tmp_path: Path) -> None:
    path = camera_file(tmp_path, *_STREETS)
    second = command(tmp_path / "other", foreign, "up", path, "--detach")
    assert second.code == 2
    assert "a detached streetloop runs on this Ray" in second.stderr
    elsewhere = Command("run", path, "--duration", "1", home=home).finish()
    assert elsewhere.code == 2
    assert f"STREETLOOP_HOME: {home} is in use by process" in elsewhere.stderr


def _restarts(home: Path) -> int:
    ledger = open_ledger(read_settings(home=home).ledger)
    try:
        return sum(event.kind == "control_restarted" for event in list_events(ledger))
    finally:
        ledger.close()


def test_without_a_ray_that_goes_on_it_is_refused(home: Path, tmp_path: Path) -> None:
    done = Command("up", camera_file(tmp_path, *_STREETS), "--detach", home=home).finish()
    assert done.code == 2
    assert "start one by `ray start --head" in done.stderr


@pytest.mark.parametrize("word", ["attach", "down"])
def test_where_nothing_is_detached_it_is_said(foreign: ForeignRay, home: Path, word: str) -> None:
    done = command(home, foreign, word)
    assert done.code == 1
    assert "no detached streetloop runs on this Ray" in done.stderr


def test_input_that_is_wrong_leaves_nothing(foreign: ForeignRay, home: Path, tmp_path: Path) -> None:
    path = camera_file(tmp_path, *_STREETS)
    done = command(home, foreign, "up", path, "--detach", "--model", "nowhere.onnx")
    assert done.code == 2, done.stderr
    assert not [title for title in foreign.busy() if "ControlPlane" in title]
