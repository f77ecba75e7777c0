"""Replicas that follow the load, and nodes that add up.

    python -m benchmarks.cluster [--seconds 20] [--json]

Load: eight cameras under a real Ray Serve go from 3 frames a second each to 15 and back. A replica
of the detector waits 10 ms an image and uses no processor, so two do twice as much on any machine:
100 and 200 frames a second. Nodes: one, two and three of a Ray on this machine, each with ten
cameras of 10 prepared frames a second and a replica of a detector that costs nothing.
"""

import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.plumbing import FreeDetector
from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.replica_scaler import FrameTotals, ReplicaScaler
from flows.stream.pipeline import StreamPipeline
from serve.detector.applications import ServeApplications
from serve.detector.client import Answer
from serve.detector.deployment import Detector, deploy
from serve.detector.scaling import ReplicaLimits
from serve.detector.serve_client import ServeDetector
from serve.rollout.route_table import CHAMPION
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.types import ArrayPicture, Image
from tests.support.servers.ray_nodes.foreign_ray import ForeignRay
from tests.support.stream_flow import faulty
from tests.support.stream_flow.live import LiveSource
from train.model.model_file import open_model

_IMAGE_S = 0.01
_PHASES = ((3.0, 30.0), (15.0, 60.0), (3.0, 120.0))  # frames a second of a camera, seconds
_CAMERAS, _NODE_CAMERAS, _NODE_FPS = 8, 10, 10.0
_SETTLED_S = 15.0
_TICK_S = 0.5
_LIMITS = ReplicaLimits(1, 2)
_PICTURE = ArrayPicture(np.random.default_rng(1).integers(0, 255, (96, 160, 3), np.uint8))


class Waits(Detector):
    """A detector that takes time, and no processor."""

    def _answer(self, images: Image) -> Answer:
        with self._busy:
            time.sleep(_IMAGE_S * len(images))
        return super()._answer(images)


class Street:
    """Cameras whose rate can be changed; a `ScaledFleet`."""

    def __init__(self, settings: Settings) -> None:
        cameras = [parse_camera({"id": f"c{i}", "uri": "file:///nowhere.mp4"}) for i in range(_CAMERAS)]
        self._sources = [LiveSource([_PICTURE], _PHASES[0][0]) for _ in cameras]
        self._pipeline = StreamPipeline(
            list(zip(cameras, self._sources, strict=True)), ServeDetector, settings, SystemClock(), []
        )
        self.expected = 1

    def start(self) -> None:
        """Start reading."""
        self._pipeline.start()

    def set_rate(self, fps: float) -> None:
        """Have every camera give so many frames a second from now on."""
        for source in self._sources:
            source.set_rate(fps)

    def totals(self) -> Mapping[str, FrameTotals]:
        """See `ScaledFleet.totals`."""
        accounts = [status.account for status in self._pipeline.snapshot().values()]
        decoded, dropped = (sum(getattr(one, fate) for one in accounts) for fate in ("decoded", "dropped"))
        return {CHAMPION: FrameTotals(decoded, dropped)}

    def expect_replicas(self, application: str, started: int) -> None:
        """See `ScaledFleet.expect_replicas`."""
        assert application == CHAMPION
        self.expected = started

    def close(self) -> None:
        """Stop."""
        self._pipeline.close()


def load() -> list[dict[str, float]]:
    """What replicas and frames do in each phase."""
    with tempfile.TemporaryDirectory() as folder, _cluster(1):
        import ray.serve

        ray.serve.start(proxy_location="Disabled")
        # Such a detector gains nothing from larger batches; the next frame comes in 67 ms.
        settings = Settings(
            home=Path(folder), image_size=160, gate=False, max_batch=4, replicas_min=1, replicas_max=2
        )
        deploy(open_model(str(faulty.good(Path(folder) / "m.onnx")), settings.models), settings, kind=Waits)
        street, applications = Street(settings), ServeApplications(settings)
        scaler = ReplicaScaler(applications, street, _LIMITS, SystemClock(), print)
        street.start()
        scaler.start()
        try:
            return [_phase(street, applications, fps, seconds) for fps, seconds in _PHASES]
        finally:
            scaler.close()
            street.close()


def _phase(street: Street, applications: ServeApplications, fps: float, seconds: float) -> dict[str, float]:
    """One rate for a while: frames, drops at its begin and later, and when replicas changed."""
    street.set_rate(fps)
    began, tick = time.monotonic(), threading.Event()
    first = settled = street.totals()[CHAMPION]
    replicas, changes, changed_s = len(applications.replicas(CHAMPION)), 0, 0.0
    while (at := time.monotonic() - began) < seconds:
        now = len(applications.replicas(CHAMPION))
        if now != replicas:
            replicas, changes, changed_s = now, changes + 1, at
        if at < _SETTLED_S:
            settled = street.totals()[CHAMPION]
        tick.wait(_TICK_S)
    last = street.totals()[CHAMPION]
    return {
        "fps": fps,
        "seconds": seconds,
        "replicas": replicas,
        "changes": changes,
        "changed_s": round(changed_s, 1),
        "frames": last.decoded - first.decoded,
        f"dropped_first_{_SETTLED_S:g}_s": settled.dropped - first.dropped,
        "dropped_later": last.dropped - settled.dropped,
    }


class NodeStreams:
    """The streams of one node, as an actor."""

    def run(self, seconds: float) -> dict[str, float]:
        """Frames that were decoded, detected and dropped, and the seconds they took."""
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(home=Path(folder), gate=False, image_size=160)
            cameras = [
                parse_camera({"id": f"c{i}", "uri": "file:///nowhere.mp4", "fps": 1000})
                for i in range(_NODE_CAMERAS)
            ]
            pipeline = StreamPipeline(
                [(camera, LiveSource([_PICTURE], _NODE_FPS)) for camera in cameras],
                ServeDetector,
                settings,
                SystemClock(),
                [],
            )
            pipeline.start()
            began = time.monotonic()
            threading.Event().wait(seconds)
            took = time.monotonic() - began
            pipeline.close()
            accounts = [status.account for status in pipeline.snapshot().values()]
        fates = ("decoded", "detected", "dropped", "failed")
        return {fate: sum(getattr(one, fate) for one in accounts) for fate in fates} | {"seconds": took}


def nodes(count: int, seconds: float) -> dict[str, float]:
    """Frames of so many nodes together."""
    with _cluster(count) as addresses:
        import ray
        import ray.serve

        ray.serve.start(proxy_location="Disabled")
        deployment = ray.serve.deployment(
            name="detector", num_replicas=count, max_replicas_per_node=1, max_ongoing_requests=64
        )(FreeDetector)
        ray.serve.run(deployment.bind(), name=CHAMPION, route_prefix=None)
        at = [{"resources": {f"node:{address}": 0.001}, "num_cpus": 0} for address in addresses]
        actors: list[Any] = [ray.remote(NodeStreams).options(**one).remote() for one in at]
        ray.get([actor.run.remote(2.0) for actor in actors])
        found = ray.get([actor.run.remote(seconds) for actor in actors])
        ray.serve.shutdown()  # type: ignore[no-untyped-call]
    totals = {name: sum(one[name] for one in found) for name in ("decoded", "detected", "dropped", "failed")}
    return {"nodes": count, "fps": round(sum(one["detected"] / one["seconds"] for one in found), 1), **totals}


@contextmanager
def _cluster(count: int) -> Iterator[list[str]]:
    """Addresses of the nodes of a Ray that this process has joined."""
    import ray

    running = ForeignRay()
    try:
        for _ in range(count - 1):
            running.add_node()
        ray.init(address=running.address, log_to_driver=False, logging_level=logging.ERROR)
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        yield [node["NodeManagerAddress"] for node in ray.nodes()]  # type: ignore[no-untyped-call]
    finally:
        ray.shutdown()
        running.close()


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each number of nodes")
    options = parse_options(parser)
    os.environ["RAY_AUTH_MODE"] = "disabled"  # before Ray is asked for anything; the nodes want no token
    figures = {"nodes": [nodes(count, options.seconds) for count in (1, 2, 3)], "load": load()}
    for rows in figures.values():
        table = Table(*rows[0], box=None)
        for row in rows:
            table.add_row(*map(str, row.values()))
        Console().print(table)
    finish(options, figures)


if __name__ == "__main__":
    main()
