"""The whole loop with its real parts, a real Label Studio in the middle, and deaths on the way."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from streetloop.causes import Cause
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.learning import Step, list_learning
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.ledger.rollouts import list_decisions, list_rollouts
from streetloop.settings import Settings
from tests.support.learning import SOON_BETTER, SOON_PROMOTED, WeakHome
from tests.support.programs.cli import Command, processes_of
from tests.support.rollout import wait_for
from tests.support.samples.frames import NOON
from tests.support.servers.labels.annotating import Diligent
from tests.support.servers.labels.label_studio import Studio
from train.model.find_model import open_registry
from train.model_registry import CHAMPION

pytestmark = [pytest.mark.ray, pytest.mark.label_studio, pytest.mark.timeout(900)]

_LABELS = 72  # sixty are there from the start; people label the others in the middle of the run
_SETTINGS = {
    "image_size": 320,
    "drift": False,
    "labeler": "label-studio",
    "label_budget": 10_000,
    "label_every_s": 1.0,
    "triage_period_s": 0.2,
    "learn_labels": 1000,
    "learn_drift_labels": _LABELS,
    "learn_recipe": SOON_BETTER,
    "staleness_s": 10.0,
    "app_port": 0,
    "label_hook_port": 0,
}
_AMISS = {Step.PARKED, Step.REFUSED, Step.ROLLED_BACK}
_STREETS = {
    "kingsport-crossing": "sim://kingsport/crossing?traffic=busy&seed=1",
    "larkfield-gantry": "sim://larkfield/gantry?traffic=busy&seed=1",
    "millbrook-high-street": "sim://millbrook/high-street?traffic=busy&seed=1",
}


@pytest.fixture
def arguments(
    tmp_path: Path, weak_home: WeakHome, studio: Studio, title: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Of ``streetloop up``: three streets at night, and a model that is soon better."""
    monkeypatch.setenv("STREETLOOP_LABEL_STUDIO_TOKEN", studio.access.token.get_secret_value())
    cameras = [
        {"id": name, "uri": f"{uri}&fps=6&condition=night", "fps": 2} for name, uri in _STREETS.items()
    ]
    settings = {
        **_SETTINGS,
        "model": str(weak_home.model),
        "label_studio_url": studio.access.url,
        "label_project": title,
    }
    file, policy = tmp_path / "cameras.yaml", tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump({"cameras": cameras, "settings": settings}))
    policy.write_text(yaml.safe_dump(SOON_PROMOTED))
    return ["up", str(file), "--policy", str(policy)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of the command."""
    return tmp_path / "home"


@pytest.fixture
def ledger(home: Path, weak_home: WeakHome) -> Iterator[Ledger]:
    """The same as the command's: night was found, and almost enough of its frames are labeled."""
    ledger = open_ledger(weak_home.copy(home).ledger)
    for camera in _STREETS:
        open_finding(ledger, camera, NOON, NOON, weak_home.version, [Cause("night", 0.9)], True, {})
    yield ledger
    ledger.close()


@pytest.fixture
def begin(arguments: list[str], home: Path) -> Iterator[Callable[[], Command]]:
    """Starts the command; whatever a test leaves of it is killed."""
    yield lambda: Command(*arguments, home=home)
    for process in processes_of(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def test_the_loop_closes_with_people_in_it_though_driver_and_worker_are_killed(
    begin: Callable[[], Command], home: Path, ledger: Ledger, studio: Studio, title: str
) -> None:
    before = {review.digest for review in list_reviews(ledger, [ReviewState.LABELED])}
    with Diligent(studio, title, ledger) as somebody:
        first = begin()
        _wait_for_step(ledger, Step.TRAINING, first, somebody, 300)
        _kill_all(first, home)
        second = begin()
        _wait_for_step(ledger, Step.ROLLOUT, second, somebody, 400)
        _kill_worker(home)
        _wait_for_step(ledger, Step.PROMOTED, second, somebody, 300)
    second.interrupt()
    outcome = second.finish()
    assert "Traceback" not in outcome.stderr

    (run,) = list_learning(ledger)
    (rollout,) = list_rollouts(ledger)
    assert rollout.model == str(run.detail["version"]) == "2"
    assert CHAMPION in open_registry(Settings(home=home)).find("2").aliases
    assert max(Counter(somebody.answered).values()) == 1, "nothing is asked about twice"
    learned = list_reviews(ledger, [ReviewState.IN_DATASET])
    assert len(learned) >= _LABELS
    assert before < {review.digest for review in learned} <= before | set(somebody.answered)
    assert not processes_of(home), "nothing is left behind"


def _wait_for_step(
    ledger: Ledger, step: Step, command: Command, somebody: Diligent, timeout_s: float
) -> None:
    def reached() -> bool:
        assert command.process.poll() is None, "the command has ended"
        assert not somebody.trouble, somebody.trouble
        runs: list[Any] = list_learning(ledger)
        assert not runs or runs[0].step not in _AMISS, runs[0].step
        return bool(runs) and runs[0].step is step

    began = time.monotonic()
    try:
        wait_for(reached, f"learning comes to {step}", timeout_s)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{_state(ledger, command)}") from None
    print(f"{step} after {time.monotonic() - began:.0f} s")


def _state(ledger: Ledger, command: Command) -> str:
    """Where everything stands, and what the command has said so far."""
    if command.process.poll() is None:
        command.interrupt()
    said = command.finish()
    rollouts = list_rollouts(ledger)
    decisions = [d for rollout in rollouts for d in list_decisions(ledger, rollout.id)]
    parts = [*list_learning(ledger), *rollouts, *decisions, said.stdout, said.stderr]
    return "\n".join(str(part) for part in parts)


def _kill_all(command: Command, home: Path) -> None:
    """The driver, as by the kernel for want of memory; what it started ends by itself."""
    os.kill(command.process.pid, signal.SIGKILL)
    command.process.communicate()
    wait_for(lambda: not processes_of(home), "the end of the killed run's processes")


def _kill_worker(home: Path) -> None:
    (worker,) = [p for p in processes_of(home) if "StreamWorker" in " ".join(p.cmdline())]
    worker.send_signal(signal.SIGKILL)
    worker.wait(60)
