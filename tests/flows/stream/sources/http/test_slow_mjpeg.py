"""An MJPEG camera whose pictures come less often than the time-out is lost at first, then not."""

import threading

import pytest

from flows.stream.sources.http import client
from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.errors import SourceStalled, SourceUnavailable
from streetloop.secrets import SecretUri
from tests.support.servers.cameras.http_camera import HttpCamera, mjpeg

STALLED, CLOSED = "no answer within the time-out", "closed the stream"


def _until_lost(source: Source) -> tuple[int, str]:
    """How many pictures come, and why there are no more."""
    came = 0
    try:
        for _ in source.read(threading.Event()):
            came += 1
    except (SourceStalled, SourceUnavailable) as error:
        return came, STALLED if STALLED in str(error) else CLOSED
    raise AssertionError("the camera ended")


def test_a_slow_camera_is_waited_for_longer_after_each_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten and twenty seconds in operation.
    monkeypatch.setattr(client, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(client, "PICTURE_S", 0.5)
    with HttpCamera() as server:
        server.answers["/x"] = mjpeg([10, 20, 30], period_s=0.8)
        server.answers["/fast"] = mjpeg([10, 20, 30])
        source = open_source(Camera(id="a", uri=SecretUri(server.url("/x", scheme="http"))), SystemClock())
        assert [_until_lost(source) for _ in range(3)] == [(1, STALLED), (1, STALLED), (3, CLOSED)]
        server.answers["/x"], slow = server.answers["/fast"], server.answers["/x"]
        assert _until_lost(source) == (3, CLOSED)
        server.answers["/x"] = slow
        assert _until_lost(source) == (1, STALLED), "a fast one that freezes is noticed soon again"
