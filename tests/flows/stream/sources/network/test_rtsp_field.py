"""Cameras behind real RTSP servers that are slow to answer, slow to send, or refuse for a while."""

from collections.abc import Callable, Iterator

import pytest

from flows.stream.ingest.camera_state import CameraState
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.servers.cameras.rtsp import Mount, RtspServer, annexb
from tests.support.servers.cameras.rtsp_relay import RtspRelay
from tests.support.stream_flow.watcher import Watcher

pytestmark = [pytest.mark.rtsp]

Watch = Callable[..., Watcher]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    folder = tmp_path_factory.mktemp("rtsp")
    clip = write_stamped(folder / "street.mp4", steady(50, fps=25), fps=25)
    street = annexb(clip, folder / "street.h264", reencode=True)
    rates = {"f25": 25.0, "f1": 1.0, "f04": 0.4, "f02": 0.2}
    with RtspServer({name: Mount((street,), fps=fps) for name, fps in rates.items()}) as running:
        yield running


@pytest.mark.parametrize("describe_s", [0.8, 2, 4, 8])
def test_a_server_that_is_slow_to_answer_is_live_at_the_first_attempt(
    describe_s: float, server: RtspServer, watch: Watch
) -> None:
    with RtspRelay(server.port, describe_s) as relay:
        camera = watch(relay.url("f25"))
        assert camera.until(camera.live, describe_s + 5) > describe_s
        camera.frames(25)
        assert (relay.described, relay.most_at_once) == (1, 1)
    assert camera.reader.reconnects == 0


@pytest.mark.parametrize(("name", "fps"), [("f04", 0.4), ("f02", 0.2)])
def test_a_slow_camera_stays_live_and_its_lag_counts_what_is_held_back(
    name: str, fps: float, server: RtspServer, watch: Watch
) -> None:
    camera = watch(server.url(name))
    # FFmpeg looks at the first four before it gives out any.
    frames = camera.frames(5, timeout_s=5 / fps + 10)

    assert camera.live()
    assert camera.reader.reconnects == 0
    # FFmpeg knows that a picture is whole once the next one begins.
    assert frames[-1].held_s == pytest.approx(1 / fps, abs=0.3)
    steps = (frames[-1].captured_at - frames[-2].captured_at).total_seconds()
    assert steps == pytest.approx(1 / fps, abs=0.3)
    assert frames[-1].pts - frames[-2].pts == pytest.approx(1 / fps, abs=0.05)


def test_a_fast_cameras_picture_is_held_for_one_period_only(server: RtspServer, watch: Watch) -> None:
    frames = watch(server.url("f25")).frames(60)
    held = sorted(frame.held_s for frame in frames[20:])
    assert held[len(held) // 2] == pytest.approx(0.04, abs=0.02)


def test_a_camera_that_refuses_for_a_while_is_lost_and_comes_back(server: RtspServer, watch: Watch) -> None:
    with RtspRelay(server.port) as relay:
        camera = watch(relay.url("f25"))
        camera.until(camera.live, 10)
        relay.refuse_for(6.0)
        camera.until(camera.lost, 5)
        camera.until(lambda: "wrong user or password" in (camera.reader.error or ""), 5)
        assert camera.lost()
        assert camera.until(camera.live, 30) > 3
    assert camera.reader.reconnects == 1


def test_a_camera_that_refuses_from_the_start_has_failed(server: RtspServer, watch: Watch) -> None:
    with RtspRelay(server.port) as relay:
        relay.refuses = True
        camera = watch(relay.url("f25"))
        camera.until(lambda: camera.reader.finished, 10)
        assert relay.described <= 2  # FFmpeg asks again with the password, if there is one
    assert camera.reader.state is CameraState.FAILED
