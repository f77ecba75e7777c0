"""The report: grounded over generated ledgers, with none and with ten thousand incidents."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from flows.reports.incidents.facts import read_facts
from flows.reports.incidents.html import report_html
from flows.reports.incidents.pedestrians import read_pedestrians
from flows.reports.incidents.templates import write_sentences
from streetloop.control.report_views import LearningFacts, Sentence
from streetloop.ledger import Ledger
from streetloop.ledger.events import MEASURED, begin_event, end_event
from streetloop.ledger.learning import Step, begin_learning, go_on
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.rollouts import Entry, RolloutState, move, start_rollout
from streetloop.ledger.service.request_counts import RequestCount, add_requests
from streetloop.storage.store import FolderStore, put_image
from tests.support.control_service import jpeg
from tests.support.incidents import INJECTION, NOW, happen, new_ledger, row, write

DAY = timedelta(days=1)
SEEDS = 200
PAGE_S = 20.0
_NUMBER = re.compile(r"\d+(?:[.:-]\d+)*")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


def ungrounded(sentence: Sentence) -> set[str]:
    """Numbers of a sentence that are in none of its facts."""
    known = {number for fact in sentence.facts.values() for number in _NUMBER.findall(fact)}
    return set(_NUMBER.findall(sentence.sentence)) - known


def test_an_empty_ledger_has_a_report_and_a_page(ledger: Ledger, tmp_path: Path) -> None:
    report = read_facts(ledger, NOW - DAY, NOW)
    assert (report.incidents, report.faults, report.drift) == ([], {}, [])
    (only,) = write_sentences(report, UTC)
    assert only.sentence.startswith("Nothing happened between ")
    page = report_html(report.model_copy(update={"text": [only]}), ledger, FolderStore(tmp_path))
    assert "nothing happened" in page


def test_no_number_of_the_text_is_not_in_the_facts_over_two_hundred_ledgers(tmp_path: Path) -> None:
    sentences = 0
    ledger = new_ledger(tmp_path)
    for seed in range(SEEDS):
        happen(ledger, seed)
        since = NOW - timedelta(hours=1 + seed % 24)
        for sentence in write_sentences(read_facts(ledger, since, NOW), UTC):
            assert not ungrounded(sentence), sentence
            sentences += 1
    ledger.close()
    assert sentences > 5 * SEEDS


def test_a_camera_that_was_lost_has_its_minutes_and_availability(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", NOW - timedelta(minutes=144), 144, "a"), row("drift", NOW, None, "b")])
    report = read_facts(ledger, NOW - DAY, NOW)
    (camera,) = report.cameras
    assert (camera.camera_id, camera.lost_minutes, camera.availability) == ("a", 144.0, 0.9)
    assert report.faults == {"camera_lost": 1, "drift": 1}
    said = [one.sentence for one in write_sentences(report, UTC)]
    assert "Camera a was lost for 144 minutes; it was available for 90.00 % of the time." in said


def test_cameras_that_are_asked_for_are_all_that_it_is_about(ledger: Ledger) -> None:
    write(ledger, [row("camera_lost", NOW - timedelta(hours=1), 5, name) for name in "ab"])
    report = read_facts(ledger, NOW - DAY, NOW, {"a"})
    assert [one.cameras for one in report.incidents] == [["a"]]
    assert [one.camera_id for one in report.cameras] == ["a"]


def test_names_are_escaped_in_the_page_and_evidence_is_in_it(ledger: Ledger, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    _, key = put_image(store, jpeg())
    evidence = [key, "clips/gone.mp4", "frames/gone.jpg"]
    lost = row("camera_lost", NOW - timedelta(hours=1), 5, INJECTION, cause="<script>x</script>")
    write(ledger, [{**lost, "evidence": evidence}])
    report = read_facts(ledger, NOW - DAY, NOW)
    page = report_html(report.model_copy(update={"text": write_sentences(report, UTC)}), ledger, store)
    assert "<script>" not in page
    assert page.count("data:image/jpeg;base64,") == 1


def test_recall_of_pedestrians_is_by_city_and_of_the_newest_measurement(ledger: Ledger) -> None:
    for camera, kept, added in (("a", 1, 9), ("a", 8, 2), ("b", 4, 1), ("c", 5, 0)):
        figures = {"kept": kept, "moved": 0, "added": added, "reclassed": 0, "removed": 3}
        detail = {"frames": 3, "classes": {"person": figures, "car": {**figures, "added": 99}}}
        end_event(ledger, begin_event(ledger, MEASURED, NOW, camera, "m-1", detail=detail), NOW)
    found = read_pedestrians(ledger, NOW, {"a": "london", "b": "london", "c": None})
    assert [(one.city, one.version, one.people, one.recall) for one in found] == [
        ("london", "m-1", 15, 0.8),
        ("no city", "m-1", 5, 1.0),
    ]
    report = read_facts(ledger, NOW - DAY, NOW).model_copy(update={"pedestrians": found})
    assert report.incidents == []
    said = write_sentences(report, UTC)
    assert "In london, version m-1 found 80.0 % of 15 labeled pedestrians." in [s.sentence for s in said]
    assert not any(ungrounded(one) for one in said)


def test_learning_has_its_share_of_promotions_and_its_times(ledger: Ledger) -> None:
    """Also of runs that began before the time: what takes days is in no report of a day else."""
    assert read_facts(ledger, NOW - DAY, NOW).learning == LearningFacts()
    ends = [("drift", 50, Step.PROMOTED), ("labels", 30, Step.PROMOTED), ("labels", 8, Step.REFUSED)]
    for number, (kind, hours, step) in enumerate(ends):
        began = NOW - timedelta(hours=hours + 2)
        run = begin_learning(ledger, f"learn-{number}", {"kind": kind}, began)
        go_on(ledger, run, step, began + timedelta(hours=hours))
    before = begin_learning(ledger, "learn-9", {"kind": "drift"}, NOW - 4 * DAY)
    go_on(ledger, before, Step.PROMOTED, NOW - 3 * DAY)
    rollout = start_rollout(ledger, "2", "1", None, {}, {}, "policy", NOW - timedelta(hours=6))
    entry = Entry(NOW - timedelta(hours=3), "roll back", "policy", "it is slow", {})
    move(ledger, rollout, RolloutState.ROLLED_BACK, {}, 0, entry)
    begin_learning(ledger, "learn-10", {"kind": "schedule"}, NOW - timedelta(hours=1))
    found = read_facts(ledger, NOW - DAY, NOW)
    assert found.learning == LearningFacts(
        runs=4,
        promoted=2,
        promoted_share=0.667,
        drift_to_promotion_h=50.0,
        label_to_promotion_h=30.0,
        rollback_h=3.0,
    )
    said = write_sentences(found, UTC)
    assert not any(ungrounded(one) for one in said)
    text = [one.sentence for one in said]
    assert "Learning runs: 4; promoted: 2." in text
    assert "Of those that ended, 66.7 % were promoted." in text
    assert "From a drift to the promotion of its model took 50 hours, in the median." in text


def test_requests_have_an_availability_and_an_error_budget(ledger: Ledger) -> None:
    assert read_facts(ledger, NOW - DAY, NOW).predict is None
    add_requests(ledger, {(minute_of(NOW - DAY / 2), "/predict"): RequestCount(20_000, 5)})
    report = read_facts(ledger, NOW - DAY, NOW)
    assert report.predict is not None
    assert (report.predict.availability, report.predict.budget_left) == (0.99975, 0.75)
    said = [one.sentence for one in write_sentences(report, UTC)]
    assert said[-1].startswith("Of 20000 requests for detections, 5 failed: 99.975 % were answered")
    assert said[-1].endswith("the target is 99.9 %; 75 % of the error budget are left.")


def test_ten_thousand_incidents_are_reported_and_shown(ledger: Ledger, tmp_path: Path) -> None:
    rows = [
        row("camera_lost", NOW - DAY + timedelta(seconds=8 * k), 0.1, f"cam-{k}", cause=f"fault {k}")
        for k in range(10_000)
    ]
    write(ledger, rows)
    began = time.process_time()
    report = read_facts(ledger, NOW - DAY - timedelta(hours=1), NOW)
    page = report_html(report, ledger, FolderStore(tmp_path))
    assert time.process_time() - began < PAGE_S
    assert len(report.incidents) == 10_000
    assert "9800 older incidents are not shown" in page
    assert len(write_sentences(report, UTC)) < 50
