import itertools
import traceback
from pathlib import Path

import av
import av.error
import numpy as np
import pytest

from streetloop.errors import SourceError, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.types import Image
from streetloop.video import TRANSLATED, VideoReader, VideoWriter
from streetloop.video.arrivals import Arrivals
from tests.support.contracts.vendor_errors import errors_of
from tests.support.samples.odd_clips import quarters, write_stamped

PASSWORD = "hunter2"


def picture(k: int, width: int = 64, height: int = 48) -> Image:
    """A bright square that moves over a ramp of colours."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 200, width).astype(np.uint8)
    image[..., 1] = 90
    image[10:20, k % (width - 10) : k % (width - 10) + 10] = 255
    return image


def write(path: Path, frames: int = 50, fps: float = 25.0) -> Path:
    with VideoWriter(path) as writer:
        for k in range(frames):
            writer.write(picture(k), k / fps)
    return path


def encode(path: Path, options: dict[str, str], frames: int = 50) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(k), format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_what_was_written_is_read_back_with_its_times(tmp_path: Path) -> None:
    with VideoReader(str(write(tmp_path / "a.mp4")), "a") as reader:
        assert (reader.info.codec, reader.info.width, reader.info.height) == ("h264", 64, 48)
        read = list(reader.pictures())
    assert [time for time, _ in read] == pytest.approx([k / 25 for k in range(50)], abs=1e-3)
    difference = np.abs(read[7][1].bgr().astype(int) - picture(7).astype(int))
    assert np.median(difference) < 6


def test_times_need_not_be_even(tmp_path: Path) -> None:
    times = [0.0, 0.04, 1.5, 1.54, 9.0]
    with VideoWriter(tmp_path / "a.mp4") as writer:
        for k, time in enumerate(times):
            writer.write(picture(k), time)
    with VideoReader(str(tmp_path / "a.mp4"), "a") as reader:
        assert [time for time, _ in reader.pictures()] == pytest.approx(times, abs=1e-3)


def test_odd_and_changing_sizes_are_written(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.write(picture(0, 65, 49), 0.0)
        writer.write(picture(1, 128, 96), 0.04)
    with VideoReader(str(tmp_path / "a.mp4"), "a") as reader:
        sizes = [(p.width, p.height) for _, p in reader.pictures()]
    assert sizes == [(64, 48), (64, 48)]


def test_brightness_agrees_with_the_colours(tmp_path: Path) -> None:
    with VideoReader(str(write(tmp_path / "a.mp4", 3)), "a") as reader:
        _, first = next(iter(reader.pictures()))
        blue, green, red = (first.bgr()[..., k].astype(float) for k in range(3))
        gray = 0.114 * blue + 0.587 * green + 0.299 * red
        # Video stores brightness as 16 to 235.
        stretched = (first.luma().astype(float) - 16) * 255 / 219
    assert np.median(np.abs(stretched - gray)) < 4
    assert first.luma().shape == (48, 64)


def test_frames_that_refer_to_later_ones_come_in_order_of_display(tmp_path: Path) -> None:
    path = encode(tmp_path / "b.mp4", {"bf": "3", "g": "50", "x264-params": "b-adapt=0"})
    with VideoReader(str(path), "b") as reader:
        times = [time for time, _ in reader.pictures()]
    assert len(times) == 50
    assert all(b > a for a, b in itertools.pairwise(t for t in times if t is not None))


def test_pictures_without_times_are_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "raw.h264", {"bf": "0"})
    with VideoReader(str(path), "raw") as reader:
        assert sum(1 for _ in reader.pictures()) == 50


def test_damage_in_the_middle_does_not_end_the_stream(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", {"g": "5", "bf": "0"}, frames=100)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = b"\0" * 300
    path.write_bytes(data)
    with VideoReader(str(path), "a") as reader:
        times = [time for time, _ in reader.pictures()]
    assert len(times) > 60
    assert times[-1] == pytest.approx(99 / 25, abs=0.1)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("text.mp4", b"this is no video\n" * 50, SourceUnreadable),
        ("empty.mp4", b"", SourceUnreadable),
        ("missing.mp4", None, SourceUnavailable),
    ],
)
def test_what_cannot_be_opened(
    name: str, content: bytes | None, kind: type[SourceError], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=name):
        VideoReader(str(tmp_path / name), name)


def test_a_title_in_latin_1_does_not_hinder(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Kreuzung Sued"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), format="bgr24")))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert b"Kreuzung Sued" in data
    path.write_bytes(data.replace(b"Kreuzung Sued", "Kreuzung Südd".encode("latin-1")))
    with VideoReader(str(path), "a") as reader:
        assert reader.probe() is not None


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(SourceUnreadable, match="no video stream"):
        VideoReader(str(path), "sound.wav")


def test_a_password_does_not_leave_with_the_error() -> None:
    with pytest.raises(SourceUnavailable) as failed:
        VideoReader(f"rtsp://admin:{PASSWORD}@127.0.0.1:1/x", "rtsp://***@127.0.0.1:1/x")
    assert PASSWORD not in "".join(traceback.format_exception(failed.value))


def test_the_index_tells_where_a_whole_file_would_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    with VideoReader(str(path), "a") as reader:
        assert 0 < reader.last_byte <= path.stat().st_size
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(str(path), "a") as reader:
        assert reader.last_byte > path.stat().st_size


def gray_frames(path: Path, codec: str, pix_fmt: str, options: dict[str, str]) -> Path:
    """Thirty frames of one gray each, 20, 26, 32 and so on, on a texture."""
    texture = np.random.default_rng(0).integers(0, 20, (50, 90, 1), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 90, 50, pix_fmt
        for k in range(30):
            image = np.repeat(texture + np.uint8(20 + 6 * k), 3, axis=2)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "full_range"),
    [
        ("a.mp4", "libx264", "yuv420p", False),
        ("a.mp4", "libx264", "yuv444p", False),
        ("a.mp4", "mpeg4", "yuv420p", False),
        ("a.avi", "mjpeg", "yuvj420p", True),
        ("a.mp4", "libx264", "yuv420p10le", True),  # not planes of bytes: by way of the colours
        ("a.mkv", "ffv1", "bgr0", True),
        ("a.mkv", "ffv1", "gray", True),
    ],
)
def test_brightness_is_that_of_the_picture_in_every_layout_of_pixels(
    name: str, codec: str, pix_fmt: str, full_range: bool, tmp_path: Path
) -> None:
    # 90 is no multiple of what decoders pad their rows to.
    path = gray_frames(tmp_path / name, codec, pix_fmt, {})
    with VideoReader(str(path), "a") as reader:
        for _, shown in reader.pictures():
            luma, gray = shown.luma().astype(float), shown.bgr().astype(float).mean(axis=2)
            assert luma.shape == (shown.height, shown.width) == (50, 90)
            assert shown.luma().dtype == shown.bgr().dtype == np.uint8
            assert shown.bgr().shape == (50, 90, 3)
            # Most video stores brightness as 16 to 235.
            assert np.abs(luma - (gray if full_range else 16 + gray * 219 / 255)).max() < 5


def test_pictures_come_in_the_order_in_which_they_were_taken(tmp_path: Path) -> None:
    options = {"bf": "3", "b_strategy": "0", "preset": "fast"}
    path = gray_frames(tmp_path / "b.mp4", "libx264", "yuv420p", options)
    with av.open(str(path)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert stored != sorted(stored)
    with VideoReader(str(path), "b") as reader:
        shown = [(time, float(one.luma().mean())) for time, one in reader.pictures()]
    assert [time for time, _ in shown] == pytest.approx([k / 10 for k in range(30)], abs=1e-3)
    assert all(later > earlier + 3 for (_, earlier), (_, later) in itertools.pairwise(shown))


@pytest.mark.parametrize(
    ("damaged", "lost"),
    [(10, range(10, 20)), (15, range(15, 16))],
    ids=["a picture that others build on", "a picture among others"],
)
def test_a_packet_that_does_not_decode_is_skipped_and_counted(
    damaged: int, lost: range, tmp_path: Path
) -> None:
    options = {"bf": "0", "g": "10", "sc_threshold": "0"}
    path = gray_frames(tmp_path / "a.mp4", "libx264", "yuv420p", options)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = packets[damaged].pos, packets[damaged].size
    assert place is not None
    data = bytearray(path.read_bytes())
    data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with VideoReader(str(path), "a") as reader:
        times = [round((time or 0) * 10) for time, _ in reader.pictures()]
        assert reader.corrupt_packets == 1
    assert times == sorted(set(times))
    assert set(range(30)) - set(times) <= set(lost)
    assert damaged not in times


def test_a_whole_clip_has_no_corrupt_packets(tmp_path: Path) -> None:
    with VideoReader(str(write(tmp_path / "a.mp4")), "a") as reader:
        assert sum(1 for _ in reader.pictures()) == 50
        assert reader.corrupt_packets == 0


def test_a_clip_that_lacks_its_end_is_read_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-200])
    with VideoReader(str(path), "a") as reader:
        times = [time for time, _ in reader.pictures()]
    assert 0 < len(times) < 50
    assert times == pytest.approx([k / 25 for k in range(len(times))], abs=1e-3)


@pytest.mark.parametrize("kept", [10, 100])
def test_a_clip_cut_short_within_its_header_is_unreadable(kept: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(SourceUnreadable):
        VideoReader(str(path), "a")


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="the folder"):
        VideoReader(str(tmp_path), "the folder")


def test_bad_data_from_a_live_source_counts_as_silence(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("this is no video\n" * 50)
    with pytest.raises(SourceStalled):
        VideoReader(str(path), "a", live=True)


def test_a_writer_makes_the_folders_on_its_way(tmp_path: Path) -> None:
    path = write(tmp_path / "x" / "y" / "a.mp4", frames=1)
    with VideoReader(str(path), "a") as reader:
        assert sum(1 for _ in reader.pictures()) == 1


def test_a_writer_that_was_given_nothing_can_be_closed(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4"):
        pass


def test_every_error_of_pyav_has_a_translation() -> None:
    raised = errors_of(av.error)
    assert len(raised) > 50
    assert [e for e in raised if not any(base in TRANSLATED for base in e.__mro__)] == []


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_picture_is_turned_and_mirrored_as_its_metadata_say(
    tmp_path: Path, degrees: int, mirrored: bool
) -> None:
    path = write_stamped(tmp_path / "a.mp4", [0.0], turn=(degrees, mirrored, False))
    stored = quarters()
    expected = np.rot90(stored, degrees // 90)  # both turn against the clock
    if mirrored:
        expected = expected[:, ::-1]
    with VideoReader(str(path), "a") as reader:
        shown = next(picture for _, picture in reader.pictures())
    assert (shown.height, shown.width) == expected.shape[:2]
    assert np.median(np.abs(shown.bgr().astype(int) - expected)) < 8
    luma = (shown.luma().astype(float) - 16) * 255 / 219
    assert np.median(np.abs(luma - expected[:, :, 0])) < 8


def test_a_live_picture_tells_how_long_the_decoder_held_it(tmp_path: Path) -> None:
    path = encode(tmp_path / "b.mp4", {"bf": "3", "g": "50", "x264-params": "b-adapt=0"})
    with VideoReader(str(path), "b") as reader:
        assert {picture.held_s for _, picture in reader.pictures()} == {0.0}
    with VideoReader(str(path), "b", live=True) as reader:
        held = [picture.held_s for _, picture in reader.pictures()]
    assert len(held) == 50
    assert all(seconds > 0 for seconds in held)


def test_a_live_stream_is_decoded_picture_by_picture(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", {"bf": "0"})
    with VideoReader(str(path), "a", live=True) as reader:
        pictures = reader.pictures()
        for _ in range(10):
            next(pictures)
            # Threads for whole frames would have one packet each in work.
            assert not reader._arrivals._arrived


def test_arrivals_of_packets_without_a_picture_are_forgotten() -> None:
    arrivals = Arrivals(late=False)
    for pts in range(1000):
        arrivals.note(pts)
    assert len(arrivals._arrived) < 100
    assert arrivals.held_s(0) == arrivals.held_s(None) == 0.0
    assert arrivals.held_s(999) > 0
