"""Clips that are dropped into a folder, one after the other, whole or not."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source, SourceFrame, waiting_for
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError, SourceUnavailable
from streetloop.secrets import SecretUri
from tests.support.contracts.source_contract import SourceContract
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.stream_flow.fakes import FakeClock


class _Dropping(FakeClock):
    """A clock at which something happens at its waits, one after the other; the last one stops."""

    def __init__(self, *events: Callable[[], object]) -> None:
        super().__init__()
        self._events = iter(events)
        self.stop = threading.Event()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        super().wait(event, timeout_s)
        happens = next(self._events, None)
        if happens is None:
            self.stop.set()
        else:
            happens()
        return self.stop.is_set()


def _clip(path: Path, pictures: int = 3, start_s: float = 0.0) -> Path:
    return write_stamped(path, steady(pictures, start_s=start_s))


def _source(folder: Path, clock: FakeClock) -> Source:
    return open_source(Camera(id="a", uri=SecretUri(f"watch://{folder}")), clock)


def _play(folder: Path, *events: Callable[[], object]) -> list[SourceFrame]:
    clock = _Dropping(*events, lambda: None, lambda: None)
    return list(_source(folder, clock).read(clock.stop))


class TestWatchedFolder(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        _clip(tmp_path / "a.mp4", 8)
        return _source(tmp_path, FakeClock())


def test_clips_are_played_in_the_order_of_their_names_and_each_once(tmp_path: Path) -> None:
    _clip(tmp_path / "b.mkv", 3, start_s=600)
    _clip(tmp_path / "a.mp4", 5)
    times = [frame.media_s or 0.0 for frame in _play(tmp_path)]

    assert times == pytest.approx(steady(8), abs=1e-3)


def test_a_clip_that_comes_later_is_played_then(tmp_path: Path) -> None:
    assert len(_play(tmp_path, lambda: None, lambda: _clip(tmp_path / "a.mp4", 4))) == 4


def test_a_clip_that_still_grows_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    data, path = _clip(tmp_path / "whole.mp4", 4).read_bytes(), folder / "a.mp4"
    pieces = [data[: len(data) // 3], data[: len(data) // 2], data]
    grow = [lambda piece=piece: path.write_bytes(piece) for piece in pieces]

    assert len(_play(folder, *grow)) == 4


def test_what_is_no_clip_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    (tmp_path / "notes.txt").write_text("no clip")
    (tmp_path / ".hidden.mp4").write_text("no clip")
    _clip(tmp_path / "b.mp4", 2)

    assert len(_play(tmp_path)) == 2
    assert [record.getMessage() for record in caplog.records if "a.mp4" in record.getMessage()]


def test_a_clip_that_is_replaced_is_played_again(tmp_path: Path) -> None:
    _clip(tmp_path / "a.mp4", 2)
    assert len(_play(tmp_path, lambda: None, lambda: _clip(tmp_path / "a.mp4", 5))) == 7


def test_a_folder_that_is_away_may_come_back(tmp_path: Path) -> None:
    source = _source(tmp_path / "none", FakeClock())
    for fails in (source.probe, lambda: list(itertools.islice(source.read(threading.Event()), 1))):
        with pytest.raises(SourceUnavailable, match="none cannot be read") as caught:
            fails()
        assert not source.is_final(caught.value)


@pytest.mark.parametrize("uri", ["watch://clips", "watch:///clips?loop=1"])
def test_only_an_absolute_folder_is_accepted(uri: str) -> None:
    with pytest.raises(ConfigError):
        open_source(Camera(id="a", uri=SecretUri(uri)), FakeClock())


@pytest.mark.parametrize("rest", ["clips", "/clips?loop=1"])
def test_a_password_is_not_repeated(rest: str) -> None:
    uri = SecretUri(f"watch://admin:hunter2@nas{rest}")
    with pytest.raises(ConfigError) as caught:
        open_source(Camera(id="a", uri=uri), FakeClock())
    assert "hunter2" not in str(caught.value)


def test_a_link_that_leads_nowhere_does_not_stop_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(tmp_path / "none.mp4")
    _clip(tmp_path / "b.mp4", 2)
    assert len(_play(tmp_path)) == 2


def test_an_empty_folder_says_what_is_waited_for(tmp_path: Path) -> None:
    said = f"{tmp_path} holds no clip yet; a run waits for files that end in .avi, .m4v, .mkv"
    clock = _Dropping(lambda: None)
    source = _source(tmp_path, clock)
    assert waiting_for(source) is None
    with pytest.raises(SourceUnavailable) as caught:
        source.probe()
    assert list(source.read(clock.stop)) == []
    for sentence in (str(caught.value), waiting_for(source)):
        assert sentence is not None
        assert sentence.startswith(said)


def test_a_folder_of_which_all_was_played_says_that_it_waits_for_new_clips(tmp_path: Path) -> None:
    _clip(tmp_path / "a.mp4", 2)
    clock = _Dropping(lambda: None, lambda: None, lambda: None)
    source = _source(tmp_path, clock)
    frames = source.read(clock.stop)
    next(frames)
    assert waiting_for(source) is None
    assert len(list(frames)) == 1
    assert waiting_for(source) == f"the clip of {tmp_path} played before; a run waits for new ones"


def test_a_masked_camera_says_what_it_waits_for_too(tmp_path: Path) -> None:
    mask = (((0.0, 0.0), (1.0, 0.0), (1.0, 0.5)),)
    clock = _Dropping(lambda: None)
    source = open_source(Camera(id="a", uri=SecretUri(f"watch://{tmp_path}"), mask=mask), clock)
    list(source.read(clock.stop))
    assert "holds no clip yet" in (waiting_for(source) or "")
