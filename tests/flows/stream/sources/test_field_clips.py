"""Clips as recorders leave them: their stamps start late, leap, go back, or are a minute apart."""

import itertools
import os
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from av.stream import Disposition

from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.camera_state import CameraState
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import Camera
from streetloop.errors import SourceUnreadable
from streetloop.secrets import SecretUri
from tests.support.samples.odd_clips import join, quarters, steady, write_stamped
from tests.support.stream_flow.fakes import FakeClock


class _Play:
    """What a camera reader makes of a clip.

    Attributes:
        arrivals: When each picture came, in seconds since the first.
        times: Its media time.
        reader: The reader, at the end.
    """

    def __init__(self, path: Path, options: str = "", most: int = 200) -> None:
        clock, account = FakeClock(), FrameAccount()
        camera = Camera(id="a", uri=SecretUri(path.as_uri() + options))
        mailbox = Mailbox(account, 1e9, threading.Condition())
        self.reader = CameraReader(camera, open_source(camera, clock), mailbox, account, clock)
        self.arrivals: list[float] = []
        self.times: list[float] = []
        for frame in itertools.islice(self.reader._source.read(threading.Event()), most):
            self.reader._connected()
            self.reader._take(frame)
            assert self.reader.newest is not None
            self.arrivals.append(clock.monotonic())
            self.times.append(self.reader.newest.pts)


Make = Callable[[Path], Path]


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_a_first_stamp_of_ten_minutes_delays_nothing(tmp_path: Path, suffix: str) -> None:
    play = _Play(write_stamped(tmp_path / f"late.{suffix}", steady(40, start_s=600)))

    assert play.arrivals == pytest.approx(steady(40), abs=1e-3)
    assert play.times == pytest.approx(steady(40), abs=1e-3)
    assert play.reader.gaps == 0


@pytest.mark.parametrize("start_s", [0.0, 1.4, 33.0])
def test_a_loop_never_stands_still(tmp_path: Path, start_s: float) -> None:
    clip = write_stamped(tmp_path / "plain.ts", steady(20, start_s=start_s))
    play = _Play(clip, "?loop=1", most=90)

    assert play.arrivals == pytest.approx(steady(90), abs=1e-3)
    assert play.times == pytest.approx(steady(90), abs=1e-3)
    assert play.reader.gaps == 0


def _leap(suffix: str, leap_s: float) -> Make:
    def make(folder: Path) -> Path:
        return write_stamped(folder / f"gap.{suffix}", steady(20) + steady(20, start_s=2.0 + leap_s))

    return make


def _segments(*starts_s: float) -> Make:
    def make(folder: Path) -> Path:
        parts = [write_stamped(folder / f"{k}.ts", steady(20, start_s=s)) for k, s in enumerate(starts_s)]
        return join(folder / "joined.ts", *parts)

    return make


@pytest.mark.parametrize(
    ("make", "gaps"),
    [
        (_leap("mkv", 3600), 1),
        (_leap("mkv", 5), 1),
        (_leap("mp4", 26), 1),
        (_leap("ts", 26), 1),
        (_segments(0, 30), 1),
        (_segments(30, 0), 1),
        (_segments(0, 30, 0, 7200), 3),
        (_segments(0, 1.7), 1),  # the second begins within the first
    ],
)
def test_a_leap_within_a_clip_is_counted_and_played_on_at_once(tmp_path: Path, make: Make, gaps: int) -> None:
    play = _Play(make(tmp_path))
    steps = [after - before for before, after in itertools.pairwise(play.arrivals)]

    assert len(steps) in {39, 79}
    assert max(steps) < 0.11
    assert sum(step < 0.09 for step in steps) <= 2  # no burst
    assert play.times == pytest.approx(play.arrivals, abs=1e-3)
    assert play.reader.gaps == gaps


def test_a_pause_of_two_seconds_is_the_recordings_own(tmp_path: Path) -> None:
    play = _Play(write_stamped(tmp_path / "pause.mkv", steady(10) + steady(10, start_s=3.0)))

    assert play.times[10] == pytest.approx(3.0)
    assert play.reader.gaps == 0


@pytest.mark.parametrize("period_s", [15, 60])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_time_lapse_keeps_its_time(tmp_path: Path, suffix: str, period_s: int) -> None:
    times = steady(20, fps=1 / period_s)
    clip = write_stamped(tmp_path / f"lapse.{suffix}", times, fps=Fraction(1, period_s))
    played, read = _Play(clip), _Play(clip, "?live=0")

    assert played.arrivals == pytest.approx(times)
    assert read.times == pytest.approx(times)
    assert read.arrivals[-1] == 0.0
    assert read.reader.gaps == played.reader.gaps == 0


@pytest.mark.parametrize("stamp_s", [0.0, 7.0])
def test_stamps_that_stand_still_are_none(tmp_path: Path, stamp_s: float) -> None:
    play = _Play(write_stamped(tmp_path / "frozen.mkv", [stamp_s] * 40))

    assert play.times == pytest.approx(steady(40), abs=0.1)
    assert play.arrivals == pytest.approx(play.times)
    assert play.reader.gaps == 0


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_an_uneven_rate_keeps_the_times_of_its_pictures(tmp_path: Path, suffix: str) -> None:
    times = [0.0, 0.1, 0.4, 0.5, 1.1, 1.2, 1.9]
    play = _Play(write_stamped(tmp_path / f"uneven.{suffix}", times))

    assert play.times == pytest.approx(times, abs=1e-3)
    assert play.arrivals == pytest.approx(times, abs=1e-3)
    assert play.reader.gaps == 0


def test_a_recording_that_begins_between_two_key_pictures_plays_from_the_next_one(tmp_path: Path) -> None:
    whole = write_stamped(tmp_path / "whole.ts", steady(80)).read_bytes()
    (tmp_path / "cut.ts").write_bytes(whole[len(whole) // 3 :])
    play = _Play(tmp_path / "cut.ts")

    assert 5 < len(play.times) < 80
    assert play.times[0] == play.arrivals[0] == 0.0
    assert play.times == pytest.approx(steady(len(play.times)), abs=0.01)


def test_a_recording_whose_size_changes_goes_on_in_the_new_one(tmp_path: Path) -> None:
    small = write_stamped(tmp_path / "a.ts", steady(10))
    large = write_stamped(tmp_path / "b.ts", steady(10, start_s=1.0), lambda k: quarters(k, 160, 128))
    source = open_source(
        Camera(id="a", uri=SecretUri(join(tmp_path / "c.ts", small, large).as_uri())), FakeClock()
    )
    sizes = [frame.picture.bgr().shape[:2] for frame in source.read(threading.Event())]

    assert sizes == [(64, 96)] * 10 + [(128, 160)] * 10


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    source = open_source(Camera(id="a", uri=SecretUri((tmp_path / "pipe.mp4").as_uri())), FakeClock())
    with pytest.raises(SourceUnreadable, match=r"pipe.mp4 is a pipe, socket or device, not a file"):
        source.probe()


@pytest.mark.parametrize("name", ["a#b.mp4", "sp ace é/a b.mp4", "100%41.mp4", "what?.mp4", "größe ß.mkv"])
def test_any_name_of_a_file_can_be_played_once_it_is_escaped(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    play = _Play(write_stamped(tmp_path / name, steady(3)))

    assert len(play.times) == 3
    assert play.reader.state is CameraState.LIVE


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_clip_is_upright_and_probed_so(tmp_path: Path, turn: int) -> None:
    clip = write_stamped(tmp_path / "phone.mp4", steady(3), turn=(turn, False, False))
    source = open_source(Camera(id="a", uri=SecretUri(clip.as_uri())), FakeClock())
    info, first = source.probe(), next(iter(source.read(threading.Event()))).picture

    assert (info.width, info.height) == (first.width, first.height)
    assert first.bgr().shape[:2] == first.luma().shape == (first.height, first.width)
    assert (first.width, first.height) == ((96, 64) if turn == 180 else (64, 96))


@pytest.mark.parametrize("disposition", [Disposition(0), Disposition.default, Disposition.attached_pic])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_cover_is_not_the_film(tmp_path: Path, suffix: str, disposition: Disposition) -> None:
    clip = write_stamped(tmp_path / f"cover.{suffix}", steady(40), cover=disposition)
    play = _Play(clip)

    assert len(play.times) == 40
    assert play.reader.newest is not None
    assert (play.reader.newest.picture.width, play.reader.newest.picture.height) == (96, 64)


@pytest.mark.parametrize(("width", "height"), [(2, 4000), (4000, 2), (16, 2000), (2000, 16), (8, 8)])
def test_pictures_of_no_cameras_size_are_refused_by_name(tmp_path: Path, width: int, height: int) -> None:
    clip = write_stamped(tmp_path / "thin.mkv", steady(2), lambda k: quarters(k, width, height), codec="ffv1")
    source = open_source(Camera(id="a", uri=SecretUri(clip.as_uri())), FakeClock())

    with pytest.raises(SourceUnreadable, match=rf"thin\.mkv has pictures of {width}x{height} pixels"):
        source.probe()
    with pytest.raises(SourceUnreadable, match="thin"):
        next(iter(source.read(threading.Event())))
