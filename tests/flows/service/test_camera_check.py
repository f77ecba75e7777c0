import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.service.camera_check import check_cameras
from streetloop.cameras import Camera
from streetloop.secrets import SecretUri
from tests.support.build import write_clip


def _camera(camera_id: str, uri: str) -> Camera:
    return Camera(id=camera_id, uri=SecretUri(uri))


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address of this machine that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_camera_that_opens_says_what_it_is(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90, 160], fps=25)
    (checked,) = check_cameras([_camera("a", clip.as_uri())])

    assert checked.problem is None
    assert checked.info is not None
    assert (checked.info.codec, checked.info.width, checked.info.height) == ("h264", 64, 48)
    assert checked.info.fps == pytest.approx(25)


def test_every_camera_is_checked_and_answers_come_in_order(tmp_path: Path, nobody: str) -> None:
    clip = write_clip(tmp_path / "a.mp4", [20, 90])
    cameras = [
        _camera("missing", f"{tmp_path.as_uri()}/none.mp4"),
        _camera("good", clip.as_uri()),
        _camera("away", f"rtsp://admin:s3cret@{nobody}/ch1"),
        _camera("wrong", f"{clip.as_uri()}?fps=fast"),
        _camera("also-good", f"{clip.as_uri()}?loop=1"),
    ]
    checked = list(check_cameras(cameras))

    assert [result.camera.id for result in checked] == [camera.id for camera in cameras]
    assert [result.info is not None for result in checked] == [False, True, False, False, True]
    assert all((result.info is None) is (result.problem is not None) for result in checked)
    problems = [result.problem or "" for result in checked]
    assert "does not exist" in problems[0]
    assert f"rtsp://***@{nobody}/ch1" in problems[2]
    assert "camera 'wrong'" in problems[3]
    assert not any("s3cret" in problem for problem in problems)


def test_more_cameras_than_are_opened_at_a_time_are_all_checked(tmp_path: Path) -> None:
    cameras = [_camera(f"c{i}", f"{tmp_path.as_uri()}/{i}.mp4") for i in range(40)]
    checked = list(check_cameras(cameras))

    assert [result.camera.id for result in checked] == [f"c{i}" for i in range(40)]
    assert all(f"/{i}.mp4 does not exist" in (r.problem or "") for i, r in enumerate(checked))


def test_no_cameras_is_nothing_to_check() -> None:
    assert list(check_cameras([])) == []
