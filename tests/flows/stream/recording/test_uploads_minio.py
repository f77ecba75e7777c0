"""Uploads to a real S3 server that refuses, dies, and comes back."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.stream.recording.segment_note import SegmentNote, write_note
from flows.stream.recording.spool import Spool
from flows.stream.recording.uploader import SegmentUploader
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.segments import find_segments
from streetloop.sqlite_url import sqlite_url
from streetloop.storage import minio as minio_store
from streetloop.storage.minio import MinioStore
from tests.support.servers.gateway import Gateway
from tests.support.stream_flow.build import NOON, write_clip
from tests.support.stream_flow.recorded import spool_in

pytestmark = pytest.mark.minio


@pytest.fixture
def bucket() -> str:
    return f"b{uuid.uuid4().hex[:20]}"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "ledger.db")


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    ledger = open_ledger(url)
    yield ledger
    ledger.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Three segments wait in it."""
    spool = spool_in(tmp_path)
    for number in range(3):
        video = write_clip(spool.open("a", f"s{number}"), [90] * 20, fps=10)
        start = NOON + timedelta(seconds=2 * number)
        note = SegmentNote(video.stem, "a", "continuous", start, start + timedelta(seconds=2), "h264", 64, 48)
        write_note(video, note)
    return spool


def _uploader(spool: Spool, store: MinioStore, url: str) -> SegmentUploader:
    return SegmentUploader(spool, store, url, 10, 20, SystemClock())


def test_a_missing_bucket_is_made(
    gateway: Gateway, bucket: str, spool: Spool, url: str, ledger: Ledger
) -> None:
    store = MinioStore(bucket, "city", gateway.access)
    _uploader(spool, store, url).step()
    assert [len(store.get(one.key)) for one in find_segments(ledger)] == [
        one.bytes for one in find_segments(ledger)
    ]
    assert spool.videos() == []


def test_wrong_credentials_keep_the_segments_and_are_said(
    gateway: Gateway, bucket: str, spool: Spool, url: str, ledger: Ledger
) -> None:
    wrong = replace(gateway.access, secret_key=SecretStr("hunter2"))
    uploader = _uploader(spool, MinioStore(bucket, "", wrong), url)
    uploader.step()
    assert "SignatureDoesNotMatch" in uploader.faults()[0].text
    assert "hunter2" not in uploader.faults()[0].text
    assert len(spool.videos()) == 3
    _uploader(spool, MinioStore(bucket, "", gateway.access), url).step()
    assert len(find_segments(ledger)) == 3


def test_a_server_that_is_killed_and_comes_back_gets_everything_once(
    gateway: Gateway, bucket: str, spool: Spool, url: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_store, "_PAUSE_S", 0.0)
    store = MinioStore(bucket, "", gateway.access)
    uploader = _uploader(spool, store, url)
    gateway.kill()
    try:
        uploader.step()
        assert "not reached" in uploader.faults()[0].text
        assert len(spool.videos()) == 3
    finally:
        gateway.start()
    uploader.step()
    uploader.step()
    keys = [one.key for one in find_segments(ledger)]
    assert len(keys) == 3
    assert sorted(keys) == list(store.keys("archive/"))
    assert spool.videos() == []
