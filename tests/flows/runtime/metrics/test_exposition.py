"""What a scrape says, read back by Prometheus' own parser."""

import ast
import time
from collections import Counter
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.runtime.metrics.catalogue import METRICS, Kind
from flows.runtime.metrics.exposition import expose
from flows.runtime.metrics.readings import Readings
from flows.stream.ingest.accounting import Fate
from flows.stream.ingest.camera_state import CameraState
from tests.docs.pages import ROOT
from tests.docs.tree import PACKAGES
from tests.support.metrics import INFO, NOW, readings, status, text

MOST_SERIES = 20
SCRAPE_S = 1.0


def values(said: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
    }


def value(said: str, name: str, **labels: str) -> float:
    return values(said)[name, frozenset(labels.items())]


def test_every_metric_of_the_catalogue_is_there_with_its_labels_and_no_other() -> None:
    found: dict[str, set[frozenset[str]]] = {}
    for family in text_string_to_metric_families(text()):
        counter = family.type == "counter"
        name = f"{family.name}_total" if counter else family.name
        assert METRICS[name].kind.value == family.type
        found[name] = {frozenset(sample.labels) - {"le"} for sample in family.samples}
    assert found == {name: {frozenset(metric.labels)} for name, metric in METRICS.items()}


def test_frames_add_up_by_fate() -> None:
    frames: Counter[str] = Counter()
    for (name, labels), count in values(text(1)).items():
        if name == "streetloop_frames_total":
            frames[dict(labels)["fate"]] += int(count)
    assert frames == {Fate.DETECTED: 60, Fate.GATED: 30, Fate.DROPPED: 6, Fate.FAILED: 4}


def test_a_camera_has_one_state() -> None:
    lost = Readings({"a": status("a", CameraState.LOST)})
    said = expose(lost, INFO, NOW)
    assert value(said, "streetloop_camera_state", camera="a", state="lost") == 1
    assert sum(v for (name, _), v in values(said).items() if name == "streetloop_camera_state") == 1


def test_lags_are_a_summary_a_camera_and_a_histogram_a_worker() -> None:
    said = text()
    assert value(said, "streetloop_lag_seconds", camera="camera-0", quantile="0.5") == 0.1
    assert value(said, "streetloop_lag_seconds", camera="camera-0", quantile="0.95") == 0.3
    buckets = [
        value(said, "streetloop_worker_lag_seconds_bucket", worker="worker0", le=le)
        for le in ("0.1", "0.5", "5.0", "+Inf")
    ]
    assert buckets == [1, 2, 2, 3]


def test_a_model_is_counted_over_all_workers() -> None:
    assert value(text(), "streetloop_detector_batch_seconds_count", model="yolo-1") == 4
    assert value(text(), "streetloop_errors_total", module="flows.runtime") == 1 + 2 * 2


def test_detections_of_a_sink_are_counted_over_all_workers() -> None:
    assert value(text(), "streetloop_sink_frames_total", sink="bus", fate="sent") == 2 * 20
    assert value(text(), "streetloop_sink_frames_total", sink="bus", fate="dropped") == 2 * 3


def test_without_a_ledger_nothing_is_said_of_it() -> None:
    said = expose(replace(readings(), ledger=None), INFO, NOW)
    assert "streetloop_labels" not in said
    assert value(said, "streetloop_dependency_up", dependency="store") == 0


def test_without_a_rollout_its_series_are_there() -> None:
    known = readings()
    assert known.ledger is not None
    said = expose(replace(known, ledger=replace(known.ledger, rollout=None, learning=None)), INFO, NOW)
    assert value(said, "streetloop_rollout_phase", phase="none") == 1
    assert value(said, "streetloop_rollout_phase_age_seconds") == 0
    assert value(said, "streetloop_learning_state", step="idle") == 1


def test_an_open_rollout_and_waiting_labels_have_ages() -> None:
    assert value(text(), "streetloop_rollout_phase_age_seconds") == 3600
    assert value(text(), "streetloop_labels_oldest_age_seconds", state="pending") == 7200
    assert value(text(), "streetloop_labels_oldest_age_seconds", state="pushed") == 0


def test_what_waits_for_sinks_and_in_the_spool_has_ages() -> None:
    assert value(text(), "streetloop_sink_outbox_age_seconds", sink="bus") == 240
    assert value(text(), "streetloop_sink_outbox_changes", sink="bus") == 7
    assert value(text(), "streetloop_sink_outbox_age_seconds", sink="mail") == 0
    assert value(text(), "streetloop_spool_oldest_age_seconds") == 1800
    assert value(text(), "streetloop_worker_report_age_seconds", worker="worker1") == 40


@pytest.mark.parametrize("name", ['a"b', "a\\b", "straße", "{drop}\nx 1"])
def test_odd_names_stay_labels(name: str) -> None:
    said = expose(Readings({name: status(name)}), INFO, NOW)
    assert value(said, "streetloop_objects_total", camera=name) == 7


def test_a_camera_has_at_most_twenty_series() -> None:
    series = Counter(dict(labels).get("camera") for _, labels in values(text(3)))
    assert [count for camera, count in series.items() if camera] == [MOST_SERIES] * 3


def test_a_scrape_of_a_thousand_cameras_takes_less_than_a_second() -> None:
    many, took = readings(1000), []
    for _ in range(3):
        began = time.process_time()
        expose(many, INFO, NOW)
        took.append(time.process_time() - began)
    assert min(took) < SCRAPE_S


def test_names_follow_the_conventions() -> None:
    for metric in METRICS.values():
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert not metric.name.endswith(("_ms", "_s", "_mb"))


BOUNDED_BY = {
    "application": "champion, challenger, and the cities that have a champion of their own",
    "camera": "the cameras that run",
    "dependency": "a list in the code",
    "fate": "an enumeration",
    "feature": "a list in the code; a camera has its nearest alone",
    "kind": "the kinds of events in the code",
    "model": "eight versions a worker, those that answered last",
    "module": "the modules of this project",
    "phase": "an enumeration",
    "process": "a list in the code",
    "quantile": "two",
    "reason": "an enumeration",
    "result": "an enumeration",
    "run": "one",
    "sink": "the sinks of the camera file",
    "state": "an enumeration",
    "step": "an enumeration",
    "version": "one",
    "worker": "the workers that run",
}
"""What bounds the number of values of each label."""


def test_every_label_has_a_bound() -> None:
    assert {label for metric in METRICS.values() for label in metric.labels} == BOUNDED_BY.keys()


def test_a_logger_is_named_by_its_module_and_so_is_the_label_of_errors() -> None:
    """A logger with the name of a camera, say, would make a series of each."""
    odd = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).endswith("getLogger")
        and ast.unparse(node.value) != "logging.getLogger(__name__)"
    ]
    assert [one for one in odd if not one.endswith("logging.getLogger()")] == []
