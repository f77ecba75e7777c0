"""The supervisor with workers that answer when the test says."""

import dataclasses
import threading
import time

import pytest

from drift.measurement.period import DriftPeriod
from flows.runtime.workers import supervised_worker, supervisor
from flows.runtime.workers.planner import Planner, WorkerPlan
from flows.runtime.workers.stream_fleet import FleetReport, WorkerReport
from flows.runtime.workers.supervised_worker import MAX_RESTARTS
from flows.runtime.workers.supervisor import Supervisor
from flows.stream.analysis.status import CameraStatus
from flows.stream.inference.batch import DetectorProcess
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from serve.rollout.route_table import CHALLENGER, RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import ProcessDied
from streetloop.settings import Settings
from tests.support.samples.frames import review
from tests.support.supervised_fleet import DIED, FakeWorker, SupervisedFleet, answered, cam

TABLE = RouteTable(1, compared=frozenset("ab"), challenged=frozenset("a"))


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> SupervisedFleet:
    monkeypatch.setattr(supervisor, "_REPORT_S", 0.05)
    monkeypatch.setattr(supervisor, "_FOLLOW_S", 0.05)
    monkeypatch.setattr(supervised_worker, "_CLOSE_S", 0.05)
    return SupervisedFleet()


def keys(report: FleetReport) -> list[str]:
    return [review.digest for review in report.candidates]


# Workers that hang


def test_what_all_workers_found_comes_in_one_report(fleet: SupervisedFleet) -> None:
    fleet.of("a").found, fleet.of("b").found = [review(1)], [review(2)]
    report = fleet.supervisor.poll()
    assert keys(report) == [review(1).digest, review(2).digest]
    assert list(report.statuses) == ["a", "b"]
    assert keys(fleet.supervisor.poll()) == []


def test_a_worker_that_hangs_delays_one_poll_and_the_others_are_served(
    fleet: SupervisedFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.of("a").hangs = True
    began = time.monotonic()
    fleet.of("b").found = [review(1)]
    assert keys(fleet.supervisor.poll()) == [review(1).digest]
    assert time.monotonic() - began < 1.0
    monkeypatch.setattr(supervisor, "_REPORT_S", 60.0)
    fleet.of("b").found = [review(2)]
    assert keys(fleet.supervisor.poll()) == [review(2).digest], "nobody waits for it again"
    assert time.monotonic() - began < 30.0


def test_a_worker_that_hangs_is_silent_since_its_last_report(fleet: SupervisedFleet) -> None:
    fleet.supervisor.poll()
    fleet.of("a").hangs = True
    fleet.supervisor.poll()  # takes as long as a hanging worker is waited for
    hanging, answering = fleet.supervisor.poll().silent_s.values()
    assert hanging >= supervisor._REPORT_S > answering
    fleet.of("a").wake()
    woken, _ = fleet.supervisor.poll().silent_s.values()
    assert woken < hanging


def test_a_report_that_comes_late_is_taken_by_the_next_poll(fleet: SupervisedFleet) -> None:
    worker = fleet.of("a")
    worker.found, worker.frames, worker.hangs = [review(1)], 7, True
    assert keys(fleet.supervisor.poll()) == []
    worker.found = [review(2)]
    assert keys(fleet.supervisor.poll()) == []
    assert worker.asked == 1, "it is not asked again before it has answered"
    worker.wake()
    assert keys(fleet.supervisor.poll()) == [review(1).digest]
    assert keys(fleet.supervisor.poll()) == [review(2).digest]
    assert fleet.supervisor.collect_evidence() == Evidence(frames=7)


def test_workers_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_REPORT_S", 0.2)
    fleet = SupervisedFleet("abcdefghij")
    for worker in fleet.spawned:
        worker.hangs = True
    began = time.monotonic()
    fleet.supervisor.poll()
    assert time.monotonic() - began < 1.0, "one deadline for all"
    assert all(worker.asked == 1 for worker in fleet.spawned)


def test_a_worker_that_hangs_at_the_end_costs_nobody_else_a_report(fleet: SupervisedFleet) -> None:
    fleet.of("a").hangs, fleet.of("a").decoded = True, 5
    fleet.of("b").found = [review(1)]
    report = fleet.supervisor.close()
    assert keys(report) == [review(1).digest]
    assert set(report.statuses) == {"a", "b"}


def test_what_was_on_its_way_at_the_end_is_taken(fleet: SupervisedFleet) -> None:
    worker = fleet.of("a")
    worker.found, worker.hangs = [review(1)], True
    fleet.supervisor.poll()
    worker.wake()
    worker.found = [review(2)]
    assert keys(fleet.supervisor.close()) == [review(1).digest, review(2).digest]


# Evidence


def test_evidence_is_handed_out_once(fleet: SupervisedFleet) -> None:
    fleet.of("a").frames, fleet.of("b").frames = 3, 4
    fleet.supervisor.poll()
    assert fleet.supervisor.collect_evidence() == Evidence(frames=7)
    assert fleet.supervisor.collect_evidence() == Evidence()


def test_evidence_of_a_rollout_that_ended_does_not_reach_the_next(fleet: SupervisedFleet) -> None:
    fleet.supervisor.follow(TABLE)
    fleet.of("a").frames, fleet.of("b").frames, fleet.of("b").hangs = 3, 4, True
    fleet.supervisor.poll()
    fleet.supervisor.follow(RouteTable(2))
    assert fleet.supervisor.collect_evidence() == Evidence()
    fleet.of("b").wake()
    fleet.supervisor.poll()
    assert fleet.supervisor.collect_evidence() == Evidence(), "it was found before the end"
    fleet.of("b").frames = 5
    fleet.supervisor.poll()
    assert fleet.supervisor.collect_evidence() == Evidence(frames=5)


def test_a_worker_that_hangs_does_not_hold_the_routes_up(fleet: SupervisedFleet) -> None:
    fleet.of("a").hangs = True
    fleet.supervisor.follow(TABLE)
    assert fleet.of("b").followed == [TABLE]
    assert fleet.supervisor.application("a") == CHALLENGER


def test_routes_that_change_during_a_poll_reach_every_worker(fleet: SupervisedFleet) -> None:
    changing = threading.Thread(target=fleet.supervisor.follow, args=(TABLE,))
    fleet.of("a").dead = True
    changing.start()
    fleet.supervisor.poll()
    changing.join()
    newest = fleet.of("a")
    assert newest.plan.routes == TABLE or newest.followed == [TABLE]


# Workers that die


def test_a_worker_that_died_is_replaced_and_its_frames_have_failed(fleet: SupervisedFleet) -> None:
    first = fleet.of("a")
    first.decoded, first.detected = 10, 8
    fleet.supervisor.follow(TABLE)
    fleet.supervisor.poll()
    first.dead = True
    status = fleet.supervisor.poll().statuses["a"]
    assert (status.account.failed, status.account.pending) == (2, 0)
    second = fleet.of("a")
    assert second is not first
    assert first.killed, "out of reach is not dead"
    assert (second.plan.generation, second.plan.routes) == (1, TABLE)
    second.decoded, second.detected = 5, 5
    account = fleet.supervisor.poll().statuses["a"].account
    assert (account.decoded, account.detected, account.failed) == (15, 13, 2)


def test_a_worker_that_dies_too_often_is_given_up(fleet: SupervisedFleet) -> None:
    for _ in range(MAX_RESTARTS + 1):
        fleet.of("a").dead = True
        fleet.supervisor.poll()
    spawned = len(fleet.spawned)
    status = fleet.supervisor.poll().statuses["a"]
    assert (status.state, status.error) == (CameraState.FAILED, "its worker died too often")
    assert len(fleet.spawned) == spawned == 2 + MAX_RESTARTS
    assert not fleet.supervisor.finished
    fleet.of("b").finished = True
    fleet.supervisor.poll()
    assert fleet.supervisor.finished


def test_a_worker_that_dies_at_its_end_is_not_started_again(fleet: SupervisedFleet) -> None:
    fleet.of("a").decoded = 5
    fleet.supervisor.poll()
    fleet.of("a").dead = True
    report = fleet.supervisor.close()
    assert report.statuses["a"].account.failed == 5
    assert len(fleet.spawned) == 2


def test_a_worker_that_dies_at_its_start_is_an_error(fleet: SupervisedFleet) -> None:
    def spawn(plan: WorkerPlan) -> FakeWorker:
        worker = FakeWorker(plan)
        worker.dead = True
        return worker

    with pytest.raises(ProcessDied):
        Supervisor(fleet.planner.plan([cam("c")]), spawn).start()


# Restarts


def test_the_death_of_a_worker_is_reported_once_with_its_cameras(fleet: SupervisedFleet) -> None:
    fleet.of("a").dead = True
    (restart,) = fleet.supervisor.poll().restarts
    assert (restart.kind, restart.process, restart.cameras) == ("worker_restarted", "worker0", ["a"])
    assert restart.cause == str(DIED)
    assert fleet.supervisor.poll().restarts == []


def test_a_detector_of_another_process_was_started_again(fleet: SupervisedFleet) -> None:
    def restarts(*answering: DetectorProcess) -> list[str]:
        """What is reported while these answer, one for each worker."""
        for worker, one in zip(fleet.spawned, answering, strict=False):
            worker.detectors = {"champion": one}
        return [f"{one.kind} {one.process}: {one.cause}" for one in fleet.supervisor.poll().restarts]

    first, again = DetectorProcess("m-1", 7), DetectorProcess("m-1", 8)
    assert restarts(first, first) == []
    assert restarts(first, again) == [
        "detector_restarted champion: a process of m-1 died, or did not answer any more"
    ]
    assert restarts(first, again) == []
    assert restarts(again, again) == []


def test_replicas_that_were_started_on_purpose_are_no_restarts(fleet: SupervisedFleet) -> None:
    def restarts(process: int) -> int:
        fleet.of("a").detectors = {"champion": DetectorProcess("m-1", process)}
        return len(fleet.supervisor.poll().restarts)

    fleet.supervisor.expect_replicas("champion", 2)
    assert [restarts(process) for process in (7, 8, 7)] == [0, 0, 0]
    assert restarts(9) == 1


def test_frames_are_summed_by_the_application_that_answers(fleet: SupervisedFleet) -> None:
    for name in "ab":
        fleet.of(name).decoded, fleet.of(name).detected = 10, 4
    fleet.supervisor.poll()
    assert {name: totals.decoded for name, totals in fleet.supervisor.totals().items()} == {"champion": 20}
    fleet.supervisor.follow(TABLE)
    assert fleet.supervisor.totals()[CHALLENGER].decoded == 10


def test_a_promoted_model_is_no_restart(fleet: SupervisedFleet) -> None:
    fleet.of("a").detectors = {"champion": DetectorProcess("m-1", 7)}
    fleet.supervisor.poll()
    fleet.of("a").detectors = {"champion": DetectorProcess("m-2", 9)}
    assert fleet.supervisor.poll().restarts == []


# Cameras that come and go


def test_what_a_camera_found_last_is_in_the_report_after_its_end(fleet: SupervisedFleet) -> None:
    worker = fleet.of("a")
    worker.found, worker.frames = [review(1)], 3
    fleet.supervisor.drop(["a"])
    assert worker.killed
    report = fleet.supervisor.poll()
    assert keys(report) == [review(1).digest]
    assert report.statuses["a"].state is CameraState.ENDED
    assert fleet.supervisor.collect_evidence() == Evidence(frames=3)
    assert list(fleet.supervisor.hosts()) == ["b"]


def test_a_camera_that_comes_back_keeps_its_account_and_its_tracks_apart(fleet: SupervisedFleet) -> None:
    fleet.supervisor.follow(TABLE)
    fleet.of("a").decoded = fleet.of("a").detected = 5
    fleet.supervisor.drop(["a"])
    fleet.add("a")
    worker = fleet.of("a")
    assert worker.plan.generation > MAX_RESTARTS
    assert worker.plan.routes == TABLE
    worker.decoded = worker.detected = 2
    assert fleet.supervisor.poll().statuses["a"].account.detected == 7


def test_a_dropped_camera_of_a_dead_worker_ends_with_what_is_known(fleet: SupervisedFleet) -> None:
    fleet.of("a").decoded = 5
    fleet.supervisor.poll()
    fleet.of("a").dead = True
    fleet.supervisor.drop(["a"])
    status = fleet.supervisor.poll().statuses["a"]
    assert (status.state, status.account.failed) == (CameraState.ENDED, 5)


def crossed(report: FleetReport) -> dict[str, int]:
    return {key.camera_id: count for key, count in report.counts.crossings.items() if count}


def test_counts_are_handed_out_once_whatever_becomes_of_their_worker(fleet: SupervisedFleet) -> None:
    first, second = fleet.spawned
    first.crossed, second.crossed = 2, 3
    assert crossed(fleet.supervisor.poll()) == {"a": 2, "b": 3}
    assert crossed(fleet.supervisor.poll()) == {}
    first.crossed, second.crossed, first.hangs = 4, 5, True
    assert crossed(fleet.supervisor.poll()) == {"b": 5}
    first.wake()
    first.dead = True
    assert crossed(fleet.supervisor.poll()) == {"a": 4}
    fleet.supervisor.poll()
    replacement = fleet.spawned[-1]
    assert replacement is not first
    replacement.crossed = 6
    fleet.supervisor.drop(["a"])
    second.crossed = 7
    assert crossed(fleet.supervisor.close()) == {"a": 6, "b": 7}


def test_drift_periods_keep_their_order(fleet: SupervisedFleet) -> None:
    periods: list[DriftPeriod] = [object(), object()]  # type: ignore[list-item]
    worker = fleet.of("a")
    reports = [WorkerReport({}, periods=[period]) for period in periods]
    worker.report = lambda: answered(reports[0])  # type: ignore[method-assign]
    worker.close = lambda: answered(reports[1])  # type: ignore[method-assign]
    assert fleet.supervisor.poll().periods == periods[:1]
    assert fleet.supervisor.close().periods == periods[1:]


# Workers that outlived the supervisor before


def test_workers_that_run_are_taken_with_the_account_of_their_cameras() -> None:
    plans = Planner(Settings(cameras_per_worker=1), "1", ("car",), None).plan([cam("a"), cam("b")])
    before = {"a": CameraStatus("a", account=Account(100, 90))}
    plan = dataclasses.replace(plans[0], generation=5, before=before)
    running = FakeWorker(plan)
    running.decoded, running.detected = 7, 6
    spawned: list[FakeWorker] = []

    def spawn(plan: WorkerPlan) -> FakeWorker:
        spawned.append(FakeWorker(plan))
        return spawned[-1]

    supervisor = Supervisor([plans[1]], spawn, adopted=[(plan, running)])
    supervisor.start()
    assert [worker.plan.name for worker in spawned] == ["worker1"], "only what is missing is started"
    account = supervisor.poll().statuses["a"].account
    assert (account.decoded, account.detected) == (107, 96)

    supervisor.follow(TABLE)
    assert running.followed == [TABLE]
    (added,) = Planner(Settings(), "1", ("car",), None, first=2).plan([cam("c")])
    supervisor.add(added)
    assert spawned[-1].plan.name == "worker2"
    assert spawned[-1].plan.generation > 5, "track ids stay apart"

    running.dead = True
    supervisor.poll()
    assert spawned[-1].plan.before["a"].account.decoded == 107, "its successor knows what it came to"
    supervisor.kill()
    assert all(worker.killed for worker in spawned)
