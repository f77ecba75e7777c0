import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.stream.analysis.faults import UPLOAD_FAILED
from flows.stream.recording.segment_note import SegmentNote, write_note
from flows.stream.recording.spool import Spool
from flows.stream.recording.uploader import SegmentUploader
from streetloop.clock import SystemClock
from streetloop.errors import StoreError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event
from streetloop.ledger.segments import Segment, find_segments
from streetloop.sqlite_url import sqlite_url
from streetloop.storage.store import FolderStore
from tests.support.stream_flow.build import NOON, write_clip
from tests.support.stream_flow.recorded import spool_in, times_in


class _Store(FolderStore):
    """A store that may be away."""

    is_away = False

    def put(self, key: str, data: bytes) -> None:
        if self.is_away:
            raise StoreError("the store is away")
        super().put(key, data)


class _Home:
    """A spool, a store, a ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = spool_in(folder)
        self.store = _Store(folder / "store")
        self.url = sqlite_url(folder / "ledger.db")
        self.ledger: Ledger = open_ledger(self.url)

    def uploader(self, spool: Spool | None = None) -> SegmentUploader:
        return SegmentUploader(spool or self.spool, self.store, self.url, 10, 20, SystemClock())

    def put(
        self, name: str, at_s: float = 0.0, *, mode: str = "continuous", ended: bool = True
    ) -> SegmentNote:
        """A segment of two seconds in the spool."""
        video = write_clip(self.spool.open("a", name), [90] * 20, fps=10)
        start = NOON + timedelta(seconds=at_s)
        end = start + timedelta(seconds=2)
        note = SegmentNote(
            name, "a", mode, start, end if ended else None, "h264", 64, 48, motion=0.25, run="r"
        )
        write_note(video, note)
        return note

    def index(self) -> list[Segment]:
        return find_segments(self.ledger, "a")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[_Home]:
    home = _Home(tmp_path)
    yield home
    home.ledger.close()


def test_a_finished_segment_is_in_the_store_and_in_the_index_and_leaves_the_spool(home: _Home) -> None:
    begin_event(
        home.ledger, "stopped_vehicle", NOON + timedelta(seconds=1), "a", ended_at=NOON + timedelta(hours=1)
    )
    note = home.put("one")
    home.put("two", 2, ended=False)
    home.uploader().step()
    (segment,) = home.index()
    data = home.store.get(segment.key)
    assert segment.key == note.key == "archive/camera=a/day=2026-03-01/one.mp4"
    assert (segment.bytes, segment.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (segment.motion, segment.events, segment.run) == (0.25, 0.5, "r")
    assert [video.stem for video in home.spool.videos()] == ["two"]


def test_what_the_store_refuses_is_kept_said_and_uploaded_later(home: _Home) -> None:
    home.put("one")
    home.put("two", 2)
    uploader = home.uploader()
    home.store.is_away = True
    uploader.step()
    (fault,) = uploader.faults()
    assert fault.kind == UPLOAD_FAILED
    assert fault.text == "recordings wait in the spool: the store is away"
    assert len(home.spool.videos()) == 2
    home.store.is_away = False
    uploader.step()
    assert len(home.index()) == 2
    assert home.spool.videos() == []


def test_an_upload_that_was_interrupted_before_the_index_is_repeated_without_harm(home: _Home) -> None:
    note = home.put("one")
    home.store.put(note.key, home.spool.videos()[0].read_bytes())  # and then the process died
    uploader = home.uploader()
    uploader.step()
    uploader.step()
    assert len(home.index()) == 1
    assert list(home.store.keys("archive/")) == [note.key]


def test_what_a_writer_left_that_is_gone_is_uploaded_as_far_as_it_was_written(home: _Home) -> None:
    home.put("one")
    home.put("two", 2, ended=False)
    (home.spool.open("a", "20260301T120004.500000Z-0badf00d")).write_bytes(
        home.spool.videos()[1].read_bytes()
    )
    (home.spool.open("a", "three")).write_bytes(b"no video")
    home.spool.close()
    uploader = home.uploader(spool_in(home.folder))
    uploader.step()
    found = home.index()
    assert [one.started_at - NOON for one in found] == [timedelta(seconds=s) for s in (0, 2, 4.5)]
    assert all((one.ended_at - one.started_at).total_seconds() == pytest.approx(2, abs=0.01) for one in found)
    assert list((home.folder / "spool").iterdir()) == []


def test_of_a_camera_that_records_events_only_those_are_kept(home: _Home) -> None:
    begin_event(
        home.ledger,
        "stopped_vehicle",
        NOON + timedelta(seconds=60),
        "a",
        ended_at=NOON + timedelta(minutes=2),
    )
    for at_s in (0, 55, 300):
        home.put(str(at_s), at_s, mode="events")
    home.uploader().step()
    assert [one.started_at - NOON for one in home.index()] == [timedelta(seconds=55)]
    assert home.spool.videos() == []


def test_at_the_end_all_that_is_finished_is_uploaded(home: _Home) -> None:
    uploader = home.uploader()
    uploader.start()
    home.put("one")
    uploader.close()
    (segment,) = home.index()
    copy = home.folder / "copy.mp4"
    copy.write_bytes(home.store.get(segment.key))
    assert len(times_in(copy)) == 20
