"""``streetloop bench``, on a model of a few nodes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.reports.bench import combinations
from streetloop.cameras.camera_file import load_cameras
from streetloop.errors import ConfigError, DetectorError, StreetloopError
from tests.support.material import material
from tests.support.samples.label_files import CAR, CAR_ROW, WIDTH, write_yolo_files
from tests.support.samples.tiny_model import detector_output, write_tiny_model

KEYS = ["backend", "precision", "batch", "height", "width", "fps", "cpu_ms", "map50_95", "difference"]
CAMERAS = "# our city\ncameras: [{id: a, uri: 'sim://larkfield/gantry'}]\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model that finds the car of `write_yolo_files` at any size."""
    scale = 640 / WIDTH
    x1, y1, x2, y2 = (v * scale for v in CAR)
    car = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0, 0.9)
    return str(write_tiny_model(tmp_path / "tiny.onnx", detector_output(car)))


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((96, 160, 3), 40 * number, np.uint8))
    return str(folder)


def bench(*words: str) -> Any:
    return CliRunner().invoke(app, ["bench", *words, "--seconds", "0.1"], catch_exceptions=True)


def rows(*words: str) -> list[dict[str, Any]]:
    result = bench(*words, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_row_has_what_the_issue_of_a_choice_needs(model: str, pictures: str) -> None:
    found = rows(model, "--images", pictures, "--sizes", "160,320", "--batches", "1,4")
    assert list(found[0]) == [*KEYS, "best"]
    assert sum(row["best"] for row in found) == 1
    onnx = [row for row in found if row["backend"] == "onnx"]
    assert {(r["batch"], r["height"], r["width"]) for r in onnx} == {
        (1, 96, 160),
        (4, 96, 160),
        (1, 192, 320),
        (4, 192, 320),
    }
    assert {row["precision"] for row in onnx} == {"fp32"}
    assert all(row["fps"] > 0 and row["cpu_ms"] >= 0 and row["map50_95"] is None for row in found)
    assert [row["fps"] for row in found] == sorted((row["fps"] for row in found), reverse=True)


def test_the_difference_is_to_fp32_at_the_largest_size(model: str, pictures: str) -> None:
    found = rows(model, "--images", pictures, "--sizes", "160,320", "--batches", "1")
    large = next(row for row in found if row["backend"] == "onnx" and row["width"] == 320)
    assert large["difference"] == {"boxes": 3, "missed": 0, "added": 0, "pixels": 0.0, "confidence": 0.0}


def test_accuracy_is_that_of_the_labels(model: str, pictures: str, tmp_path: Path) -> None:
    folder = write_yolo_files(tmp_path / "set", CAR_ROW, "val: images\nnames: [car]\n")
    found = rows(model, "--images", pictures, "--sizes", "640", "--batches", "1", "--dataset", str(folder))
    assert {row["map50_95"] for row in found if row["precision"] == "fp32"} == {1.0}
    table = bench(model, "--images", pictures, "--sizes", "640", "--batches", "1", "--dataset", str(folder))
    assert "mAP50-95" in table.stdout
    assert "1.0000" in table.stdout


def test_what_is_not_measured_is_said_with_its_reason(model: str, pictures: str) -> None:
    result = bench(model, "--images", pictures, "--sizes", "160", "--batches", "1")
    assert "not measured: torch: " in result.stderr
    assert "needs the .pt file" in result.stderr
    assert result.stdout.splitlines()[0].split()[0] == "backend"


def test_a_model_of_fixed_shape_is_measured_as_it_is(tmp_path: Path, pictures: str) -> None:
    path = write_tiny_model(tmp_path / "f.onnx", detector_output((9, 9, 9, 9, 0, 0.9)), size=(4, 64, 96))
    result = bench(str(path), "--images", pictures, "--sizes", "160,320", "--batches", "1,4", "--json")
    assert {(r["batch"], r["height"], r["width"]) for r in json.loads(result.stdout)} == {(4, 64, 96)}
    assert "not measured: size 320: " in result.stderr
    assert "not measured: batch 1: " in result.stderr


def test_a_combination_that_fails_is_left_out_and_named(
    model: str, pictures: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect = combinations.Predictor.detect

    def fail(self: Any, images: Any, confidence: float, **more: Any) -> Any:
        if len(images) == 4:
            raise DetectorError("too much for it")
        return detect(self, images, confidence, **more)

    monkeypatch.setattr(combinations.Predictor, "detect", fail)
    result = bench(model, "--images", pictures, "--sizes", "160", "--batches", "1,4", "--json")
    assert {row["batch"] for row in json.loads(result.stdout)} == {1}
    assert "not measured: onnx/fp32, batch 4, size 160: too much for it" in result.stderr


def test_nothing_that_works_is_an_error(model: str, pictures: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("not here")

    monkeypatch.setattr(combinations, "open_backend", refuse)
    result = bench(model, "--images", pictures)
    assert isinstance(result.exception, DetectorError)
    assert "no combination works" in str(result.exception)
    assert "not measured: openvino/bf16: not here" in result.stderr


def test_the_choice_is_written_to_a_camera_file(model: str, pictures: str, tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS)
    result = bench(model, "--images", pictures, "--sizes", "160", "--batches", "2", "--write", str(path))
    assert result.exit_code == 0, result.output
    settings = load_cameras(path).settings
    assert set(settings) == {"backend", "precision", "image_size", "max_batch"}
    assert (settings["image_size"], settings["max_batch"]) == (160, 2)
    assert path.read_text().startswith(CAMERAS)
    assert "its cameras are served by baseline" in result.stderr
    assert ", ".join(f"{k}: {v}" for k, v in settings.items()) in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sizes", "100"), "must be multiples of 32"),
        (("--sizes", "a"), "such as"),
        (("--batches", "0"), "from 1 to 256"),
        (("--batches", ",".join("123456789")), "1 to 8 numbers"),
        (("--images", "nowhere"), "no such clip or folder"),
        (("--dataset", "nowhere.yaml"), "no such file"),
        (("--write", "nowhere.yaml"), "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_measured(
    words: tuple[str, ...], said: str, model: str
) -> None:
    result = bench(model, *words)
    assert isinstance(result.exception, StreetloopError)
    assert said in str(result.exception)
    assert result.stdout == ""


def test_the_city_is_looked_at_where_no_pictures_are_given(model: str) -> None:
    found = rows(model, "--sizes", "160", "--batches", "1")
    assert next(row for row in found if row["backend"] == "onnx")["difference"]["boxes"] == 24


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_a_terminal(
    model: str, pictures: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = bench(model, "--images", pictures, "--sizes", "160,320")
    heading, *table, best = result.stdout.rstrip("\n").splitlines()
    assert heading.split()[-2:] == ["px", "conf."]
    assert len(table) >= 8
    assert all("/fp32" in line or "/bf16" in line or "/fp16" in line for line in table), "a line a row"
    assert best.startswith("* best, as settings: ")


@pytest.mark.model
def test_a_real_detector_agrees_with_itself_under_all_backends() -> None:
    folder = str(material("datasets/coco128_val/images/val2017"))
    found = rows(str(material("weights/yolov8n.pt")), "--images", folder, "--sizes", "320", "--batches", "1")
    assert {"onnx", "openvino", "torch"} <= {row["backend"] for row in found}
    for row in found:
        assert row["difference"]["boxes"] > 50
        assert row["difference"]["missed"] <= 0.1 * row["difference"]["boxes"]
        assert row["difference"]["pixels"] < 2
