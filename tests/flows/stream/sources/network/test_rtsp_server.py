"""Cameras behind a real RTSP server that is killed, frozen, restarted and changed under them."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.servers.cameras.rtsp import Mount, RtspServer, annexb
from tests.support.stream_flow.watcher import Watcher

pytestmark = [pytest.mark.rtsp, pytest.mark.model]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, street_clip: Path) -> Path:
    return annexb(street_clip, tmp_path_factory.mktemp("rtsp") / "street.h264", reencode=True)


@pytest.fixture
def server(street: Path) -> Iterator[RtspServer]:
    with RtspServer({"a40": Mount((street,))}) as running:
        yield running


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_pictures_come_in_order_of_a_rising_time(
    transport: str, server: RtspServer, watch: Callable[..., Watcher]
) -> None:
    frames = watch(server.url("a40"), transport).frames(60)
    assert [frame.frame_id for frame in frames] == list(range(60))
    steps = [b.pts - a.pts for a, b in itertools.pairwise(frames)]
    assert all(step > 0 for step in steps)
    # The server sends 25 a second; the first stamp of a stream may be missing.
    assert steps[5:] == pytest.approx([0.04] * len(steps[5:]), abs=0.001)


def test_h265_is_read_too(tmp_path: Path, street_clip: Path, watch: Callable[..., Watcher]) -> None:
    file = annexb(street_clip, tmp_path / "street.h265", "h265", reencode=True, seconds=4)
    with RtspServer({"a40": Mount((file,), "h265")}) as server:
        frame = watch(server.url("a40")).frames(20)[-1]
    assert frame.picture.bgr().shape == (288, 352, 3)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_frozen_server_is_noticed_within_3_s_and_back_within_5_s_of_its_return(
    transport: str, server: RtspServer, watch: Callable[..., Watcher]
) -> None:
    camera = watch(server.url("a40"), transport)
    camera.frames(10)
    server.pause()
    assert camera.until(camera.lost, 10) < 3
    before = camera.account.snapshot().decoded
    server.resume()
    assert camera.until(camera.live, 10) < 5
    assert camera.until(lambda: camera.account.snapshot().decoded > before, 5) < 5
    assert camera.reader.reconnects == 1


def test_a_killed_server_is_noticed_at_once_and_back_within_5_s_of_its_return(
    server: RtspServer, watch: Callable[..., Watcher]
) -> None:
    camera = watch(server.url("a40"))
    frames = camera.frames(10)
    server.kill()
    assert camera.until(camera.lost, 10) < 3
    server.start()
    assert camera.until(camera.live, 10) < 5
    frames += camera.frames(30)
    assert all(b.pts > a.pts for a, b in itertools.pairwise(frames))


def test_a_camera_that_is_down_at_start_is_read_once_it_comes_up(
    server: RtspServer, watch: Callable[..., Watcher]
) -> None:
    uri = server.url("a40")
    server.kill()
    camera = watch(uri)
    camera.until(camera.lost, 10)
    server.start()
    camera.frames(5)
    assert camera.reader.reconnects == 0


def test_a_camera_may_change_its_resolution(
    tmp_path: Path, street_clip: Path, watch: Callable[..., Watcher]
) -> None:
    small = annexb(street_clip, tmp_path / "a.h264", reencode=True, seconds=2)
    large = annexb(street_clip, tmp_path / "b.h264", reencode=True, seconds=2, size=(640, 480))
    with RtspServer({"a40": Mount((small, large))}) as server:
        camera = watch(server.url("a40"))
        frames = camera.frames(120)
    sizes = {(f.picture.width, f.picture.height) for f in frames}
    assert sizes == {(352, 288), (640, 480)}
    assert camera.reader.reconnects == 0
    for frame in frames:
        assert frame.picture.luma().shape == frame.picture.bgr().shape[:2]


def test_a_dead_camera_does_not_affect_the_others(server: RtspServer, watch: Callable[..., Watcher]) -> None:
    dead = watch("rtsp://127.0.0.1:1/dead")
    neighbours = [watch(server.url("a40")) for _ in range(3)]
    for camera in neighbours:
        frames = camera.frames(100)
        # 100 frames take 4 s of media time; a hole would show as a longer step.
        assert frames[-1].pts - frames[10].pts == pytest.approx(89 * 0.04, rel=0.02)
    assert dead.lost()
