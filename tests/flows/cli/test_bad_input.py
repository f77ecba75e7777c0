"""Every bad input gives one sentence that names the camera and the cause, and no traceback."""

import contextlib
import errno
import os
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.cli.main import main
from streetloop.ledger import open_ledger
from streetloop.video import VideoWriter
from tests.support.programs.cli import camera_file
from tests.support.samples.tiny_model import detector_output, write_tiny_model

PASSWORD = "hunter2"


def fails(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, BaseException]:
    monkeypatch.setattr("sys.argv", ["streetloop", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, ended.value


def camera(uri: str, **more: Any) -> dict[str, Any]:
    return {"id": "a40", "uri": uri, **more}


@pytest.fixture
def files(tmp_path: Path, street_clip: Path) -> Path:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    # The index of an MP4 stands behind the pictures, or, "fast start", before them.
    (tmp_path / "cut.mp4").write_bytes(street_clip.read_bytes()[:60_000])
    with VideoWriter(tmp_path / "fast.mp4") as writer:
        for k in range(50):
            writer.write(np.full((288, 352, 3), k, np.uint8), k / 25)
    whole = (tmp_path / "fast.mp4").read_bytes()
    (tmp_path / "cut_fast.mp4").write_bytes(whole[: len(whole) * 3 // 4])
    return tmp_path


@pytest.mark.model
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.mp4", "does not exist"),
        ("folder.mp4", "is a folder"),
        ("text.mp4", "not a readable video"),
        ("empty.mp4", "is empty"),
        ("cut.mp4", "cut short"),
        ("cut_fast.mp4", "cut short: it has"),
        ("n" * 300 + ".mp4", "cannot be read: File name too long"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_clip_that_cannot_be_played(
    command: str,
    name: str,
    words: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = write_tiny_model(files / "m.onnx", detector_output())
    path = camera_file(files, camera(f"file://{files}/{name}"))
    monkeypatch.setenv("STREETLOOP_MODEL", str(model))
    code, _ = fails([command, path], monkeypatch)
    said = capsys.readouterr()
    assert code != 0
    assert "a40" in said.out + said.err
    assert words in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("cameras", "words"),
    [
        ([camera("ftp://host/x")], "unknown scheme 'ftp'"),
        ([camera("rtsp://h/x", colour="red")], "unknown key 'colour'"),
        ([camera("rtsp://h/x", lines={"l": [[0.2, 0.7], [0.6, 1.7]]})], "less than or equal to 1"),
        ([camera("rtsp://h/x"), camera("rtsp://h/y")], "twice"),
        ([camera("rtsp:///x")], "names no host"),
        ([camera("file:///x.mp4?speed=2")], "unknown option 'speed'"),
    ],
)
def test_a_camera_file_with_a_mistake(
    cameras: list[dict[str, Any]],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for entry in cameras:
        entry["uri"] = entry["uri"].replace("//h/", f"//admin:{PASSWORD}@h/")
    code, error = fails(["run", camera_file(tmp_path, *cameras)], monkeypatch)
    said = capsys.readouterr().err
    assert code == 2
    assert words in said
    assert "a40" in said
    assert len(said.strip().splitlines()) == 1
    assert PASSWORD not in said + "".join(traceback.format_exception(error))


@pytest.mark.parametrize("command", ["run", "check", "up"])
def test_all_mistakes_of_a_camera_file_are_told_at_once(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = camera_file(
        tmp_path, camera("ftp://h/x", fps=0), {"id": "b7", "uri": "rtsp://h/x", "colour": "red"}
    )
    code, _ = fails([command, path], monkeypatch)
    lines = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    starts = ["camera 'a40': uri: unknown scheme", "camera 'a40': fps: ", "camera 'b7': unknown key 'colour'"]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"error: {path}: {start}")


def test_a_model_of_another_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_model(tmp_path / "parts.onnx", detector_output(), metadata={"task": "segment"})
    path = camera_file(tmp_path, camera("rtsp://127.0.0.1:1/x"))
    code, _ = fails(["run", path, "--model", str(model)], monkeypatch)
    said = capsys.readouterr().err
    assert code == 2
    assert "'segment'" in said
    assert "'detect'" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "command",
    [
        "check cameras.yaml --model X.onnx",
        "run cameras.yaml --model X.pt",
        "check X.yaml",
        "report --html X/a.html",
        "dataset import X --format yolo",
        "models register X.onnx",
        "up --policy X",
        "backup X",
        "restore X",
    ],
)
def test_a_name_that_is_too_long_is_one_sentence(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    camera_file(tmp_path, camera("v4l2:///dev/video77"))
    with contextlib.closing(open_ledger(f"sqlite:///{tmp_path}/home/ledger.db")):
        pass  # there is something to back up
    code, _ = fails(command.replace("X", f"{tmp_path}/{'n' * 300}").split(), monkeypatch)
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert "File name too long" in sentence


def test_what_nobody_foresaw_of_a_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("streetloop.cameras.camera_file.read_text", full)
    code, _ = fails(["check", f"{tmp_path}/a.yaml"], monkeypatch)
    assert code == 1
    assert capsys.readouterr().err == f"error: {tmp_path}/a.yaml: No space left on device\n"


def test_a_wider_address_needs_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = fails(["serve", "--host", "0.0.0.0"], monkeypatch)
    assert code == 2
    assert "STREETLOOP_API_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [car]\nval: nowhere\n", "is neither a folder nor a list of images"),
        ("val: images\n", "'names' must give every class id"),
        ("names: [car\n", "data.yaml"),
    ],
)
def test_a_dataset_that_cannot_be_read(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_model(tmp_path / "m.onnx", detector_output())
    (tmp_path / "data.yaml").write_text(text)
    code, _ = fails(["evaluate", str(model), str(tmp_path / "data.yaml")], monkeypatch)
    assert code == 2
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert sentence.startswith("error: ")
    assert words in sentence


def test_a_terminal_without_a_size_shows_what_a_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "COLUMNS": "0",
        "STREETLOOP_HOME": str(tmp_path),
        "STREETLOOP_CONFIDENSE": "1",
    }.items():
        monkeypatch.setenv(name, value)
    fails(["events"], monkeypatch)
    said = capsys.readouterr()
    assert said.out == "nothing happened in this time\n"
    assert said.err == "STREETLOOP_CONFIDENSE has no effect; do you mean STREETLOOP_CONFIDENCE?\n"


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("variable", ["ALL_PROXY", "SSL_CERT_FILE"])
def test_a_variable_that_lets_no_http_client_start_is_named(
    command: str,
    variable: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = "socks5://u:hunter2@127.0.0.1:1" if variable == "ALL_PROXY" else "/nowhere"
    monkeypatch.setenv(variable, value)
    path = camera_file(tmp_path, camera("snapshot+http://127.0.0.1:9/a.jpg?every=2"))
    code, _ = fails([command, path], monkeypatch)
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2, said
    assert variable in said
    assert PASSWORD not in said
