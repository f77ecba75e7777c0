import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.stream.sources import simulated_picture
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.registry import open_source
from flows.stream.sources.simulated import SimulatedSource
from flows.stream.sources.source import SourceFrame
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError, SourceError, SourceUnavailable, SourceUnreadable
from streetloop.secrets import SecretUri
from tests.support.samples.city import view
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock

_CAMERA = "sim://stonebridge/middle?size=160x90"


def _source(*options: str, clock: FakeClock | None = None) -> SimulatedSource:
    return SimulatedSource("&".join((_CAMERA, *options)), clock or FakeClock())


def _read(source: SimulatedSource, most: int = 1000) -> list[SourceFrame]:
    return list(itertools.islice(source.read(threading.Event()), most))


def _times(source_frames: list[SourceFrame]) -> list[float]:
    return [source_frame.media_s or 0.0 for source_frame in source_frames]


def _play(
    source: SimulatedSource, clock: FakeClock, until_s: float = 1e9, wait_s: float = 1.0
) -> tuple[list[tuple[float, float]], list[SourceError]]:
    """Read with reconnects: (arrival, media time) of each frame, and the errors."""
    stop = threading.Event()
    came: list[tuple[float, float]] = []
    errors: list[SourceError] = []
    while len(errors) < 1000:
        try:
            for source_frame in source.read(stop):
                came.append((clock.monotonic(), source_frame.media_s or 0.0))
                if came[-1][1] >= until_s:
                    return came, errors
            return came, errors
        except SourceError as error:
            errors.append(error)
            if source.is_final(error):
                return came, errors
            source.wait_for_return(stop, wait_s)
    return came, errors


# As fast as it is read


def test_a_recording_has_exactly_its_frames_without_gaps() -> None:
    clock = FakeClock()
    source = _source("live=0", "frames=25", clock=clock)
    source_frames = _read(source)

    assert not source.live
    assert _times(source_frames) == pytest.approx([k / 10 for k in range(25)])
    assert clock.waits == []


def test_a_slowly_read_recording_loses_no_frame() -> None:
    clock = FakeClock()
    times = []
    for source_frame in _source("live=0", "frames=20", clock=clock).read(threading.Event()):
        times.append(source_frame.media_s)
        clock.advance(7.0)

    assert times == pytest.approx([k / 10 for k in range(20)])


def test_without_a_frame_limit_a_recording_is_endless() -> None:
    assert len(_read(_source("live=0"), most=500)) == 500


def test_a_recording_that_has_ended_stays_at_its_end() -> None:
    source = _source("live=0", "frames=5")

    assert len(_read(source)) == 5
    assert _read(source) == []


def test_a_new_connection_resumes_a_recording() -> None:
    source = _source("live=0", "frames=10")
    first, second = _read(source, most=4), _read(source)

    assert _times(first + second) == pytest.approx([k / 10 for k in range(10)])


# Live


def test_live_each_frame_comes_when_it_is_due() -> None:
    clock = FakeClock()
    clock.advance(1000.0)
    source = _source("frames=8", clock=clock)
    arrivals = [clock.monotonic() - 1000.0 for _ in source.read(threading.Event())]

    assert source.live
    assert arrivals == pytest.approx([k / 10 for k in range(8)])


def test_live_late_frames_are_skipped() -> None:
    clock = FakeClock()
    came = []
    for source_frame in _source("frames=30", clock=clock).read(threading.Event()):
        came.append((clock.monotonic(), source_frame.media_s))
        if len(came) == 3:
            clock.advance(1.05)

    assert [media for _, media in came[:5]] == pytest.approx([0.0, 0.1, 0.2, 1.2, 1.3])
    assert all(arrival - media < 0.1 for arrival, media in came)  # type: ignore[operator]
    assert came[-1][1] == pytest.approx(2.9)


def test_live_the_recording_is_over_when_its_time_is() -> None:
    clock = FakeClock()
    source = _source("frames=30", clock=clock)
    next(iter(source.read(threading.Event())))
    clock.advance(60.0)

    assert _read(source) == []


def test_live_a_new_connection_joins_at_the_current_second() -> None:
    clock = FakeClock()
    source = _source(clock=clock)
    _read(source, most=3)
    clock.advance(5.0)
    (source_frame,) = _read(source, most=1)

    assert source_frame.media_s == pytest.approx(clock.monotonic(), abs=0.11)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 2), max_size=30), st.sampled_from([5, 10, 12.5, 25, 29.97]))
def test_live_time_only_rises_and_is_never_ahead(delays: list[float], fps: float) -> None:
    clock = FakeClock()
    source = _source(f"fps={fps}", clock=clock)
    frames = source.read(threading.Event())
    last = -1.0
    for delay in delays:
        media = next(frames).media_s or 0.0
        assert media > last
        assert media <= clock.monotonic() + 1e-6
        assert clock.monotonic() - media < 1 / fps + 1e-6
        last = media
        clock.advance(delay)


@pytest.mark.parametrize("live", [0, 1])
def test_stopping_ends_the_iterator(live: int) -> None:
    stop = threading.Event()
    seen = 0
    for _ in _source(f"live={live}").read(stop):
        seen += 1
        if seen == 7:
            stop.set()

    assert seen == 7


def test_stopping_while_a_frame_is_awaited_gives_no_more_frames() -> None:
    stop = threading.Event()

    class _Interrupted(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float) -> bool:
            stop.set()
            return super().wait(event, timeout_s)

    assert len(list(_source(clock=_Interrupted()).read(stop))) == 1


# Outages


def test_live_the_camera_is_gone_during_an_outage_and_comes_back() -> None:
    clock = FakeClock()
    source = _source("event=camera-outage@2:3", "frames=80", clock=clock)
    came, errors = _play(source, clock)

    assert errors
    assert all(isinstance(error, SourceUnavailable) for error in errors)
    assert "sim://stonebridge/middle" in str(errors[0])
    assert not [at for at, _ in came if 2.0 <= at < 5.0 - 1e-9]
    media = [media for _, media in came]
    assert [m for m in media if m < 2.0] == pytest.approx([k / 10 for k in range(20)])
    assert 5.0 - 1e-9 <= media[20] <= 6.1
    assert media[-1] == pytest.approx(7.9)


def test_a_recording_raises_once_per_outage_and_skips_it() -> None:
    clock = FakeClock()
    source = _source("live=0", "event=camera-outage@2:3", "frames=80", clock=clock)
    came, errors = _play(source, clock)

    assert len(errors) == 1
    media = [media for _, media in came]
    assert media == pytest.approx([k / 10 for k in range(80) if not 20 <= k < 50])


def test_an_outage_is_measured_from_the_citys_second_0() -> None:
    source = _source("live=0", "start=600", "event=camera-outage@602:3", "frames=80")
    came, errors = _play(source, FakeClock())

    assert len(errors) == 1
    assert [m for _, m in came] == pytest.approx([k / 10 for k in range(80) if not 20 <= k < 50])


def test_a_camera_may_be_out_at_first_and_to_the_end() -> None:
    for event in ("camera-outage@0:2", "camera-outage@7:60"):
        came, errors = _play(_source("live=0", f"event={event}", "frames=80"), FakeClock())
        assert len(errors) == 1
        assert len(came) in {60, 70}


def test_outages_may_overlap() -> None:
    source = _source("live=0", "event=camera-outage@1:3,camera-outage@2:4", "frames=80")
    came, errors = _play(source, FakeClock())

    assert 1 <= len(errors) <= 2
    assert [m for _, m in came] == pytest.approx([k / 10 for k in range(80) if not 10 <= k < 60])


_TENTHS = st.integers(0, 100).map(lambda n: n / 10)
_RATES = st.sampled_from([5.0, 10.0, 12.5, 15.0, 24.0, 25.0, 29.97, 30.0])


def _outage(
    start: float, begin: float, length: float, fps: float
) -> tuple[list[int], list[SourceError], list[int]]:
    """The frames that came, what went wrong, and the frames outside of the outage."""
    frames = int((begin + length) * fps) + 5
    out_at = round(start + begin, 1)
    source = _source(
        "live=0", f"start={start}", f"fps={fps}", f"event=camera-outage@{out_at}:{length}", f"frames={frames}"
    )
    came, errors = _play(source, FakeClock())
    there = [k for k in range(frames) if not out_at <= start + k / fps < out_at + length]
    return [round(media * fps) for _, media in came], errors, there


@settings(max_examples=60)
@given(_TENTHS.map(lambda n: n * 100), _TENTHS, st.integers(1, 100).map(lambda n: n / 10), _RATES)
def test_a_recording_resumes_right_after_any_outage(
    start: float, begin: float, length: float, fps: float
) -> None:
    came, errors, there = _outage(start, begin, length, fps)

    assert len(errors) <= 2
    assert came[-1] == there[-1]


@settings(max_examples=60)
@given(_TENTHS.map(lambda n: n * 100), _TENTHS, st.integers(1, 100).map(lambda n: n / 10), _RATES)
@example(start=0.0, begin=0.8, length=8.0, fps=12.5)
def test_an_outage_loses_exactly_its_own_frames(
    start: float, begin: float, length: float, fps: float
) -> None:
    came, _, there = _outage(start, begin, length, fps)

    assert came == there


def test_media_time_continues_over_an_outage() -> None:
    clock, stamps = FakeClock(), MediaClock()
    source = _source("event=camera-outage@2:3", "frames=80", clock=clock)
    came, _ = _play(source, clock)
    pts = [stamps.stamp(media, arrived, 10.0) for arrived, media in came]

    assert pts == pytest.approx([media for _, media in came])


def test_only_an_outage_ends_by_itself() -> None:
    source = _source()

    assert not source.is_final(SourceUnavailable("out"))
    assert source.is_final(SourceUnreadable("no"))


def test_waiting_for_return_ends_with_the_camera() -> None:
    clock = FakeClock()
    source = _source(clock=clock)
    stop = threading.Event()
    source.wait_for_return(stop, 3.0)
    stop.set()
    source.wait_for_return(stop, 3.0)

    assert clock.monotonic() == 3.0


# Pictures


def test_a_picture_shows_the_city_at_its_time() -> None:
    source_frames = _read(_source("live=0", "frames=4"))

    for frame, source_frame in enumerate(source_frames):
        assert (source_frame.picture.width, source_frame.picture.height) == (160, 90)
        assert np.array_equal(source_frame.picture.bgr(), view("stonebridge/middle").render(frame))
    assert not np.array_equal(source_frames[0].picture.bgr(), source_frames[3].picture.bgr())


def test_a_picture_is_rendered_once_and_on_first_use() -> None:
    picture = _read(_source("live=0", "frames=1"))[0].picture

    assert picture.bgr() is picture.bgr()
    assert np.shares_memory(picture.luma(), picture.bgr())
    # A day's frames come in a moment, for none of them is drawn.
    assert len(_read(_source("live=0", "frames=20000"), most=20_000)) == 20_000


def test_luma_has_the_size_of_the_picture() -> None:
    picture = _read(_source("live=0", "frames=1"))[0].picture

    assert picture.luma().shape == (90, 160)
    assert picture.luma().dtype == np.uint8


def test_a_rendered_picture_does_not_wait_for_the_rendering_of_another() -> None:
    picture = _read(_source("live=0", "frames=1"))[0].picture
    drawn = picture.bgr()
    with simulated_picture._rendering, ThreadPoolExecutor(1) as pool:
        assert pool.submit(picture.bgr).result(PATIENCE_S) is drawn


def test_pictures_may_be_used_by_several_threads_at_once() -> None:
    source_frames = _read(_source("live=0", "frames=12", "condition=rain,dusk@0:2"))
    shown: dict[int, np.ndarray] = {}

    def look(k: int) -> None:
        shown[k] = source_frames[k].picture.bgr()

    threads = [threading.Thread(target=look, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = view("stonebridge/middle", "condition=rain,dusk@0:2")
    assert all(np.array_equal(shown[k], expected.render(k)) for k in range(12))


# Probing and opening


def test_a_probe_renders_nothing() -> None:
    info = _source("fps=12.5", "frames=300").probe()

    assert (info.codec, info.width, info.height) == ("simulated", 160, 90)
    assert (info.fps, info.frames) == (12.5, 300)
    assert _source().probe().frames == 0


def test_a_camera_of_the_simulated_city_is_opened_by_its_scheme() -> None:
    source = open_source(Camera(id="a40", uri=SecretUri(_CAMERA + "&live=0")), FakeClock())

    assert isinstance(source, SimulatedSource)
    assert not source.live
    assert source.nominal_fps == 10.0


@pytest.mark.parametrize(
    "uri",
    [
        "sim://atlantis/crossing",
        "sim://kingsport/attic",
        "sim://kingsport/crossing?condition=snow",
        "sim://kingsport/crossing?colour=red",
    ],
)
def test_the_error_of_a_malformed_simulated_uri_names_the_camera(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"camera 'a40'.*(known are|it has)"):
        open_source(Camera(id="a40", uri=SecretUri(uri)), FakeClock())
