import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.service.camera_check import check_cameras
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError, ModelUnsupported
from streetloop.ledger import open_ledger
from streetloop.ledger.cameras import change_camera
from streetloop.secrets import SecretUri
from streetloop.settings import Settings
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.stream_flow.build import NOON, write_clip

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))


def _camera(camera_id: str, uri: str, **more: Any) -> Camera:
    return Camera(id=camera_id, uri=SecretUri(uri), **more)


def _settings(folder: Path, size: Any = ("batch", "height", "width"), **more: Any) -> Settings:
    model = write_tiny_model(folder / "m.onnx", ONE_CAR, size=size)
    return Settings(home=folder / "home", model=str(model), **more)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return _settings(tmp_path)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address of this machine that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_camera_that_opens_says_what_it_is(tmp_path: Path, settings: Settings) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90, 160], fps=25)
    (checked,) = check_cameras([_camera("a", clip.as_uri())], settings)

    assert checked.problem is None
    assert checked.info is not None
    assert (checked.info.codec, checked.info.width, checked.info.height) == ("h264", 64, 48)
    assert checked.info.fps == pytest.approx(25)


def test_every_camera_is_checked_and_answers_come_in_order(
    tmp_path: Path, nobody: str, settings: Settings
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    cameras = [
        _camera("missing", f"{tmp_path.as_uri()}/none.mp4"),
        _camera("good", clip.as_uri()),
        _camera("away", f"rtsp://admin:s3cret@{nobody}/ch1"),
        _camera("wrong", f"{clip.as_uri()}?fps=fast"),
        _camera("also-good", f"{clip.as_uri()}?loop=1"),
    ]
    checked = list(check_cameras(cameras, settings))

    assert [result.camera.id for result in checked] == [camera.id for camera in cameras]
    assert [result.info is not None for result in checked] == [False, True, False, False, True]
    assert all((result.info is None) is (result.problem is not None) for result in checked)
    problems = [result.problem or "" for result in checked]
    assert "does not exist" in problems[0]
    assert f"rtsp://***@{nobody}/ch1" in problems[2]
    assert problems[3].endswith("fps='fast' is not understood")
    assert not any("s3cret" in problem for problem in problems)


def test_more_cameras_than_are_opened_at_a_time_are_all_checked(tmp_path: Path, settings: Settings) -> None:
    cameras = [_camera(f"c{i}", f"{tmp_path.as_uri()}/{i}.mp4") for i in range(40)]
    checked = list(check_cameras(cameras, settings))

    assert [result.camera.id for result in checked] == [f"c{i}" for i in range(40)]
    assert all(f"/{i}.mp4 does not exist" in (r.problem or "") for i, r in enumerate(checked))


def test_no_cameras_is_nothing_to_check(settings: Settings) -> None:
    assert list(check_cameras([], settings)) == []


def test_a_model_that_fits_a_camera_warns_of_nothing(tmp_path: Path, settings: Settings) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    (checked,) = check_cameras([_camera("a", clip.as_uri())], settings)
    assert checked.warnings == ()


@pytest.mark.parametrize(
    ("size", "more", "codes"),
    [
        ((1, 64, 64), {}, ["fixed-size"]),
        ((1, 48, 64), {}, []),
        ((1, 48, 64), {"image_size": 1280}, ["image-size"]),
        ((4, 48, 64), {}, ["fixed-batch"]),
    ],
)
def test_what_a_fixed_input_means_for_a_camera_is_said(
    size: tuple[int, int, int], more: dict[str, Any], codes: list[str], tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])  # 64x48
    (checked,) = check_cameras([_camera("a", clip.as_uri())], _settings(tmp_path, size=size, **more))
    assert [warning.code for warning in checked.warnings] == codes
    assert checked.problem is None


def test_a_model_with_thresholds_of_its_own_is_said(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    model = write_tiny_model(tmp_path / "m.onnx", np.zeros((9, 6), np.float32), metadata={"end2end": "True"})
    (checked,) = check_cameras([_camera("a", clip.as_uri())], Settings(home=tmp_path, model=str(model)))
    assert [warning.code for warning in checked.warnings] == ["own-threshold"]


def test_a_class_that_the_model_lacks_is_the_problem_of_its_camera(
    tmp_path: Path, settings: Settings
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    cameras = [_camera("a", clip.as_uri(), classes=["tram"]), _camera("b", clip.as_uri(), classes=["bus"])]
    first, second = check_cameras(cameras, settings)
    assert "'tram'" in (first.problem or "")
    assert first.info is not None
    assert second.problem is None


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"label_bands": {"tram": {}}}, ConfigError, "no class 'tram'"),
        ({"classes": ["tram"]}, ConfigError, "'tram'"),
        ({"model": "m.txt"}, ModelUnsupported, "m.txt"),
    ],
)
def test_what_concerns_all_cameras_is_refused_after_each_was_checked(
    more: dict[str, Any], error: type[Exception], words: str, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    (tmp_path / "m.txt").touch()
    if "model" in more:
        more = {"model": str(tmp_path / more["model"])}
    settings = _settings(tmp_path).model_copy(update=Settings(**more).model_dump(include=set(more)))
    checks = check_cameras([_camera("a", clip.as_uri())], settings)
    assert next(checks).info is not None
    with pytest.raises(error, match=words):
        next(checks)


def test_what_runs_in_the_place_of_the_file_is_checked_and_said(tmp_path: Path, settings: Settings) -> None:
    clip, other = (write_clip(tmp_path / name, [20, 90]).as_uri() for name in ("a.mp4", "b.mp4"))
    with contextlib.closing(open_ledger(settings.ledger)) as ledger:
        for camera_id, uri in (("a", other), ("gone", None), ("new", f"{tmp_path.as_uri()}/none.mp4")):
            document = None if uri is None else {"id": camera_id, "uri": uri}
            change_camera(ledger, camera_id, document, "ann", NOON)
    file = [_camera("a", clip), _camera("gone", clip), _camera("same", clip)]

    changed, same, added, gone = check_cameras(file, settings)
    assert str(changed.camera.uri) == other
    (warning,) = changed.warnings
    assert warning.code == "not-as-in-file"
    assert warning.text.startswith("changed by ann on 2026-03-01")
    assert warning.text.endswith(f"it runs with {other}")
    assert (same.camera.id, same.warnings) == ("same", ())
    assert "does not exist" in (added.problem or "")
    assert "added by ann" in added.warnings[0].text
    assert (gone.camera.id, gone.warnings[0].code) == ("gone", "removed")


def test_without_a_ledger_none_is_made(tmp_path: Path, settings: Settings) -> None:
    list(check_cameras([_camera("a", write_clip(tmp_path / "a.mp4", [20, 90]).as_uri())], settings))
    assert not list(settings.home.glob("ledger*"))


def test_a_mask_that_hides_the_picture_is_warned_of(tmp_path: Path, settings: Settings) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90]).as_uri()
    halves = (((0, 0), (1, 0), (1, 0.5), (0, 0.5)), ((0, 0.5), (1, 0.5), (1, 1), (0, 1)))
    hidden, half = check_cameras(
        [_camera("a", clip, mask=halves), _camera("b", clip, mask=halves[:1])], settings
    )
    assert [(w.code, w.text.partition(",")[0]) for w in hidden.warnings] == [
        ("mask", "the mask hides 100% of the picture")
    ]
    assert half.warnings == ()


def test_a_problem_does_not_repeat_the_name_of_its_camera(tmp_path: Path, settings: Settings) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90]).as_uri()
    cameras = [_camera("a", clip, classes={"x": ("tram",), "y": ("van",)}), _camera("b", "watch://clips")]
    unknown, malformed = check_cameras(cameras, settings)
    assert unknown.problem == (
        "classes: the model has no class 'tram'; it has car, bus; "
        "classes: the model has no class 'van'; it has car, bus"
    )
    assert malformed.problem == "watch://clips: write a folder as watch:///absolute/path"
