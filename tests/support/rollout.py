"""A street of eight cameras under a real Ray Serve, on which rollouts are tried."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ray.serve

from flows.stream.pipeline import StreamPipeline
from serve.detector.applications import ServeApplications
from serve.detector.deployment import Detector, deploy
from serve.detector.serve_client import ServeDetector
from serve.rollout.control.controller import RolloutController
from serve.rollout.policy import Phase, PhaseKind, Policy
from serve.rollout.route_table import CHALLENGER, RouteTable, leaders
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger
from streetloop.ledger.rollouts import (
    Rollout,
    RolloutState,
    list_decisions,
    list_rollouts,
    note_progress,
    start_rollout,
)
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.types import ArrayPicture
from tests.support.samples.tiny_model import NAMES
from tests.support.stream_flow.build import camera
from tests.support.stream_flow.live import LiveSource, Stamps
from train.model.model_file import ModelFile, open_model
from train.model_registry import Registry, VersionRecord

POLICY = Policy(minutes=0.02, frames=40, sample=0.5, steps=(0.5, 1.0), latency=5.0, harmful_errors=0.1)
"""Of a rollout that takes seconds."""

HALF = Phase(kind=PhaseKind.CANARY, step=0)
ALL = Phase(kind=PhaseKind.CANARY, step=1)
SHADOW = Phase()
CAMERAS = tuple(f"camera-{number}" for number in range(8))
LED = leaders(CAMERAS, 0.5)
"""The cameras that a challenger serves at a half."""

FPS = 10.0
WINDOW_S = 0.5
"""Of the newest results, which say who serves."""
_PICTURES = 20
_TICK_S = 0.02


def wait_for(is_true: Callable[[], Any], what: str, timeout_s: float = 60.0, tick_s: float = _TICK_S) -> Any:
    """Wait for what other processes bring about, looking every ``tick_s``; what it gave."""
    end = time.monotonic() + timeout_s
    never = threading.Event()
    while time.monotonic() < end:
        if found := is_true():
            return found
        never.wait(tick_s)
    raise AssertionError(f"not within {timeout_s:g} s: {what}")


class Street:
    """Eight live cameras, detected by the champion's application; they never stop.

    It is a `serve.rollout.control.ports.Fleet`.

    Args:
        home: Folder of all data.
        champion: Path of the model that serves.
        kind: Of the champion's application.
        fps: Of each camera.
        staleness_s: As in the settings; long, since a machine that is shared stands still at times.
        replicas: Of each application, at least.
        most_replicas: Of each application.
    """

    def __init__(
        self,
        home: Path,
        champion: Path,
        kind: type[Detector],
        fps: float = FPS,
        staleness_s: float = 60.0,
        replicas: int = 1,
        most_replicas: int = 1,
    ) -> None:
        self.settings = Settings(
            home=home,
            image_size=160,
            gate=False,
            drift=False,
            triage=False,
            threads=1,
            staleness_s=staleness_s,
            replicas_min=replicas,
            replicas_max=most_replicas,
        )
        self.champion = open_model(str(champion), self.settings.models)
        deploy(self.champion, self.settings, kind=kind)
        self.stamps = Stamps(CAMERAS)
        self.cameras = [camera(name) for name in CAMERAS]
        view = View(parse_address("sim://kingsport/crossing?size=160x96&fps=10"))
        pictures = [ArrayPicture(view.render(frame)) for frame in range(_PICTURES)]
        self._pipeline = StreamPipeline(
            [(c, LiveSource(pictures, fps)) for c in self.cameras],
            ServeDetector,
            self.settings,
            SystemClock(),
            [self.stamps],
            names=NAMES,
        )
        self._pipeline.start()
        self.gap_at_rest(1.0)  # the first batches are the slowest

    def follow(self, table: RouteTable) -> None:
        """See `Fleet.follow`."""
        self._pipeline.follow(table)

    def collect_evidence(self) -> Evidence:
        """See `Fleet.collect_evidence`."""
        return self._pipeline.evidence()

    def wait_past(self, moment: float) -> None:
        """Wait until every camera has a result of after a moment, in seconds of the wall clock."""
        wait_for(
            lambda: all(self.stamps.between(moment).values()),
            "a result of every camera",
            30.0 + max(0.0, moment - time.time()),
        )

    def gap_at_rest(self, seconds: float = 3.0) -> float:
        """The longest gap between two results of a camera while nothing happens."""
        began = time.time()
        self.wait_past(began + seconds)
        return self.stamps.longest_gap(began, began + seconds)

    def counts(self) -> dict[str, dict[str, int]]:
        """The account of each camera so far."""
        fates = ("decoded", "detected", "gated", "dropped", "failed", "pending")
        return {
            name: {fate: getattr(status.account, fate) for fate in fates}
            for name, status in self._pipeline.snapshot().items()
        }

    def close(self) -> None:
        """Stop."""
        self._pipeline.close()


class ModelFiles:
    """`serve.rollout.control.ports.Models` of files, by name; records who was made the champion."""

    def __init__(self, settings: Settings, files: Mapping[str, Path]) -> None:
        self._settings, self._files = settings, files
        self.champions: list[tuple[str, str]] = []

    def find(self, name: str) -> ModelFile:
        """See `Models.find`."""
        return open_model(str(self._files[name]), self._settings.models)

    def set_champion(self, name: str, application: str) -> None:
        """See `Models.set_champion`."""
        self.champions.append((name, application))


class FaultyApplications(ServeApplications):
    """Serve's applications, with a challenger of another kind."""

    def __init__(self, settings: Settings, kind: type[Detector]) -> None:
        super().__init__(settings)
        self._kind = kind

    def deploy(self, application: str, model: ModelFile) -> None:
        """See `ServeApplications.deploy`."""
        deploy(model, self._settings, application, self._kind)


class Case:
    """One rollout on a street.

    Args:
        street: Where.
        ledger: Its own.
        models: Finds version ``1``, the champion, and ``2``.
        kind: Of the challenger's application.
    """

    def __init__(self, street: Street, ledger: Ledger, models: Any, kind: type[Detector] = Detector) -> None:
        self.street, self.ledger, self.models = street, ledger, models
        self.said: list[str] = []
        self.applications = FaultyApplications(street.settings, kind)
        self.control = RolloutController(
            ledger,
            street,
            self.applications,
            models,
            FolderStore(street.settings.store),
            NAMES,
            lambda: street.cameras,
            SystemClock(),
            self.said.append,
        )

    def begin(self, phase: Phase, policy: Policy = POLICY, gain: float | None = None) -> "Case":
        """Start a rollout in a phase, with what was found so far, and look after it."""
        ask(self.ledger, phase, policy, gain)
        self.control.start()
        return self

    @property
    def rollout(self) -> Rollout:
        """As the ledger has it now."""
        return list_rollouts(self.ledger, 1)[0]

    def wait_until(self, state: RolloutState, timeout_s: float = 60.0) -> Rollout:
        """Wait until the rollout is in a state."""
        wait_for(lambda: self.rollout.state is state, f"{state}; it said {self.said}", timeout_s)
        return self.rollout

    def wait_until_serves(self, cameras: frozenset[str]) -> None:
        """Wait until these cameras, and no others, have their results from the challenger."""

        def is_so() -> bool:
            champion = self.street.champion.version
            newest = self.street.stamps.between(time.time() - WINDOW_S)
            return all(
                found and all((v != champion) == (name in cameras) for _, v in found)
                for name, found in newest.items()
            )

        wait_for(is_so, f"the challenger serves {sorted(cameras)}; it said {self.said}")

    def at(self, action: str) -> float:
        """When the ledger had a decision, in seconds of the wall clock."""
        entries = list_decisions(self.ledger, self.rollout.id)
        return next(e.at.timestamp() for e in entries if e.action == action)

    def close(self) -> None:
        """Wait until the challenger is gone, and stop looking."""
        if self.rollout.ended_at is not None:
            wait_for(lambda: CHALLENGER not in ray.serve.status().applications, "the challenger's end")
        self.control.close()


def ask(ledger: Ledger, phase: Phase, policy: Policy = POLICY, gain: float | None = None) -> Rollout:
    """Ask for a rollout of version 2, which is in a phase and has found something so far."""
    now = SystemClock().now()
    plain = policy.model_dump(mode="json"), phase.model_dump(mode="json")
    rollout = start_rollout(ledger, "2", "1", None, *plain, "tester", now)
    if gain is not None:
        note_progress(ledger, rollout.id, found_so_far(gain).as_json(), {}, now)
    return rollout


def found_so_far(gain: float) -> Evidence:
    """What a rollout has found that has run for hours: a mean gain on 60 blocks."""
    blocks = Moments.of(*[gain - 0.01, gain + 0.01] * 30)
    return Evidence(frames=5000, challenger=Calls(200), champion=Calls(800), gains={EVERYTHING: blocks})


def register_tiny(registry: Registry, file: Path) -> int:
    """Make a version of the registry out of a file; its number."""
    run = registry.start(file.stem, {})
    number = registry.register(run, file, VersionRecord("", None, NAMES, "")).number
    registry.finish(run)
    return number
