import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError
from tests.support.programs.cli import camera_file
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.stream_flow.build import write_clip

_SIMULATED = {
    "id": "gantry",
    "uri": "sim://larkfield/gantry?size=160x90",
    "lines": {"carriageway": [[0.27, 0.62], [0.68, 0.50]]},
}
_LINE = {"middle": [[0.5, 0.0], [0.5, 1.0]]}
_SCORES = {"HOTA", "AssA", "DetA", "IDF1", "MOTA", "IDSW", "Frag"}


@pytest.fixture
def model(tmp_path: Path) -> str:
    # One car that stands in every picture; the input of a clip of 64x48 is 64x64, 8 rows above it.
    return str(write_tiny_model(tmp_path / "tiny.onnx", detector_output((20, 28, 20, 20, 0, 0.9))))


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """The truth of the tiny model's car over the 30 frames of `clip`."""
    path = tmp_path / "gt.txt"
    path.write_text("".join(f"{frame},1,10,10,20,20\n" for frame in range(1, 31)))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> dict[str, Any]:
    return {
        "id": "yard",
        "uri": f"file://{write_clip(tmp_path / 'clip.mp4', [90] * 30)}?loop=1",
        "lines": _LINE,
    }


def _asked(*arguments: object) -> dict[str, Any]:
    words = ["evaluate-tracks", *map(str, arguments), "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def _refused(*arguments: object) -> str:
    with pytest.raises(ConfigError) as refused:
        CliRunner().invoke(app, ["evaluate-tracks", *map(str, arguments)], catch_exceptions=False)
    return str(refused.value)


def test_simulated_cameras_bring_their_truth(model: str, tmp_path: Path) -> None:
    other = {**_SIMULATED, "id": "other", "uri": "sim://millbrook/high-street?size=160x90", "lines": {}}
    path = Path(camera_file(tmp_path, _SIMULATED, other))
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, "settings": {"image_size": 160, "gate": False}}))
    said = _asked(path, "--seconds", 2, "--model", model, "--out", tmp_path / "out")
    assert set(said["all"]) == _SCORES
    assert list(said["cameras"]) == ["gantry", "other"]
    gantry = said["cameras"]["gantry"]
    assert set(gantry) == {*_SCORES, "objects", "lines"}
    assert gantry["objects"]["true"] >= 3
    assert gantry["lines"]["carriageway"]["in"] == {"true": 0, "found": 0}
    assert said["cameras"]["other"]["lines"] == {}

    # The files that it wrote say the same.
    folder = tmp_path / "out/gantry"
    again = _asked("--truth", folder / "gt.txt", "--found", folder / "found.txt")
    assert again["cameras"]["found"] == {**gantry, "lines": {}}
    assert again["all"] == {name: gantry[name] for name in _SCORES}


def test_only_what_a_camera_counts_must_be_found(tmp_path: Path) -> None:
    names = {"names": repr({0: "car", 1: "truck"})}
    model = write_tiny_model(tmp_path / "two.onnx", detector_output((20, 28, 20, 20, 0, 0.9)), metadata=names)
    line = {"points": [[0.27, 0.62], [0.68, 0.50]], "classes": ["truck"]}
    busy = {**_SIMULATED, "uri": f"{_SIMULATED['uri']}&traffic=busy"}
    path = camera_file(
        tmp_path,
        {**busy, "id": "all"},
        {**busy, "id": "cars", "classes": {"vehicle": ["car"]}},
        {**busy, "id": "trucks", "lines": {"carriageway": line}},
    )
    said = _asked(path, "--seconds", 8, "--model", model, "--image-size", 64, "--out", tmp_path / "out")
    found = said["cameras"]
    assert 0 < found["cars"]["objects"]["true"] < found["all"]["objects"]["true"]
    crossed = {name: one["lines"]["carriageway"]["in"]["true"] for name, one in found.items()}
    assert 0 < crossed["trucks"] < crossed["cars"] < crossed["all"], crossed
    files = {name: (tmp_path / f"out/{name}/gt.txt").read_text().splitlines() for name in ("all", "cars")}
    assert len(files["all"]) == len(files["cars"]), "the others may be found"


def test_a_clip_is_run_against_a_file(
    model: str, clip: dict[str, Any], standing: Path, tmp_path: Path
) -> None:
    cameras = camera_file(tmp_path, clip)
    flags = ("--truth", standing, "--model", model, "--image-size", 64)
    yard = _asked(cameras, *flags, "--no-gate")["cameras"]["yard"]
    assert yard["objects"] == {"true": 1, "found": 1}
    assert yard["IDSW"] == 0
    assert yard["MOTA"] > 90, "all but the frames before the track is confirmed"
    begun = _asked(cameras, *flags, "--no-gate", "--seconds", 0.4)["cameras"]["yard"]
    assert 70 < begun["MOTA"] < yard["MOTA"], "the truth ends with the frames that were played"


def test_lines_of_a_camera_are_counted_in_files(clip: dict[str, Any], tmp_path: Path) -> None:
    truth, found = tmp_path / "gt.txt", tmp_path / "found.txt"
    truth.write_text("".join(f"{frame},1,{2 * frame - 10},10,20,20\n" for frame in range(1, 31)))
    found.write_text("".join(f"{frame},5,{2 * frame - 10},10,20,20\n" for frame in range(10, 12)))
    said = _asked(camera_file(tmp_path, clip), "--truth", truth, "--found", found)
    yard = said["cameras"]["yard"]
    assert yard["objects"] == {"true": 1, "found": 1}
    assert yard["lines"] == {"middle": {"in": {"true": 0, "found": 0}, "out": {"true": 1, "found": 0}}}
    assert yard["MOTA"] == pytest.approx(100 * 2 / 30, abs=1e-3)


def test_a_table_is_printed_for_people(clip: dict[str, Any], standing: Path, tmp_path: Path) -> None:
    arguments = [camera_file(tmp_path, clip), "--truth", str(standing), "--found", str(standing)]
    done = CliRunner().invoke(app, ["evaluate-tracks", *arguments], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert "100.0" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if line] == [
        "camera",
        "yard",
        "all",
        "camera",
        "yard",
    ]


def test_without_a_truth_nothing_is_run(clip: dict[str, Any], standing: Path, tmp_path: Path) -> None:
    live = {"id": "live", "uri": "rtsp://user:hunter2@10.0.0.1/a"}
    assert "give CAMERAS.YAML" in _refused()
    assert "--found needs --truth" in _refused("--found", standing)
    said = _refused(camera_file(tmp_path, live))
    assert "'live': a live stream has no truth; evaluate a recording" in said
    assert "hunter2" not in said
    assert "'yard': nothing says what is true in a clip; give" in _refused(camera_file(tmp_path, clip))
    two = camera_file(tmp_path, clip, _SIMULATED)
    assert "--truth is of one camera, and the file has 2" in _refused(two, "--truth", standing)
    assert "--truth is of one camera" in _refused(two, "--truth", standing, "--found", standing)
    assert "runs no model" in _refused("--truth", standing, "--found", standing, "--seconds", 3)


def test_a_truth_without_objects_is_no_success(model: str, clip: dict[str, Any], tmp_path: Path) -> None:
    truth = tmp_path / "late.txt"
    truth.write_text("99,1,10,10,20,20\n1,2,10,10,20,20,0,8\n")
    cameras = camera_file(tmp_path, clip)
    said = _refused(cameras, "--truth", truth, "--model", model, "--image-size", 64)
    assert "'yard': the truth of its 30 frames holds no object to be found" in said


def test_classes_that_the_model_does_not_have_are_refused(model: str, tmp_path: Path) -> None:
    line = {"points": [[0.27, 0.62], [0.68, 0.50]], "classes": ["tram"]}
    cameras = camera_file(tmp_path, {**_SIMULATED, "lines": {"carriageway": line}})
    said = _refused(cameras, "--model", model)
    assert (
        said == "camera 'gantry': line 'carriageway': classes: the model has no class 'tram'; it has car, bus"
    )
