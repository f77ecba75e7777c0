"""A camera that speaks RTSP over TLS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.stream.ingest.camera_state import CameraState
from tests.support.servers.cameras.rtsp import Mount, RtspServer, annexb
from tests.support.servers.certificate import self_signed
from tests.support.stream_flow.watcher import Watcher

pytestmark = [pytest.mark.rtsp, pytest.mark.model]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, street_clip: Path) -> Iterator[RtspServer]:
    folder = tmp_path_factory.mktemp("rtsps")
    street = annexb(street_clip, folder / "street.h264", reencode=True, seconds=4)
    certificate = self_signed(folder)
    with RtspServer(
        {"a40": Mount((street,))}, login=("admin", "hunter2"), certificate=certificate
    ) as running:
        yield running


def test_pictures_come_over_tls_and_again_after_a_restart(
    server: RtspServer, watch: Callable[..., Watcher]
) -> None:
    url = server.url("a40", "admin", "hunter2")
    assert url.startswith("rtsps://")
    camera = watch(url)
    assert len(camera.frames(30)) == 30
    server.kill()
    camera.until(camera.lost, 10)
    server.start()
    camera.until(camera.live, 20)


def test_a_wrong_password_is_refused(server: RtspServer, watch: Callable[..., Watcher]) -> None:
    camera = watch(server.url("a40", "admin", "s3same-0pen"))
    camera.until(lambda: camera.reader.error is not None, 20)
    assert "wrong user or password" in str(camera.reader.error)
    assert "0pen" not in str(camera.reader.error)
    assert camera.reader.state is CameraState.FAILED


def test_a_server_without_tls_is_lost_with_a_sentence(
    street_clip: Path, tmp_path: Path, watch: Callable[..., Watcher]
) -> None:
    street = annexb(street_clip, tmp_path / "street.h264", reencode=True, seconds=2)
    with RtspServer({"a40": Mount((street,))}) as plain:
        camera = watch(plain.url("a40").replace("rtsp://", "rtsps://"))
        camera.until(lambda: camera.reader.error is not None, 20)
    assert camera.account.snapshot().decoded == 0
