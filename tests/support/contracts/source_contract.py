"""What every `Source` must do, as tests: subclass `SourceContract` and give it a source."""

import itertools
import threading

import pytest

from flows.stream.sources.source import Source
from streetloop.errors import SourceUnavailable

_FRAMES = 3


class SourceContract:
    """Override `source` by a fixture that returns an unopened source of at least three pictures."""

    @pytest.fixture
    def source(self) -> Source:
        """The source under test."""
        raise NotImplementedError

    def test_probe_describes_the_pictures(self, source: Source) -> None:
        info = source.probe()
        assert info.width > 0
        assert info.height > 0
        (picture,) = itertools.islice((f.picture for f in source.read(threading.Event())), 1)
        assert (picture.width, picture.height) == (info.width, info.height)

    def test_pictures_have_pixels_and_brightness_of_one_size(self, source: Source) -> None:
        frames = itertools.islice(source.read(threading.Event()), _FRAMES)
        for picture in (frame.picture for frame in frames):
            assert picture.bgr().shape == (picture.height, picture.width, 3)
            assert picture.luma().shape == (picture.height, picture.width)

    def test_media_time_rises(self, source: Source) -> None:
        frames = list(itertools.islice(source.read(threading.Event()), _FRAMES))
        assert len(frames) == _FRAMES
        times = [frame.media_s for frame in frames if frame.media_s is not None]
        assert all(frame.held_s >= 0 for frame in frames)
        assert times == sorted(set(times))

    def test_stop_ends_it(self, source: Source) -> None:
        stop = threading.Event()
        frames = source.read(stop)
        next(frames)
        stop.set()
        assert len(list(frames)) <= 1

    def test_it_can_be_read_again_after_it_was_discarded(self, source: Source) -> None:
        for _ in range(2):
            frames = source.read(threading.Event())
            next(frames)
            del frames

    def test_a_wait_for_its_return_ends_with_stop(self, source: Source) -> None:
        stop = threading.Event()
        stop.set()
        source.wait_for_return(stop, timeout_s=60.0)

    def test_a_stream_that_is_away_may_come_back(self, source: Source) -> None:
        if source.live:
            assert not source.is_final(SourceUnavailable("away"))
