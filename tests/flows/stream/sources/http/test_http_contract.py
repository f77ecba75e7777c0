"""The contract of a source, held by cameras behind HTTP."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.secrets import SecretUri
from tests.support.contracts.source_contract import SourceContract
from tests.support.samples.odd_clips import steady, write_stamped
from tests.support.servers.cameras.http_camera import HttpCamera, mjpeg, snapshots
from tests.support.servers.cameras.rtsp import missing


def _source(uri: str) -> Source:
    return open_source(Camera(id="a", uri=SecretUri(uri)), SystemClock())


@pytest.fixture
def server() -> Iterator[HttpCamera]:
    with HttpCamera() as running:
        yield running


class TestMp4OverHttp(SourceContract):
    @pytest.fixture
    def source(self, server: HttpCamera, tmp_path: Path) -> Source:
        write_stamped(tmp_path / "a.mp4", steady(8, fps=25), fps=25)
        server.serve_folder(tmp_path)
        return _source(server.url("/a.mp4"))


class TestTransportStreamOverHttp(SourceContract):
    @pytest.fixture
    def source(self, server: HttpCamera, tmp_path: Path) -> Source:
        write_stamped(tmp_path / "a.ts", steady(8, fps=25, start_s=600), fps=25)
        server.serve_folder(tmp_path)
        return _source(server.url("/a.ts"))


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
class TestHls(SourceContract):
    @pytest.fixture
    def source(self, server: HttpCamera, tmp_path: Path) -> Source:
        clip = write_stamped(tmp_path / "a.mp4", steady(50, fps=25), fps=25)
        command = ["ffmpeg", "-v", "error", "-i", str(clip), "-c", "copy", "-hls_time", "1"]
        subprocess.run([*command, "-hls_list_size", "0", str(tmp_path / "a.m3u8")], check=True)
        server.serve_folder(tmp_path)
        return _source(server.url("/a.m3u8"))


class TestMjpeg(SourceContract):
    @pytest.fixture
    def source(self, server: HttpCamera) -> Source:
        server.answers["/video"] = mjpeg(list(range(20, 220, 20)), period_s=0.02)
        return _source(server.url("/video"))


class TestSnapshots(SourceContract):
    @pytest.fixture
    def source(self, server: HttpCamera) -> Source:
        server.answers["/now.jpg"] = snapshots(40, 90, 140)
        return _source(server.url("/now.jpg?every=0.1", scheme="snapshot+http"))
