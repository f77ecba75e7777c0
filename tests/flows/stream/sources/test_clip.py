import itertools
import threading
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.stream.sources.clip import STALL_S, ClipOptions, ClipSource, parse_clip_uri
from flows.stream.sources.source import SourceFrame
from streetloop.errors import ConfigError, SourceError, SourceStalled, SourceUnavailable, SourceUnreadable
from tests.support.stream_flow.build import write_clip
from tests.support.stream_flow.fakes import FakeClock

_GRAYS = [20, 60, 100, 140, 180]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Five pictures, each brighter than the one before, at 25 a second."""
    return write_clip(tmp_path / "clip.mp4", _GRAYS)


def _read(source: ClipSource, most: int = 1000) -> list[SourceFrame]:
    return list(itertools.islice(source.read(threading.Event()), most))


def _times(source_frames: list[SourceFrame]) -> list[float]:
    return [source_frame.media_s or 0.0 for source_frame in source_frames]


def _grays(source_frames: list[SourceFrame]) -> list[int]:
    """The gray of each picture, to the nearest of the clip's."""
    means = [float(source_frame.picture.bgr().mean()) for source_frame in source_frames]
    return [min(_GRAYS, key=lambda gray: abs(gray - mean)) for mean in means]


# The URI


def test_a_plain_uri_is_played_live_and_once() -> None:
    assert parse_clip_uri("file:///clips/a40.mp4") == (Path("/clips/a40.mp4"), ClipOptions())


def test_all_options_can_be_given_at_once() -> None:
    path, options = parse_clip_uri("file:///clips/a.mp4?loop=1&fps=12.5&live=0&drop=10:5&stall=0.5:2.5")

    assert path == Path("/clips/a.mp4")
    assert options == ClipOptions(loop=True, fps=12.5, live=False, drop=(10.0, 5.0), stall=(0.5, 2.5))


def test_options_can_be_switched_off_explicitly() -> None:
    assert parse_clip_uri("file:///a.mp4?loop=0&live=1")[1] == ClipOptions()


def test_a_path_may_be_percent_encoded() -> None:
    path, _ = parse_clip_uri("file:///clips/north%20gate%3F%23%C3%A9.mp4?loop=1")

    assert path == Path("/clips/north gate?#é.mp4")


@pytest.mark.parametrize(
    "uri",
    [
        "file://clips/a.mp4",
        "file://localhost/clips/a.mp4",
        "file:clips/a.mp4",
        "file:a.mp4",
        "file://",
        "file:",
    ],
)
def test_only_an_absolute_local_path_is_accepted(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"file:///absolute/path\.mp4"):
        parse_clip_uri(uri)


@pytest.mark.parametrize(
    "option",
    [
        "loop=yes",
        "loop=",
        "loop",
        "live=2",
        "fps=0",
        "fps=-25",
        "fps=fast",
        "fps=nan",
        "fps=inf",
        "fps=1001",
        "fps=1e-300",
        "drop=1:inf",
        "drop=inf:1",
        "drop=10",
        "drop=10:0",
        "drop=-1:5",
        "drop=10:-5",
        "drop=a:b",
        "drop=1:2:3",
        "drop=nan:1",
        "stall=5:nan",
        "stall=",
    ],
)
def test_a_malformed_option_is_named(option: str) -> None:
    with pytest.raises(ConfigError, match=option.split("=")[0] + r"=.* is not understood"):
        parse_clip_uri(f"file:///a.mp4?{option}")


def test_an_unknown_option_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown option 'speed'.*loop, fps, live, drop, stall"):
        parse_clip_uri("file:///a.mp4?loop=1&speed=2")


# Playing


def test_pictures_are_in_order_with_the_times_of_the_recording(clip: Path) -> None:
    source_frames = _read(ClipSource(clip, ClipOptions(), FakeClock()))

    assert _grays(source_frames) == _GRAYS
    assert _times(source_frames) == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16], abs=1e-3)


def test_each_picture_comes_when_it_is_due(clip: Path) -> None:
    clock = FakeClock()
    clock.advance(1000.0)
    arrivals = [
        clock.monotonic() - 1000.0 for _ in ClipSource(clip, ClipOptions(), clock).read(threading.Event())
    ]

    assert arrivals == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16], abs=1e-3)


def test_a_late_reader_is_not_delayed_further(clip: Path) -> None:
    clock = FakeClock()
    arrivals = []
    for index, _ in enumerate(ClipSource(clip, ClipOptions(), clock).read(threading.Event())):
        arrivals.append(clock.monotonic())
        if index == 1:
            clock.advance(0.1)

    assert arrivals == pytest.approx([0.0, 0.04, 0.14, 0.14, 0.16], abs=1e-3)


def test_fps_overrides_the_recorded_rate(clip: Path) -> None:
    clock = FakeClock()
    source = ClipSource(clip, ClipOptions(fps=2.0), clock)
    arrivals, times = [], []
    for source_frame in source.read(threading.Event()):
        arrivals.append(clock.monotonic())
        times.append(source_frame.media_s)

    assert arrivals == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])
    assert times == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])
    assert source.nominal_fps == 2.0


def test_a_clip_that_is_not_live_is_not_paced(clip: Path) -> None:
    clock = FakeClock()
    source = ClipSource(clip, ClipOptions(live=False), clock)

    assert len(_read(source)) == 5
    assert not source.live
    assert clock.waits == []
    assert clock.monotonic() == 0.0


@pytest.mark.parametrize("fps", [None, 4.0])
@pytest.mark.parametrize("live", [True, False])
def test_a_loop_goes_on_with_rising_times_at_an_even_rate(clip: Path, fps: float | None, live: bool) -> None:
    clock = FakeClock()
    source_frames = _read(ClipSource(clip, ClipOptions(loop=True, fps=fps, live=live), clock), most=13)
    times = _times(source_frames)

    assert _grays(source_frames) == [*_GRAYS, *_GRAYS, *_GRAYS[:3]]
    period = 1 / (fps or 25)
    assert times == pytest.approx([index * period for index in range(13)], abs=2e-3)
    if live:
        assert clock.monotonic() == pytest.approx(times[-1], abs=1e-3)


@pytest.mark.parametrize("live", [True, False])
def test_stopping_ends_a_loop(clip: Path, live: bool) -> None:
    stop = threading.Event()
    seen = 0
    for _ in ClipSource(clip, ClipOptions(loop=True, live=live), FakeClock()).read(stop):
        seen += 1
        if seen == 7:
            stop.set()

    assert seen == 7


def test_stopping_while_a_picture_is_awaited_gives_no_more_pictures(clip: Path) -> None:
    stop = threading.Event()

    class _Interrupted(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            stop.set()
            return super().wait(event, timeout_s)

    assert len(list(ClipSource(clip, ClipOptions(), _Interrupted()).read(stop))) == 1


# Scripted outages


def _play(source: ClipSource, clock: FakeClock) -> tuple[list[float], list[SourceError]]:
    """Read with a reconnect every second: arrival times and errors."""
    stop = threading.Event()
    arrivals: list[float] = []
    errors: list[SourceError] = []
    while True:
        try:
            for _ in source.read(stop):
                arrivals.append(clock.monotonic())
                if clock.monotonic() > 5.0:
                    return arrivals, errors
            return arrivals, errors
        except SourceError as error:
            errors.append(error)
            if source.is_final(error):
                return arrivals, errors
            source.wait_for_return(stop, 1.0)


def test_a_scripted_drop_loses_the_camera_for_its_length(clip: Path) -> None:
    clock = FakeClock()
    source = ClipSource(clip, ClipOptions(loop=True, drop=(1.0, 2.5)), clock)
    arrivals, errors = _play(source, clock)

    assert all(isinstance(error, SourceUnavailable) for error in errors)
    assert len(errors) == 3
    assert not [at for at in arrivals if 1.0 <= at < 3.5]
    assert [at for at in arrivals if at < 1.0] == pytest.approx([i / 25 for i in range(25)])
    assert arrivals[25] == pytest.approx(4.0, abs=1e-3)


def test_a_scripted_stall_hangs_before_it_is_lost(clip: Path) -> None:
    clock = FakeClock()
    source = ClipSource(clip, ClipOptions(loop=True, stall=(1.0, 3.0)), clock)
    arrivals, errors = _play(source, clock)

    assert isinstance(errors[0], SourceStalled)
    assert clock.waits.count(STALL_S) == 1
    assert not [at for at in arrivals if 1.0 <= at < 4.0]
    assert arrivals[25] == pytest.approx(1.0 + STALL_S + 1.0, abs=1e-3)


def test_an_outage_may_begin_at_the_start(clip: Path) -> None:
    clock = FakeClock()
    source = ClipSource(clip, ClipOptions(drop=(0.0, 2.0)), clock)
    arrivals, errors = _play(source, clock)

    assert len(errors) == 2
    assert arrivals == pytest.approx([2.0, 2.04, 2.08, 2.12, 2.16], abs=1e-3)


def test_only_outages_end_by_themselves(clip: Path) -> None:
    source = ClipSource(clip, ClipOptions(), FakeClock())

    assert source.is_final(SourceUnreadable("not a video"))
    assert source.is_final(SourceUnavailable("the disk is gone"))
    assert not source.is_final(SourceStalled("silence"))


def test_waiting_for_return_ends_with_the_camera(clip: Path) -> None:
    clock = FakeClock()
    stop = threading.Event()
    source = ClipSource(clip, ClipOptions(), clock)
    source.wait_for_return(stop, 3.0)
    stop.set()
    source.wait_for_return(stop, 3.0)

    assert clock.monotonic() == 3.0


# Probing


def test_a_probe_describes_the_clip(clip: Path) -> None:
    info = ClipSource(clip, ClipOptions(), FakeClock()).probe()

    assert (info.codec, info.width, info.height, info.frames) == ("h264", 64, 48, 5)
    assert info.fps == pytest.approx(25)


def _missing(path: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("this is not a video\n" * 100)


def _no_index(path: Path) -> None:
    """An MP4 whose end, with everything but its first bytes, is missing."""
    write_clip(path, _GRAYS)
    path.write_bytes(path.read_bytes()[:100])


def _cut_short(path: Path) -> None:
    write_clip(path, _GRAYS * 10)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_missing, "does not exist"),
        (_folder, "is a folder"),
        (_empty, "is empty"),
        (_text, "is not a readable video"),
        (_no_index, "has no video stream"),
        (_cut_short, "is cut short"),
    ],
)
def test_a_probe_refuses_what_cannot_be_played_and_names_it(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    source = ClipSource(path, ClipOptions(), FakeClock())

    with pytest.raises(SourceUnreadable, match=message) as caught:
        source.probe()
    assert str(path) in str(caught.value)
    assert source.is_final(caught.value)


@pytest.mark.parametrize("make", [_missing, _folder, _empty, _text, _no_index])
def test_playing_what_cannot_be_played_is_final(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    source = ClipSource(path, ClipOptions(loop=True), FakeClock())

    with pytest.raises(SourceUnreadable) as caught:
        _read(source)
    assert source.is_final(caught.value)


def test_a_sound_recording_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))

    with pytest.raises(SourceUnreadable, match="no video stream"):
        ClipSource(path, ClipOptions(), FakeClock()).probe()


def test_a_clip_that_is_deleted_while_it_loops_ends_for_good(clip: Path) -> None:
    source = ClipSource(clip, ClipOptions(loop=True, live=False), FakeClock())
    source_frames = source.read(threading.Event())
    next(source_frames)
    clip.unlink()

    with pytest.raises(SourceUnreadable, match="does not exist"):
        list(source_frames)
