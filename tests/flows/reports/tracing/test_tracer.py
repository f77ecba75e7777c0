"""One frame that went all the way, followed from each place on it; the parts of a run wrote it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.reports.tracing.asked import parse_asked
from flows.reports.tracing.tracer import Tracer
from flows.runtime.observers.anomaly_recorder import AnomalyRecorder
from flows.runtime.workers.stream_fleet import FleetReport
from flows.stream.anomalies.anomaly_watch import Anomaly
from flows.stream.ingest.accounting import DropReason, Fate, SettledFrame
from flows.stream.sinks.anomaly_evidence import AnomalyEvidence
from flows.stream.sinks.candidate_store import CandidateStore
from flows.stream.sinks.frame_log import FrameLog
from labeling.scoring import Bands
from serve.rollout.policy import Phase, Policy
from streetloop.boxes import Box
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.clock import SystemClock
from streetloop.control.report_views import TraceView
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event
from streetloop.ledger.learning import Step, begin_learning, go_on
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, add_reviews
from streetloop.ledger.rollouts import start_rollout
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from tests.support.stream_flow.build import NOON, found, frame, plain, result
from train.data.dataset import Dataset, Example, save_dataset
from train.model.find_model import open_registry
from train.version_record import VersionRecord

RUN = "20260301T110000Z-1f2e3d"
SEEN, OTHER, DROPPED = 30, 60, 61
"""Numbers of frames: one went all the way, one waits for a label, one was dropped."""


@dataclass(frozen=True)
class Home:
    """A home, and where the frame is in it.

    Attributes:
        trace: Follows an id.
        ledger: The ledger.
        settings: Of the home.
        digest: Of the picture of the frame.
        dataset: Digest of the dataset that has its label.
    """

    trace: Callable[[str], TraceView]
    ledger: Ledger
    settings: Settings
    digest: str
    dataset: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    ledger, store = open_ledger(settings.ledger), FolderStore(settings.store)
    _write_logs(store)
    _record_an_event(settings, store)
    seen, other = _candidates(store)
    data = Dataset(NAMES, (Example(seen.digest, seen.image_key, 64, 48, (_BOX,), camera_id="a"),))
    dataset = save_dataset(store, data)
    labeled = replace(
        seen, state=ReviewState.IN_DATASET, label=(_BOX,), labeler="ann", answered_at=NOON, dataset=dataset
    )
    add_reviews(ledger, [labeled, other])
    _make_models(settings, ledger, dataset)

    def trace(asked: str) -> TraceView:
        return Tracer(settings, ledger, store).trace(parse_asked(asked))

    return Home(trace, ledger, settings, seen.digest, dataset)


_BOX = Box(0, (1.0, 1.0, 9.0, 9.0))


def _write_logs(store: FolderStore) -> None:
    log = FrameLog(store, f"frames/run={RUN}", "worker0-0", 60)
    for number in range(70):
        fate, reason, model = (Fate.DETECTED, None, "m-1")
        if number == DROPPED:
            fate, reason, model = Fate.DROPPED, DropReason.STALE, None  # type: ignore[assignment]
        at = NOON + timedelta(seconds=number / 25)
        log.add(SettledFrame("a", number, number / 25, at, fate, reason, model))
    log.close()


def _record_an_event(settings: Settings, store: FolderStore) -> None:
    """A vehicle that has stopped a second before the frame in which that is found."""
    begin = Anomaly("s-0", "a", AnomalyKind.STOPPED_VEHICLE, NOON, None, 0.9, None, {}, "m-1", "s/1", 1.0)
    evidence = AnomalyEvidence(store, run=RUN)
    evidence.take(replace(result(frame(SEEN)), anomalies=(begin,)))
    evidence.take(replace(result(frame(40)), anomalies=(replace(begin, ended_at=NOON),)))
    evidence.close()
    recorder = AnomalyRecorder(settings.ledger, SystemClock(), pytest.fail)
    recorder.take(FleetReport({}, anomalies=evidence.collect()))
    recorder.close()


def _candidates(store: FolderStore) -> list[FrameRecord]:
    kept = CandidateStore(store, NAMES, {}, Bands(), 0.25, run=RUN)
    for number in (SEEN, OTHER):
        seen = result(frame(number, picture=plain(value=number)), found((1, 1, 9, 9), confidence=0.4))
        kept.keep(kept.prepare(0.5, SelectionReason.UNSURE, seen))
    return kept.collect()


def _make_models(settings: Settings, ledger: Ledger, dataset: str) -> None:
    file = write_tiny_model(settings.home / "tiny.onnx", detector_output((32, 32, 9, 9, 0, 0.9)))
    registry = open_registry(settings)
    for parent, of in ((None, ""), (1, dataset)):
        run = registry.start("tiny", {})
        registry.register(run, file, VersionRecord(of, parent, NAMES, "", accepted=True))
        registry.finish(run)
    registry.set_alias("challenger", 2)
    learning = begin_learning(ledger, "learn-1", {"kind": "labels", "because": "50 labels"}, NOON)
    go_on(ledger, learning, Step.PROMOTED, NOON, {"version": 2, "rollout": 1})
    phase, policy = Phase().model_dump(mode="json"), Policy().model_dump(mode="json")
    start_rollout(ledger, "2", "1", None, policy, phase, "learning flow", NOON, "it is accepted")


def _places(home: Home) -> dict[str, str]:
    return {
        "its name": f"{RUN}/a/{SEEN}",
        "its digest": home.digest,
        "a part of it": home.digest[:10],
        "event": "event:1",
        "dataset": f"dataset:{home.dataset[:12]}",
        "learning run": "learning:1",
        "version": "version:2",
        "alias": "version:challenger",
        "rollout": "rollout:1",
    }


@pytest.mark.parametrize(
    "place",
    [
        "its name",
        "its digest",
        "a part of it",
        "event",
        "dataset",
        "learning run",
        "version",
        "alias",
        "rollout",
    ],
)
def test_the_whole_way_is_found_from_each_place_on_it(home: Home, place: str) -> None:
    way = home.trace(_places(home)[place])
    (seen,) = [one for one in way.frames if one.digest == home.digest]
    assert (seen.name, seen.state, seen.labeler, seen.boxes) == (f"{RUN}/a/{SEEN}", "in dataset", "ann", 1)
    assert seen.datasets == [home.dataset]
    (event,) = way.events
    assert (event.id, event.kind, event.camera_id) == (1, "stopped_vehicle", "a")
    assert [(one.digest, one.images) for one in way.datasets] == [(home.dataset, 1)]
    assert [(one.id, one.because, one.version) for one in way.learning] == [(1, "50 labels", 2)]
    assert [(one.number, one.parent, one.accepted) for one in way.versions] == [(2, 1, True)]
    assert [(one.id, one.model, one.champion, one.reason) for one in way.rollouts] == [
        (1, "2", "1", "it is accepted")
    ]


def test_an_event_began_in_a_frame_also_where_its_time_is_over_before(home: Home) -> None:
    (event,) = home.trace(home.digest).events
    assert event.link == "began in the frame"
    assert event.ended_at == NOON < NOON + timedelta(seconds=SEEN / 25)


def test_what_became_of_a_frame_is_read_from_its_log(home: Home) -> None:
    (seen,) = home.trace(home.digest).frames
    assert (seen.fate, seen.fate_reason) == ("detected", None)
    way = home.trace(f"{RUN}/a/{DROPPED}")
    (dropped,) = way.frames
    assert (dropped.digest, dropped.fate, dropped.fate_reason) == (None, "dropped", "stale")
    assert dropped.captured_at == NOON + timedelta(seconds=DROPPED / 25)
    assert "no picture of the frame was kept" in way.gaps[0]
    assert way.versions == []


def test_a_frame_without_a_label_leads_nowhere_and_that_is_said(home: Home) -> None:
    way = home.trace(f"{RUN}/a/{OTHER}")
    assert [one.state for one in way.frames] == ["candidate"]
    assert (way.datasets, way.versions, way.rollouts) == ([], [], [])
    assert way.gaps == [f"without a label: {way.frames[0].digest[:12]}"]  # type: ignore[index]


def test_what_is_in_no_log_is_said(home: Home) -> None:
    first = home.trace("version:1")
    assert first.frames == []
    assert "version 1 was registered as a file: its dataset is not known" in first.gaps
    lost = begin_event(home.ledger, "worker_restarted", NOON + timedelta(hours=1))
    assert home.trace(f"event:{lost}").gaps[0] == f"event {lost} is of no camera, so of no frame"
    away = begin_event(home.ledger, "camera_lost", NOON + timedelta(hours=2), "b")
    assert home.trace(f"event:{away}").gaps == [
        f"event {away} (camera_lost) did not begin in a single frame",
        f"no frame was kept for labeling while event {away} was open",
    ]


def test_a_dataset_that_is_gone_leaves_the_rest(home: Home, tmp_path: Path) -> None:
    elsewhere = Tracer(home.settings, home.ledger, FolderStore(tmp_path))
    way = elsewhere.trace(parse_asked(home.digest))
    assert [(one.digest, one.images) for one in way.datasets] == [(home.dataset, None)]
    assert [one.number for one in way.versions] == [2]
    assert f"the manifest of dataset {home.dataset[:12]} is gone" in way.gaps
    assert f"the frame log does not have {RUN}/a/{SEEN}: it is not written yet, or was removed" in way.gaps


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("f" * 12, "no frame that was kept"),
        (f"{RUN}/a/99", "neither a log nor"),
        (f"{RUN}/../7", "neither a log nor"),
        ("event:99", "no event 99"),
        ("dataset:ffffffff", "no dataset begins"),
        ("learning:9", "no learning 9"),
        ("version:9", "no version '9'"),
        ("rollout:9", "no rollout 9"),
    ],
)
def test_what_is_not_there_is_said_by_name(home: Home, asked: str, says: str) -> None:
    with pytest.raises(NotFound, match=says):
        home.trace(asked)


@pytest.mark.parametrize(
    "asked",
    ["", "7", "abc", "event:", "event:x", "event:-1", "event:99999999999", "dataset:../x", "person:1", "a/7"],
)
def test_what_is_no_id_is_refused_with_the_forms(asked: str) -> None:
    with pytest.raises(ConfigError, match="cannot be traced: give the digest of a frame"):
        parse_asked(asked)
