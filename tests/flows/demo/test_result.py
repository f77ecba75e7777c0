"""What a demo says of itself, on the way and at its end."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flows.demo.ground_truth import AccuracyCurve, true_curve
from flows.demo.plot import plot_curve
from flows.demo.progress import DemoProgress
from flows.demo.report import write_report_page
from flows.demo.result import BeforeAfterScore, DemoResult
from flows.demo.scenario import SETTINGS, write_night
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from streetloop.boxes import to_boxes
from streetloop.cameras.camera_file import Camera, load_cameras, parse_camera
from streetloop.causes import Cause
from streetloop.images import decode_image, encode_jpeg
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.findings import open_finding
from streetloop.ledger.learning import LearningRun, Step, begin_learning, go_on, list_learning
from streetloop.ledger.reviews import add_reviews
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore, put_image
from tests.support.samples.frames import review
from tests.support.stream_flow.build import found
from train.data.dataset import TEST, Example
from train.fine_tuning.recipe import Progress

NOW = datetime.now(UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def learning_run(ledger: Ledger, step: Step) -> LearningRun:
    run = begin_learning(ledger, "learn-1", {"kind": "drift", "because": "night on a"}, NOW)
    return go_on(ledger, run, step, NOW)


def test_the_bottom_line_says_how_far_it_is_and_how_long_it_takes(ledger: Ledger) -> None:
    said: list[str] = []
    progress = DemoProgress(ledger, 40, said.append)
    assert not progress()
    assert said[-1] == "watching; about 10 min to go"
    found_at = datetime.fromtimestamp(progress.began + 50, UTC)
    open_finding(ledger, "a", NOW, found_at, "m", [Cause("night", 0.9)], True, {})
    run = learning_run(ledger, Step.LABELING)
    assert not progress()
    assert said[-1].startswith("labeling: 0 of 40 frames of night; about 8 min")
    assert progress.steps["drift"] == pytest.approx(50)
    go_on(ledger, run, Step.TRAINING, NOW)
    progress.progress(Progress(1, 4, 0.0, {}))
    assert not progress()
    assert "training: epoch 2 of 4, 25%" in said[-1]
    go_on(ledger, run, Step.PROMOTED, NOW)
    assert not progress(), "some seconds are shown of it"
    progress.began -= 60
    assert progress()
    assert list(progress.steps) == ["drift", "labeling", "training", "promoted"]


def test_night_falls_on_all_cameras_of_the_demo(tmp_path: Path) -> None:
    cameras = load_cameras(write_night(tmp_path)).cameras
    assert len(cameras) == 4
    assert all("night@" in camera.uri.reveal() for camera in cameras)
    assert Settings(**SETTINGS).learn


def test_the_curve_is_a_picture() -> None:
    curve = AccuracyCurve(3.0, [12.0, 36.0, 60.0], {"before": [0.8, 0.2, 0.2], "after": [0.8, 0.5, 0.5]})
    data = base64.b64decode(plot_curve(curve, [(20.0, "night falls"), (50.0, "promoted")]))
    image = decode_image(data)
    assert image.shape[1] > 800


@pytest.mark.model
def test_both_models_are_asked_about_what_the_cameras_showed(tmp_path: Path, ledger: Ledger) -> None:
    uri = "sim://kingsport/crossing?traffic=busy&fps=12&size=320x192&condition=night@30:2"
    camera: Camera = parse_camera({"id": "a", "uri": uri})
    began = NOW.timestamp()
    frame = 120  # ten seconds after the camera began, which is five after the demo
    one = replace(
        review(1, origin={"uri": uri, "frame": frame}, camera_id="a"), captured_at=NOW + timedelta(seconds=15)
    )
    add_reviews(ledger, [one])
    settings, store = Settings(home=tmp_path, image_size=320), FolderStore(tmp_path / "store")
    curve = true_curve(settings, ledger, store, [camera], {"before": "baseline"}, began, 72.0)
    assert curve.streams_at_s == pytest.approx(5.0)
    assert curve.at_s == [12.0, 36.0, 60.0]
    day, _, night = curve.map50["before"]
    assert day > night + 0.2


def result(tmp_path: Path, ledger: Ledger, step: Step) -> DemoResult:
    store = FolderStore(tmp_path / "store")
    jpeg = encode_jpeg(np.zeros((96, 160, 3), np.uint8))
    digest, key = put_image(store, jpeg)
    boxes = found((10, 10, 50, 40))
    example = Example(digest, key, 160, 96, to_boxes(boxes), TEST, "a")
    sides = {"before": [boxes], "after": [boxes]}
    measured = [
        BeforeAfterScore(condition, {"before": 0.2, "after": 0.5}, [example], sides)
        for condition in ("day", "night")
    ]
    learning_run(ledger, step)
    status = CameraStatus("<script>a", account=Account(decoded=5, detected=3, gated=2))
    return DemoResult(
        432.1,
        [(1.0, "a & b")],
        list_learning(ledger)[0],
        measured,
        40,
        {"a": status, "<script>a": status},
        {"before": "1", "after": "2"},
        {"drift": 60.0},
        AccuracyCurve(3.0, [12.0], {"before": [0.8], "after": [0.8]}),
    )


def test_the_page_stands_alone_and_what_it_shows_is_not_run(tmp_path: Path, ledger: Ledger) -> None:
    told = result(tmp_path, ledger, Step.PROMOTED)
    page = tmp_path / "report.html"
    write_report_page(
        page, told, Settings(home=tmp_path), ledger, FolderStore(tmp_path / "store"), NOW.timestamp()
    )
    text = page.read_text()
    assert "The loop closed" in text
    assert "a &amp; b" in text
    assert "<script" not in text
    assert not re.search(r'(src|href)="(?!data:)', text)


@pytest.mark.parametrize(("step", "closed"), [(Step.PROMOTED, True), (Step.ROLLED_BACK, False)])
def test_it_closed_only_if_a_new_champion_came_of_it(
    tmp_path: Path, ledger: Ledger, step: Step, closed: bool
) -> None:
    told = result(tmp_path, ledger, step)
    assert told.as_json(Path("x.html")) == {
        "closed": closed,
        "seconds": 432.1,
        "labels": 40,
        "model": {"before": "1", "after": "2"},
        "map50": {name: {"before": 0.2, "after": 0.5} for name in ("day", "night")},
        "frames": {"decoded": 10, "detected": 6, "gated": 4, "dropped": 0, "failed": 0},
        "report": "x.html",
    }
