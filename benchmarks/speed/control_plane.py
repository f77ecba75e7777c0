"""What looking after 10,000 cameras costs, and how fast a route change reaches them all.

    python -m benchmarks.control_plane [--cameras 10000] [--looks 10]

Eight actors answer for workers of eight cameras each, with reports of real size: an account, two
lines, two classes. The supervisor is the real one; nothing is decoded or detected. A look is one
call of `Supervisor.poll`, which asks every worker.
"""

import dataclasses
import statistics
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.ray_cluster import local_ray
from flows.runtime.workers.planner import Planner, WorkerPlan
from flows.runtime.workers.stream_fleet import WorkerReport
from flows.runtime.workers.supervisor import Supervisor
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from serve.rollout.route_table import RouteTable
from streetloop.cameras.camera_file import parse_camera
from streetloop.ledger.line_counts import CountKey, LineCounts
from streetloop.settings import Settings

_ACTORS = 8
_PER_WORKER = 8


class ManyWorkers:
    """Answers for the workers that were started here."""

    def __init__(self) -> None:
        self._reports: dict[str, WorkerReport] = {}

    def add(self, plan: WorkerPlan) -> None:
        """Answer for another worker."""
        now = datetime.now(UTC)
        lines = {"in": LineTotals(), "out": LineTotals()}
        statuses = {
            camera.id: CameraStatus(
                camera.id,
                CameraState.LIVE,
                account=Account(9000, 3000),
                objects_by_class={"car": 120, "truck": 9},
                first_at=now,
                last_at=now,
                lines=lines,
            )
            for camera in plan.cameras
        }
        keys = [CountKey(camera.id, 1, "in", "in", "car") for camera in plan.cameras]
        counts = LineCounts(Counter(dict.fromkeys(keys, 1)))
        self._reports[plan.name] = WorkerReport(statuses, counts=counts)

    def report(self, name: str) -> WorkerReport:
        """The report of a worker."""
        return self._reports[name]

    def follow(self, _: RouteTable) -> None:
        """A route change."""


class _Handle:
    """A `WorkerHandle` of one of many."""

    def __init__(self, host: Any, plan: WorkerPlan) -> None:
        self.host, self._name = host, plan.name
        self._added = host.add.remote(plan)

    def start(self) -> Future[Any]:
        """See `WorkerHandle.start`."""
        return self._added.future()  # type: ignore[no-any-return]

    def report(self) -> Future[Any]:
        """See `WorkerHandle.report`."""
        return self.host.report.remote(self._name).future()  # type: ignore[no-any-return]

    def follow(self, table: RouteTable) -> Future[Any]:
        """See `WorkerHandle.follow`."""
        return self.host.follow.remote(table).future()  # type: ignore[no-any-return]

    def drop(self, cameras: Collection[str]) -> Future[Any]:
        """See `WorkerHandle.drop`."""
        raise NotImplementedError

    def close(self) -> Future[Any]:
        """See `WorkerHandle.close`."""
        return self.report()

    def kill(self) -> None:
        """See `WorkerHandle.kill`."""


def measure(cameras: int, looks: int) -> dict[str, float]:
    """Start the workers, look, and change the routes."""
    with local_ray():
        import ray

        hosts = [ray.remote(ManyWorkers).options(num_cpus=0).remote() for _ in range(_ACTORS)]
        planner = Planner(Settings(cameras_per_worker=_PER_WORKER), "run", ("car", "truck"), None)
        uri = "sim://kingsport/crossing"
        plans = planner.plan([parse_camera({"id": f"c{i}", "uri": uri}) for i in range(cameras)])
        number = iter(range(len(plans)))
        fleet = Supervisor(plans, lambda plan: _Handle(hosts[next(number) % _ACTORS], plan))
        fleet.start()
        fleet.poll()
        walls, cores = [], []
        for _ in range(looks):
            began, used = time.monotonic(), time.process_time()
            found = fleet.poll()
            walls.append(time.monotonic() - began)
            cores.append(time.process_time() - used)
        assert len(found.statuses) == cameras
        routes = []
        table = RouteTable()
        for number_of_change in range(1, looks + 1):
            table = dataclasses.replace(table, number=number_of_change)
            began = time.monotonic()
            fleet.follow(table)
            routes.append(time.monotonic() - began)
    return {
        "cameras": cameras,
        "workers": len(plans),
        "look_core_s": statistics.median(cores),
        "look_s": statistics.median(walls),
        "route_change_s": statistics.median(routes),
        "route_change_max_s": max(routes),
    }


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--cameras", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=10)
    options = parse_options(parser)
    figures = {name: round(value, 3) for name, value in measure(options.cameras, options.looks).items()}
    for name, value in figures.items():
        print(f"{name:>20} {value:10.3f}")
    finish(options, figures)


if __name__ == "__main__":
    main()
