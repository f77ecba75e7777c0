"""A stage for rollouts: streams, applications and a registry that do as they are told."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from serve.rollout.control.controller import RolloutController
from serve.rollout.policy import Phase, Policy
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import RegistryError, StreetloopError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.rollouts import (
    OVER,
    Rollout,
    RolloutState,
    list_decisions,
    list_rollouts,
    start_rollout,
)
from streetloop.storage.store import FolderStore
from streetloop.types import Detections, Image
from tests.support.samples.evidence import evidence
from tests.support.stream_flow.build import camera
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock, eventually
from train.model.contract import ModelContract
from train.model.model_file import ModelFile

QUICK = Policy(steps=(0.25, 1.0), minutes=1.0, frames=100)
GOOD = evidence()
LOOK_S = 20.0


class Fleet:
    """See `serve.rollout.control.ports.Fleet`.

    Attributes:
        tables: All that were followed.
        gives: What is found between two looks while cameras are compared.
    """

    def __init__(self, log: list[str]) -> None:
        self.tables: list[RouteTable] = [RouteTable()]
        self.gives = GOOD
        self.left = Evidence()
        self._log = log

    def follow(self, table: RouteTable) -> None:
        """See `Fleet.follow`."""
        self.tables.append(table)
        self._log.append(f"{len(table.challenged)} of {len(table.compared)} challenged")

    def collect_evidence(self) -> Evidence:
        """See `Fleet.collect_evidence`."""
        left, self.left = self.left, Evidence()
        return left + (self.gives if self.tables[-1].compared else Evidence())


class Applications:
    """See `serve.rollout.control.ports.Applications`.

    Attributes:
        runs: Model by application.
        fails: What is raised by (what is done, application), in turn.
        holds: (what is done, application) waits until this is set.
        process: Of the challenger.
        memory_mb: Of the challenger.
    """

    def __init__(self, log: list[str]) -> None:
        self.runs: dict[str, str] = {CHAMPION: "1"}
        self.fails: dict[tuple[str, str], list[Exception]] = defaultdict(list)
        self.holds: dict[tuple[str, str], threading.Event] = {}
        self.process, self.memory_mb = 100, 300.0
        self.described = 0
        self._log = log

    def _do(self, what: str, application: str, model: str = "") -> None:
        self._log.append(f"{what} {application} {model}".strip())
        if (hold := self.holds.get((what, application))) is not None:
            assert hold.wait(PATIENCE_S)
        if self.fails[what, application]:
            raise self.fails[what, application].pop(0)

    def deploy(self, application: str, model: ModelFile) -> None:
        """See `Applications.deploy`."""
        self._do("deploy", application, model.version)
        self.runs[application] = model.version

    def load(self, application: str, model: ModelFile) -> None:
        """See `Applications.load`."""
        self._do("load", application, model.version)
        self.runs[application] = model.version

    def describe(self, application: str) -> dict[str, Any]:
        """See `Applications.describe`."""
        self.described += 1
        return {"processes": [self.process], "memory_mb": self.memory_mb}

    def detect(self, application: str, image: Image) -> Detections:
        """See `Applications.detect`."""
        return Detections.empty()

    def delete(self, application: str) -> None:
        """See `Applications.delete`."""
        self._do("delete", application)
        self.runs.pop(application, None)


class Models:
    """See `serve.rollout.control.ports.Models`.

    Attributes:
        away: The registry does not answer.
        champions: Champion by application.
        holds: Finding a model waits until this is set.
    """

    def __init__(self, log: list[str]) -> None:
        self.away = False
        self.champions: dict[str, str] = {CHAMPION: "1"}
        self.holds: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        self._log = log

    def find(self, name: str) -> ModelFile:
        """See `Models.find`."""
        self.asked.append(name)
        if (hold := self.holds.get(name)) is not None:
            assert hold.wait(PATIENCE_S)
        self._require()
        return ModelFile(name, Path(f"{name}.onnx"), None, ModelContract(("car",)))

    def set_champion(self, name: str, application: str) -> None:
        """See `Models.set_champion`."""
        self._require()
        self._log.append(f"set champion {application} {name}")
        self.champions[application] = name

    def clear_champion(self, application: str) -> None:
        """See `Models.clear_champion`."""
        self._require()
        self.champions.pop(application, None)

    def _require(self) -> None:
        if self.away:
            raise RegistryError("the registry did not answer")


class Replayer:
    """Recorded traffic that a challenger answers.

    Attributes:
        asked: Version, cameras and minutes, each time.
        found: What comes of it.
        error: Raised instead; None if nothing is wrong.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str], float]] = []
        self.found = Evidence(frames=50, replayed=50, detections=(200, 190))
        self.error: StreetloopError | None = None

    def replay(self, model: ModelFile, cameras: Sequence[str], minutes: float) -> Evidence:
        """See `serve.rollout.control.ports.Replayer`."""
        self.asked.append((model.version, list(cameras), minutes))
        if self.error is not None:
            raise self.error
        return self.found


class Stage:
    """All that a rollout needs round it; survives the process that carries it out.

    Attributes:
        log: What was done, in order.
        told: What people were told.
    """

    def __init__(self, folder: Path, cities: Mapping[str, str] | None = None) -> None:
        self.log: list[str] = []
        self.told: list[str] = []
        self.clock = FakeClock()
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.ledger = open_ledger(self.url)
        self.store = FolderStore(folder / "store")
        self.models = Models(self.log)
        self.replayer = Replayer()
        cities = cities or dict.fromkeys("abcd", "Oslo")
        self.cameras = [camera(one).model_copy(update={"city": city}) for one, city in cities.items()]
        self.begin()

    def begin(
        self, ledger: Ledger | None = None, champion_applications: Mapping[str, str] | None = None
    ) -> None:
        """A process starts: what ran in the one before is gone, the champions are on record."""
        self.fleet, self.applications = Fleet(self.log), Applications(self.log)
        self.applications.runs = dict(self.models.champions)
        self.control = RolloutController(
            ledger or self.ledger,
            self.fleet,
            self.applications,
            self.models,
            self.store,
            ["car"],
            lambda: self.cameras,
            self.clock,
            self.told.append,
            champion_applications,
            self.replayer,
        )
        self.control._labels._ledger = self.ledger

    def ask(
        self, model: str = "2", city: str | None = None, policy: Policy = QUICK, champion: str = "1"
    ) -> Rollout:
        """Somebody starts a rollout."""
        return start_rollout(
            self.ledger,
            model,
            champion,
            city,
            policy.model_dump(mode="json"),
            Phase().model_dump(mode="json"),
            "ann",
            self.clock.now(),
        )

    def look(self, seconds: float = LOOK_S) -> None:
        """Time passes, and the control looks."""
        self.clock.advance(seconds)
        self.control.step()

    def until(self, is_true: Callable[[], bool], seconds: float = 0.0) -> None:
        """Look until something has come about; by default no time passes, but threads work."""

        def look() -> bool:
            self.look(seconds)
            return is_true()

        eventually(look)

    def until_served(self, count: int) -> None:
        """Look until the challenger is up, and on until it serves so many cameras."""
        self.until(lambda: bool(self.table.compared))
        self.until(lambda: len(self.table.challenged) == count, LOOK_S)

    def until_over(self) -> Rollout:
        """Look until it is over and the challenger has ended."""
        self.until(lambda: self.rollout.ended_at is not None or bool(self.table.compared))
        self.until(lambda: self.state in {*OVER, RolloutState.PROMOTING}, LOOK_S)
        self.until(lambda: self.state in OVER)
        eventually(lambda: CHALLENGER not in self.applications.runs)
        return self.rollout

    @property
    def rollout(self) -> Rollout:
        """The newest."""
        return list_rollouts(self.ledger, 1)[0]

    @property
    def state(self) -> RolloutState:
        """Of the newest."""
        return self.rollout.state

    @property
    def table(self) -> RouteTable:
        """In force."""
        return self.fleet.tables[-1]

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """(action, author) of all on the newest."""
        return [(e.action, e.author) for e in list_decisions(self.ledger, self.rollout.id)]

    @property
    def reason(self) -> str:
        """Of the last decision."""
        return list_decisions(self.ledger, self.rollout.id)[-1].reason

    def close(self) -> None:
        """Let go of what is held."""
        for hold in itertools.chain(self.applications.holds.values(), self.models.holds.values()):
            hold.set()
        self.control.close()
        self.ledger.close()
