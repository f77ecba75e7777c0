"""A supervisor whose workers answer when the test says."""

from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future
from typing import Any

from flows.runtime.workers.planner import Planner, WorkerPlan
from flows.runtime.workers.stream_fleet import WorkerReport
from flows.runtime.workers.supervisor import Supervisor
from flows.stream.analysis.status import CameraStatus
from flows.stream.inference.batch import DetectorProcess
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.errors import ProcessDied
from streetloop.ledger.line_counts import CountKey, LineCounts
from streetloop.ledger.reviews import FrameRecord
from streetloop.settings import Settings

DIED = ProcessDied("the process died")


def cam(name: str) -> Camera:
    return parse_camera({"id": name, "uri": f"rtsp://10.0.0.1/{name}"})


def answered(value: Any) -> "Future[Any]":
    answer: Future[Any] = Future()
    answer.set_result(value)
    return answer


def failed(error: Exception) -> "Future[Any]":
    answer: Future[Any] = Future()
    answer.set_exception(error)
    return answer


class FakeWorker:
    """A worker that answers at once until it hangs or dies.

    Attributes:
        found: Reviews and frames of evidence that the next answered report hands out.
        late: Answers that were asked for while it hung.
    """

    def __init__(self, plan: WorkerPlan) -> None:
        self.plan, self.host = plan, object()
        self.found: list[FrameRecord] = []
        self.frames = self.crossed = 0
        self.decoded = self.detected = 0
        self.hangs = self.dead = self.finished = False
        self.late: list[tuple[Future[Any], WorkerReport]] = []
        self.followed: list[RouteTable] = []
        self.detectors: dict[str, DetectorProcess] = {}
        self.asked = 0
        self.killed = False

    def hand_out(self, cameras: Collection[str] | None = None) -> WorkerReport:
        """What it found, once."""
        found, frames = self.found, self.frames
        self.found, self.frames = [], 0
        key = CountKey(self.plan.cameras[0].id, 1, "gate", "in", "car")
        counts, self.crossed = LineCounts(Counter({key: self.crossed})), 0
        account = Account(self.decoded, self.detected)
        names = [c.id for c in self.plan.cameras] if cameras is None else cameras
        statuses = {name: CameraStatus(name, CameraState.LIVE, account=account) for name in names}
        evidence = Evidence(frames=frames)
        return WorkerReport(statuses, self.finished, (), found, evidence, counts, self.detectors)

    def wake(self) -> None:
        """Answer what was asked meanwhile."""
        self.hangs = False
        for answer, report in self.late:
            answer.set_result(report)
        self.late = []

    def start(self) -> "Future[None]":
        return failed(DIED) if self.dead else answered(None)

    def report(self) -> "Future[WorkerReport]":
        self.asked += 1
        if self.dead:
            return failed(DIED)
        report = self.hand_out()
        if not self.hangs:
            return answered(report)
        answer: Future[Any] = Future()
        self.late.append((answer, report))
        return answer

    def follow(self, table: RouteTable) -> "Future[None]":
        self.followed.append(table)
        if self.dead:
            return failed(DIED)
        return Future() if self.hangs else answered(None)

    def drop(self, cameras: Collection[str]) -> "Future[WorkerReport]":
        return failed(DIED) if self.dead else answered(self.hand_out(cameras))

    def close(self) -> "Future[WorkerReport]":
        if self.dead:
            return failed(DIED)
        return Future() if self.hangs else answered(self.hand_out())

    def kill(self) -> None:
        self.killed = True


class SupervisedFleet:
    """A supervisor of one worker a camera."""

    def __init__(self, cameras: str = "ab") -> None:
        self.planner = Planner(Settings(cameras_per_worker=1), "1", ("car",), None)
        self.spawned: list[FakeWorker] = []
        self.supervisor = Supervisor(self.planner.plan([cam(name) for name in cameras]), self._spawn)
        self.supervisor.start()

    def _spawn(self, plan: WorkerPlan) -> FakeWorker:
        self.spawned.append(FakeWorker(plan))
        return self.spawned[-1]

    def of(self, camera_id: str) -> FakeWorker:
        """The newest worker of a camera."""
        return next(w for w in reversed(self.spawned) if camera_id in [c.id for c in w.plan.cameras])

    def add(self, name: str) -> None:
        (plan,) = self.planner.plan([cam(name)])
        self.supervisor.add(plan)
