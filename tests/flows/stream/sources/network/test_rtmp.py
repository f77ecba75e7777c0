"""A camera whose pictures an RTMP server hands on."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import nginx
from tests.support.servers.nginx import Nginx
from tests.support.servers.ports import free_port
from tests.support.stream_flow.watcher import Watcher

pytestmark = [pytest.mark.nginx, pytest.mark.model]


class RtmpServer:
    """An nginx that takes streams and hands them on."""

    def __init__(self, server: Nginx, port: int, clip: Path) -> None:
        self.server, self._clip = server, clip
        self.url = f"rtmp://127.0.0.1:{port}/live/a40?key=hunter2hunter2"

    @contextmanager
    def camera(self) -> Iterator[None]:
        """A camera that sends its pictures."""
        command = [
            "ffmpeg",
            "-nostdin",
            "-loglevel",
            "error",
            "-re",
            "-stream_loop",
            "-1",
            "-i",
            str(self._clip),
        ]
        command += ["-an", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-f", "flv", self.url]
        sends = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            sends.kill()
            sends.wait()


@pytest.fixture
def rtmp(tmp_path: Path, street_clip: Path) -> Iterator[RtmpServer]:
    port = free_port()
    application = "application live { live on; drop_idle_publisher 5s; }"
    block = f"rtmp {{ server {{ listen 127.0.0.1:{port}; {application} }} }}\n"
    with nginx.running(tmp_path, block, port) as server:
        yield RtmpServer(server, port, street_clip)


def test_pictures_come_in_order(rtmp: RtmpServer, watch: Callable[..., Watcher]) -> None:
    with rtmp.camera():
        frames = watch(rtmp.url).frames(40)
    times = [frame.pts for frame in frames]
    assert times == sorted(set(times))
    assert frames[-1].picture.bgr().shape == (288, 352, 3)


def test_a_camera_that_stops_sending_is_lost_and_found_again(
    rtmp: RtmpServer, watch: Callable[..., Watcher]
) -> None:
    with rtmp.camera():
        camera = watch(rtmp.url)
        camera.frames(20)
    camera.until(camera.lost, 20)
    assert "hunter2" not in str(camera.reader.error)
    with rtmp.camera():
        camera.until(camera.live, 40)


def test_a_server_that_was_killed_is_found_again(rtmp: RtmpServer, watch: Callable[..., Watcher]) -> None:
    with rtmp.camera():
        camera = watch(rtmp.url)
        camera.frames(20)
        rtmp.server.kill()
        camera.until(camera.lost, 20)
    rtmp.server.start()
    with rtmp.camera():
        camera.until(camera.live, 40)
