"""Real cameras, recorded: packets beside frames of one connection, losses, other sizes."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.stream.recording.recorder import CameraRecorder
from flows.stream.recording.spool import Spool
from tests.support.samples.odd_clips import quarters, steady, write_stamped
from tests.support.servers.cameras.rtsp import Mount, RtspServer, annexb
from tests.support.servers.cameras.rtsp_relay import RtspRelay
from tests.support.stream_flow.recorded import recorder_of, segments_in, spool_in, times_in
from tests.support.stream_flow.watcher import Watcher

pytestmark = [pytest.mark.rtsp]

Watch = Callable[[str, CameraRecorder], Watcher]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    folder = tmp_path_factory.mktemp("rtsp")
    small = write_stamped(folder / "small.mp4", steady(50, fps=25), fps=25)
    large = write_stamped(folder / "large.mp4", steady(50, fps=25), lambda k: quarters(k, 160, 96), fps=25)
    files = [annexb(clip, clip.with_suffix(".h264"), reencode=True) for clip in (small, large)]
    h265 = annexb(small, folder / "small.h265", "h265", reencode=True)
    mounts = {"street": Mount((files[0],)), "changing": Mount(tuple(files)), "h265": Mount((h265,), "h265")}
    with RtspServer(mounts) as running:
        yield running


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return spool_in(tmp_path)


def _record(url: str, recorder: CameraRecorder, frames: int) -> Watcher:
    watcher = Watcher(url, recorder=recorder)
    try:
        watcher.frames(frames)
    finally:
        watcher.close()
    return watcher


@pytest.mark.parametrize(("name", "codec"), [("street", "h264"), ("h265", "hevc")])
def test_what_was_seen_is_kept_with_one_connection(
    server: RtspServer, spool: Spool, name: str, codec: str
) -> None:
    with RtspRelay(server.port) as relay:
        watcher = _record(relay.url(name), recorder_of(spool, segment_s=1.5, live=True), 120)
        assert relay.most_at_once == 1
    segments = segments_in(spool)
    assert [note.codec for _, note in segments] == [codec] * len(segments)
    lengths = [len(times_in(video)) for video, _ in segments]
    assert lengths[:2] == [50, 50]  # key frames come every second
    assert sum(lengths) == watcher.account.snapshot().decoded
    first, second = (note for _, note in segments[:2])
    assert first.ended_at is not None
    assert (second.started_at - first.ended_at).total_seconds() == pytest.approx(0, abs=0.5)
    assert second.pts_offset == pytest.approx(2.0, abs=0.01)


def test_pictures_that_change_size_while_a_camera_is_read_part_a_segment(
    server: RtspServer, spool: Spool
) -> None:
    _record(server.url("changing"), recorder_of(spool, live=True), 160)
    sizes = [(note.width, note.height) for _, note in segments_in(spool)]
    assert len(sizes) >= 3
    assert set(sizes) == {(96, 64), (160, 96)}
    assert all(a != b for a, b in itertools.pairwise(sizes))
    assert all(len(times_in(video)) == 50 for video, _ in segments_in(spool)[1:-1])


def test_a_camera_that_is_lost_and_comes_back_leaves_two_segments(spool: Spool, tmp_path: Path) -> None:
    clip = write_stamped(tmp_path / "clip.mp4", steady(50, fps=25), fps=25)
    street = annexb(clip, tmp_path / "clip.h264", reencode=True)
    with RtspServer({"street": Mount((street,))}) as server:
        watcher = Watcher(server.url("street"), recorder=recorder_of(spool, live=True))
        watcher.frames(40)
        server.kill()
        watcher.until(watcher.lost, 10)
        server.start()
        watcher.until(watcher.live, 30)
        watcher.frames(40)
        watcher.close()
    (one, first), (other, second) = segments_in(spool)
    assert len(times_in(one)) >= 39
    assert len(times_in(other)) >= 39
    assert first.ended_at is not None
    assert second.started_at > first.ended_at
