"""Something is killed at random every minute; what the cameras lose is counted.

    python -m benchmarks.chaos [--minutes 60] [--every 60] [--seed 1]

Three nodes of a Ray on this machine, a session in its actor (``up --detach``), two replicas of the
detector, six simulated cameras at 2 frames a second, a worker each. State is kept by a real
PostgreSQL, S3 server and MLflow server. Each round kills or restarts one of `FAULTS`, seeded. Then
the frame log and the counts of ``down`` are read: frames without a fate, seconds of a camera
without a detected frame, frames that were labeled twice or were lost on their way.
"""

import os
import random
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import list_events
from streetloop.ledger.reviews import count_reviews, list_labeled
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.programs.cli import Command, camera_file
from tests.support.servers import gateway, postgres
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay
from tests.support.servers.ray_nodes.frame_logs import logged_frames
from tests.support.servers.ray_nodes.shared_state import shared_state

Server = TypeVar("Server")

FAULTS = ("worker", "detector", "control plane", "node", "database", "object store")
_CAMERAS, _FPS = 6, 2.0
_AWAY_S = 5.0
_START_S = 240.0
_SETTINGS = {
    "IMAGE_SIZE": "160",
    "GATE": "false",
    "LABELER": "oracle",
    "LABEL_EVERY_S": "10",
    "LEARN_LABELS": "100000",
}


@dataclass
class Stage:
    """What runs, and may be killed.

    Attributes:
        ray: The nodes.
        database: Keeps the ledger.
        store: Keeps the objects.
    """

    ray: ForeignRay
    database: postgres.Postgres
    store: gateway.Gateway

    def __post_init__(self) -> None:
        self._others = [self.ray.add_node(), self.ray.add_node()]

    def do(self, fault: str, rng: random.Random) -> None:
        """Let one fault happen; what has to be started again by somebody is started again."""
        deeds: dict[str, Callable[[], None]] = {
            "worker": lambda: self._kill("ray::StreamWorker", rng),
            "detector": lambda: self._kill("ray::ServeReplica", rng),
            "control plane": lambda: self._kill("ray::ControlPlane", rng),
            "node": lambda: self._lose_node(rng),
            "database": self.database.restart,
            "object store": self._lose_store,
        }
        deeds[fault]()

    def _kill(self, title: str, rng: random.Random) -> None:
        running = sorted(self.ray.ids(title))
        if running:
            psutil.Process(rng.choice(running)).kill()

    def _lose_node(self, rng: random.Random) -> None:
        lost = self._others.pop(rng.randrange(len(self._others)))
        self.ray.kill_node(lost)
        self._others.append(self.ray.add_node())

    def _lose_store(self) -> None:
        self.store.kill()
        threading.Event().wait(_AWAY_S)
        self.store.start()


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """The servers and the nodes, for the ``with`` block; their addresses are settings."""
    with ExitStack() as stack:
        database = _entered(stack, postgres.start())
        objects = folder / "store"
        objects.mkdir()
        store = _entered(stack, gateway.start(objects))
        registry = MlflowServer(folder)
        registry.start()
        stack.callback(registry.stop)
        settings = shared_state(store, database, registry, "chaos")
        os.environ.update(settings | {f"STREETLOOP_{name}": value for name, value in _SETTINGS.items()})
        ray = ForeignRay()
        stack.callback(ray.close)
        yield Stage(ray, database, store)


def _entered(stack: ExitStack, server: Iterator[Server]) -> Server:
    """What a fixture yields; it goes on once the stack is closed."""
    found = next(server)
    stack.callback(lambda: next(server, None))
    return found


def main() -> None:
    """Run, count, print."""
    parser = new_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=1)
    options = parse_options(parser)
    with tempfile.TemporaryDirectory() as folder, running_stage(Path(folder)) as stage:
        play = _play(stage, Path(folder), options.minutes, options.every, options.seed)
        figures = _figures(play)
    _print(figures)
    finish(options, figures)


@dataclass(frozen=True)
class Play:
    """What happened.

    Attributes:
        faults: When each happened, and what.
        start: Since when all cameras were detected.
        stop: When the last round was over.
        counts: What ``down`` said of each camera.
        problems: What else it said.
    """

    faults: list[tuple[datetime, str]]
    start: datetime
    stop: datetime
    counts: dict[str, dict[str, int]]
    problems: list[str]


def _play(stage: Stage, folder: Path, minutes: float, every_s: float, seed: int) -> Play:
    rng, tick = random.Random(seed), threading.Event()
    faults: list[tuple[datetime, str]] = []
    cameras = [
        {"id": f"street-{k}", "uri": f"sim://kingsport/crossing?size=320x192&seed={k}", "fps": _FPS}
        for k in range(_CAMERAS)
    ]
    home, at = folder / "home", ("--address", stage.ray.address)
    begun = Command("up", camera_file(folder, *cameras), "--detach", *at, home=home).finish(_START_S)
    if begun.code:
        raise SystemExit(begun.stderr)
    _wait_for_all(_CAMERAS)
    start, end = datetime.now(UTC), time.monotonic() + 60 * minutes
    while (left := end - time.monotonic()) > every_s / 2:
        fault = rng.choice(FAULTS)
        print(f"{left / 60:.1f} min left: {fault}", flush=True)
        began = time.monotonic()
        faults.append((datetime.now(UTC), fault))
        stage.do(fault, rng)
        tick.wait(max(0.0, began + every_s - time.monotonic()))
    stop = datetime.now(UTC)
    ended = Command("down", "--json", *at, home=home).finish(_START_S)
    if not ended.stdout:
        raise SystemExit(ended.stderr)
    return Play(faults, start, stop, ended.json["cameras"], ended.json["problems"])


def _wait_for_all(cameras: int) -> None:
    end, tick = time.monotonic() + _START_S, threading.Event()
    while len({camera for camera, _ in _detected()}) < cameras:
        if time.monotonic() > end:
            raise SystemExit("not every camera was detected in time")
        tick.wait(1.0)


def _detected() -> list[tuple[str, datetime]]:
    """Camera and time of the frames that were detected, from the frame log."""
    return [(one.camera, one.at) for one in logged_frames() if one.fate == "detected"]


def _figures(play: Play) -> dict[str, Any]:
    """What was lost."""
    fates = ("detected", "gated", "dropped", "failed")
    accounts = play.counts.values()
    seconds = int((play.stop - play.start).total_seconds())
    found = _detected()
    covered = {
        (camera, int((at - play.start).total_seconds()))
        for camera, at in found
        if play.start <= at < play.stop
    }
    ledger = open_ledger(Settings().ledger)
    try:
        kinds = Counter(event.kind for event in list_events(ledger, most=10_000))
        labels = _labels(ledger)
    finally:
        ledger.close()
    return {
        "minutes": round(seconds / 60, 1),
        "faults": dict(Counter(fault for _, fault in play.faults)),
        "frames": {"decoded": sum(a["decoded"] for a in accounts)}
        | {fate: sum(a[fate] for a in accounts) for fate in fates},
        "frames without a fate": sum(a["decoded"] - sum(a[fate] for fate in fates) for a in accounts),
        "availability": round(len(covered) / (seconds * len(play.counts)), 4),
        "longest gap of a camera in s, median and worst": _gaps(play, found),
        "events": dict(kinds),
        "labels": labels,
        "problems": play.problems,
    }


def _gaps(play: Play, found: list[tuple[str, datetime]]) -> dict[str, tuple[float, float]]:
    """Of each kind of fault the longest time that a camera then was without a detected frame."""
    seen: dict[str, list[datetime]] = {name: [play.start] for name in play.counts}
    for camera, at in sorted(found, key=itemgetter(1)):
        if play.start <= at < play.stop:
            seen[camera].append(at)
    longest = [0.0] * len(play.faults)
    begins = [at for at, _ in play.faults]
    for moments in seen.values():
        for one, other in pairwise([*moments, play.stop]):
            # What a fault hits was seen up to two frames before it.
            if (of := bisect_right(begins, one + timedelta(seconds=2 / _FPS)) - 1) >= 0:
                longest[of] = max(longest[of], (other - one).total_seconds())
    by_fault = defaultdict[str, list[float]](list)
    for (_, fault), gap in zip(play.faults, longest, strict=True):
        by_fault[fault].append(gap)
    return {fault: (round(median(gaps), 1), round(max(gaps), 1)) for fault, gaps in by_fault.items()}


def _labels(ledger: Ledger) -> dict[str, int]:
    """Frames by state, and labels that are there twice or whose picture or boxes are not."""
    labeled, kept = list_labeled(ledger), set(open_store(Settings()).keys("frames/"))
    moments = {(one.camera_id, one.captured_at) for one in labeled}
    return {state.value: count for state, count in count_reviews(ledger).items() if count} | {
        "doubled": len(labeled) - len(moments),
        "lost": sum(one.image_key not in kept or one.label is None for one in labeled),
    }


def _print(figures: dict[str, Any]) -> None:
    table = Table("figure", "value", box=None)
    for name, value in figures.items():
        shown = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
        table.add_row(name, f"{shown}")
    Console().print(table)


if __name__ == "__main__":
    main()
