"""The newest report, kept for a scrape."""

from collections.abc import Collection
from datetime import UTC, datetime

from drift.watch import NearestFeature
from flows.runtime.metrics.readings import MeteredObserver
from flows.runtime.workers.stream_fleet import DETECTOR_RESTARTED, WORKER_RESTARTED, FleetReport, Restart
from tests.support.metrics import meter, status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Notes:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.reports: list[FleetReport] = []
        self.left: list[str] = []

    def observe(self, report: FleetReport) -> None:
        self.reports.append(report)

    def leave(self, cameras: Collection[str]) -> None:
        self.left += cameras


def restart(kind: str) -> Restart:
    return Restart(kind, "worker0", NOON, "killed")


def test_reports_are_passed_on_and_the_newest_is_kept() -> None:
    notes = Notes()
    observer = MeteredObserver(notes, lambda: {"a": NearestFeature("noise", 1.0, 2.0)})
    first, second = FleetReport({}), FleetReport({"a": status("a")}, meters=[meter()])
    observer.observe(first)
    observer.observe(second)
    observer.leave(["b"])
    assert (notes.reports, notes.left) == ([first, second], ["b"])
    found = observer.read(["a"], {"flows": 1})
    assert (found.statuses, list(found.meters)) == (second.statuses, [meter()])
    assert (found.drift["a"].name, found.errors) == ("noise", {"flows": 1})


def test_a_removed_camera_is_not_shown() -> None:
    observer = MeteredObserver(Notes(), lambda: {"gone": NearestFeature("noise", 1.0, 2.0)})
    observer.observe(FleetReport({"a": status("a"), "gone": status("gone")}))
    found = observer.read(["a"], {})
    assert (found.statuses.keys(), found.drift) == ({"a"}, {})


def test_restarts_are_counted_over_all_reports() -> None:
    observer = MeteredObserver(Notes(), dict)
    assert observer.read([], {}).restarts == {"worker": 0, "detector": 0}
    for kind in (WORKER_RESTARTED, WORKER_RESTARTED, DETECTOR_RESTARTED):
        observer.observe(FleetReport({}, restarts=[restart(kind)]))
    assert observer.read([], {}).restarts == {"worker": 2, "detector": 1}
