import itertools
import subprocess
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from flows.stream.analysis.faults import RECORDING_FAILED
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.sources.source import SourceFrame
from streetloop.errors import SourceUnavailable
from streetloop.types import Image
from streetloop.video import Encoded, VideoReader
from tests.support.samples.odd_clips import quarters, steady, write_stamped
from tests.support.stream_flow.build import NOON, plain
from tests.support.stream_flow.fakes import FakeClock, ScriptedSource
from tests.support.stream_flow.recorded import (
    packets_of,
    record,
    recorder_of,
    segments_in,
    spool_in,
    times_in,
)


def _clip(
    path: Path, seconds: float, *, b_frames: int = 0, gop: int = 25, size: tuple[int, int] = (96, 64)
) -> Path:
    """A clip at 25 frames a second with a key frame every ``gop`` pictures."""
    options = {"preset": "veryfast", "bf": str(b_frames), "g": str(gop), "x264-params": "scenecut=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(quarters(index, *size), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("b_frames", [0, 2])
def test_packets_are_kept_as_they_are_and_parted_at_key_frames(tmp_path: Path, b_frames: int) -> None:
    clip, spool = _clip(tmp_path / "clip.mp4", 5, b_frames=b_frames), spool_in(tmp_path)
    frames = record(recorder_of(spool, segment_s=1.5), f"file://{clip}?live=0")

    segments = segments_in(spool)
    assert [len(times_in(video)) for video, _ in segments] == [50, 50, 25]
    kept = [digest for video, _ in segments for _, _, digest in packets_of(video)]
    assert kept == [digest for _, _, digest in packets_of(clip)]
    for video, note in segments:
        first, *_ = packets_of(video)
        assert first[1]  # a key frame
        assert (note.codec, note.width, note.height, note.gaps) == ("h264", 96, 64, ())
        assert note.ended_at is not None
        assert (note.ended_at - note.started_at).total_seconds() == pytest.approx(
            len(times_in(video)) / 25, abs=0.001
        )
    # A picture of a segment is found in the log by its media time.
    number = 0
    for video, note in segments:
        assert note.pts_offset is not None
        for time_s in times_in(video):
            assert time_s + note.pts_offset == pytest.approx(frames[number].pts, abs=1e-3)
            number += 1
        assert note.frame_id is not None
        assert 0 <= note.frame_id <= len(frames)


def test_a_segment_plays_while_it_grows(tmp_path: Path) -> None:
    clip, spool = _clip(tmp_path / "clip.mp4", 10), spool_in(tmp_path)
    seen: list[tuple[float, float]] = []
    recorder = recorder_of(spool)
    take = recorder.take

    def look(frame, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]
        take(frame, *args, **kwargs)
        if frame.frame_id and frame.frame_id % 50 == 0:
            (video,) = spool.videos()
            seen.append((frame.pts, times_in(video)[-1]))

    recorder.take = look  # type: ignore[method-assign]
    record(recorder, f"file://{clip}?live=0")
    assert len(seen) == 4
    assert all(now - last < 2.1 for now, last in seen), seen


def test_a_stream_that_comes_back_is_another_segment(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    parts = [_encoded(_clip(tmp_path / f"{k}.mp4", 2)) for k in range(2)]
    record(
        recorder_of(spool), source=ScriptedSource([*parts[0], SourceUnavailable("gone")], parts[1], fps=25)
    )
    (one, first), (other, second) = segments_in(spool)
    assert len(times_in(one)) == len(times_in(other)) == 50
    assert first.pts_offset != second.pts_offset
    assert first.key != second.key


def test_pictures_that_change_size_begin_another_segment(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    raw = tmp_path / "both.h264"
    raw.write_bytes(
        b"".join(_annexb(_clip(tmp_path / f"{size[0]}.mp4", 2, size=size)) for size in ((96, 64), (160, 96)))
    )
    record(recorder_of(spool), f"file://{raw}?live=0")
    (one, first), (other, second) = segments_in(spool)
    assert (first.width, first.height, second.width, second.height) == (96, 64, 160, 96)
    assert [len(times_in(video)) for video in (one, other)] == [50, 50]
    with VideoReader(str(other), "other") as reader:
        assert (reader.info.width, reader.info.height) == (160, 96)


def test_a_camera_that_comes_back_with_another_codec_begins_another_segment(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    recorder = recorder_of(spool)
    for codec in ("libx264", "libx265"):
        clip = tmp_path / f"{codec}.mp4"
        command = [
            "ffmpeg",
            "-nostdin",
            "-loglevel",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=160x96:rate=25",
        ]
        command += ["-t", "2", "-c:v", codec, "-bf", "0", "-x265-params", "log-level=none", str(clip)]
        subprocess.run(command, check=True)
        record(recorder, f"file://{clip}?live=0")
    found = segments_in(spool)
    assert [note.codec for _, note in found] == ["h264", "hevc"]
    assert [len(times_in(video)) for video, _ in found] == [50, 50]


def test_a_stream_without_stamps_gets_rising_ones(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    frames = _encoded(_clip(tmp_path / "clip.mp4", 2))
    for frame in frames:
        assert frame.encoded is not None
        for packet in frame.encoded.packets:
            packet.vendor.pts = packet.vendor.dts = None
    bare = [f._replace(media_s=None, encoded=Encoded(None, f.encoded.packets)) for f in frames if f.encoded]
    record(recorder_of(spool), source=ScriptedSource(bare, live=False, fps=25))
    ((video, note),) = segments_in(spool)
    times = times_in(video)
    assert len(times) == 50
    assert all(b > a for a, b in itertools.pairwise(times))
    assert times[-1] == pytest.approx(49 / 25, abs=0.1)
    assert note.pts_offset == pytest.approx(0.0)


def test_a_clock_that_is_set_back_overwrites_nothing(tmp_path: Path) -> None:
    class Wall(FakeClock):
        back = timedelta()

        def now(self) -> datetime:
            return super().now() - self.back

    spool, clock = spool_in(tmp_path), Wall()
    for back in (0, 3600):
        clock.back = timedelta(seconds=back)
        record(
            recorder_of(spool, clock=clock), f"file://{_clip(tmp_path / 'clip.mp4', 2)}?live=0", clock=clock
        )
    notes = sorted((note for _, note in segments_in(spool)), key=lambda n: n.started_at)
    assert len({note.key for note in notes}) == 2
    assert all(note.ended_at is not None and note.ended_at > note.started_at for note in notes)
    assert notes[1].started_at - notes[0].started_at == timedelta(hours=1)


def test_a_pause_of_the_stream_is_a_gap(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    clip = write_stamped(tmp_path / "clip.mp4", [*steady(50, 25), *steady(50, 25, start_s=4.0)], fps=25)
    record(recorder_of(spool), f"file://{clip}?live=0")
    ((_, note),) = segments_in(spool)
    ((start, end),) = note.gaps
    assert (start - note.started_at).total_seconds() == pytest.approx(1.96, abs=0.01)
    # A recorded pause of more than three seconds is a leap; this one is none.
    assert (end - start).total_seconds() == pytest.approx(2.04, abs=0.01)


def test_simulated_cameras_are_encoded_at_their_rate(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    record(
        recorder_of(spool, segment_s=2), "sim://larkfield/gantry?size=160x96&fps=10&frames=45&live=0", fps=5
    )
    segments = segments_in(spool)
    assert [len(times_in(video)) for video, _ in segments] == [10, 10, 3]
    assert {note.codec for _, note in segments} == {"h264"}
    assert segments[1][1].pts_offset == pytest.approx(2.0)


def test_single_pictures_are_encoded_and_a_new_size_is_a_new_segment(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    pictures = [SourceFrame(k / 2, plain(64 + 32 * (k >= 4), 48)) for k in range(8)]
    record(recorder_of(spool), source=ScriptedSource(pictures, live=False, fps=2))
    assert [(note.width, len(times_in(video))) for video, note in segments_in(spool)] == [(64, 4), (96, 4)]


def test_what_is_masked_is_black_in_the_recording(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    left = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    record(recorder_of(spool), f"file://{_clip(tmp_path / 'clip.mp4', 1)}?live=0", mask=[left])
    ((video, _),) = segments_in(spool)
    with VideoReader(str(video), "video") as reader:
        pictures = [picture.bgr() for _, picture in reader.pictures()]
    assert len(pictures) == 25
    assert max(picture[:, :44].max() for picture in pictures) < 20
    assert min(picture[:, 52:].mean() for picture in pictures) > 80


def test_motion_is_measured(tmp_path: Path) -> None:
    def moving(k: int) -> Image:
        image = np.full((64, 96, 3), 90, np.uint8)
        if k >= 50:
            left = (k * 3) % 70
            image[20:44, left : left + 24] = 250
        return image

    spool = spool_in(tmp_path)
    clip = write_stamped(tmp_path / "clip.mp4", steady(100, 25), moving, fps=25)
    record(recorder_of(spool), f"file://{clip}?live=0", gate=MotionGate())
    record(recorder_of(spool, mode="motion"), f"file://{clip}?live=0")
    record(recorder_of(spool), f"file://{clip}?live=0")
    motion = [note.motion for _, note in segments_in(spool)]
    # Half, and what the gate stays open after the first picture, which has no background.
    assert motion[:2] == [pytest.approx(0.6, abs=0.05)] * 2
    assert motion[2] is None  # nobody looked


def test_a_full_spool_stops_recording_says_so_and_the_camera_goes_on(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, limit_bytes=10_000)
    clip = _clip(tmp_path / "clip.mp4", 10, size=(320, 192))
    recorder = recorder_of(spool, segment_s=1)
    frames = record(recorder, f"file://{clip}?live=0")
    assert len(frames) == 250
    (fault,) = recorder.faults()
    assert fault.kind == RECORDING_FAILED
    assert "recording rests until the object store takes its segments" in fault.text
    assert sum(video.stat().st_size for video in spool.videos()) < 100_000


def test_a_disk_without_room_stops_recording(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, reserve_bytes=10**18)
    recorder = recorder_of(spool)
    frames = record(recorder, f"file://{_clip(tmp_path / 'clip.mp4', 1)}?live=0")
    assert len(frames) == 25
    assert "MB left: recording rests until there is room" in recorder.faults()[0].text
    assert spool.videos() == []


def test_a_folder_that_vanishes_is_a_fault_and_no_end(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    recorder = recorder_of(spool_in(tmp_path))
    assert len(record(recorder, f"file://{_clip(tmp_path / 'clip.mp4', 1)}?live=0")) == 25
    assert "cannot be written" in recorder.faults()[0].text


def test_two_writers_of_one_camera_are_apart(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "clip.mp4", 2)
    spools = [spool_in(tmp_path), spool_in(tmp_path)]
    clock = FakeClock(NOON)
    for spool in spools:
        record(recorder_of(spool, clock=clock), f"file://{clip}?live=0", clock=clock)
    keys = {note.key for spool in spools for _, note in segments_in(spool)}
    assert len(keys) == 2
    with spools[0].left_behind() as orphans:
        assert orphans == []  # both are at work
    spools[1].close()
    with spools[0].left_behind() as orphans:
        assert len(orphans) == 1


def _encoded(clip: Path) -> list[SourceFrame]:
    """The pictures of a clip with their packets, which keep the clip open."""
    reader = VideoReader(str(clip), "clip")
    return [SourceFrame(time, picture, encoded=picture.encoded) for time, picture in reader.pictures()]


def _annexb(clip: Path) -> bytes:
    from av.bitstream import BitStreamFilterContext

    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        to_annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
        found = [p for packet in container.demux(stream) if packet.size for p in to_annexb.filter(packet)]
        return b"".join(bytes(packet) for packet in found)
