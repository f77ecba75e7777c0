"""A camera at this machine.

No machine of the tests has one, so OpenCV's capture is played by a fake; what is no device is real.
"""

import itertools
import threading
from typing import Any

import cv2
import numpy as np
import pytest

from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source
from flows.stream.sources.v4l2 import V4l2Source
from streetloop.cameras.camera_file import Camera
from streetloop.errors import ConfigError, SourceUnavailable
from streetloop.secrets import SecretUri
from tests.support.contracts.source_contract import SourceContract
from tests.support.stream_flow.fakes import FakeClock

_DEVICE = "/dev/null"  # is there on every machine


class FakeCapture:
    """A device that gives pictures of the size that it is asked for, and then none."""

    def __init__(self, pictures: int = 100, *, opens: bool = True) -> None:
        self._left, self._opens = pictures, opens
        self._values: dict[int, float] = {
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
            cv2.CAP_PROP_FPS: 30,
        }
        self.released = 0

    def __call__(self, _: str, backend: int) -> "FakeCapture":
        assert backend == cv2.CAP_V4L2
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self._opens

    def set(self, name: int, value: float) -> bool:
        self._values[name] = value
        return True

    def get(self, name: int) -> float:
        return self._values[name]

    def read(self) -> tuple[bool, Any]:
        self._left -= 1
        if self._left < 0:
            return False, None
        sides = (self._values[side] for side in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH))
        return True, np.zeros((*(int(side) for side in sides), 3), np.uint8)

    def release(self) -> None:
        self.released += 1


def _played(capture: FakeCapture, options: str = "") -> V4l2Source:
    return V4l2Source(f"v4l2://{_DEVICE}{options}", FakeClock(), capture)  # type: ignore[arg-type]


class TestV4l2Source(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return _played(FakeCapture())


def test_it_asks_for_the_size_and_rate() -> None:
    source = _played(FakeCapture(), "?size=1280x720&fps=15")
    info = source.probe()
    assert (info.width, info.height, info.fps) == (1280, 720, 15)


def test_a_device_that_is_pulled_out_is_lost_and_let_go() -> None:
    capture = FakeCapture(2)
    source = _played(capture)
    frames = source.read(threading.Event())
    assert len(list(itertools.islice(frames, 2))) == 2
    with pytest.raises(SourceUnavailable, match="gives no pictures any more") as caught:
        next(frames)
    assert not source.is_final(caught.value)
    assert capture.released == 1


def test_a_device_that_another_program_has_is_said() -> None:
    with pytest.raises(SourceUnavailable, match="cannot be opened: it is no camera, another program has it"):
        _played(FakeCapture(opens=False)).probe()


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("/dev/video987", "no such device"),
        (_DEVICE, "is no camera"),
        (f"/dev/{'v' * 300}", "cannot be read: File name too long"),
    ],
)
def test_what_is_no_camera_is_named(device: str, said: str) -> None:
    source = open_source(Camera(id="a", uri=SecretUri(f"v4l2://{device}")), FakeClock())
    with pytest.raises(SourceUnavailable, match=f"{device}.*{said}"):
        source.probe()


@pytest.mark.parametrize(
    "rest",
    [
        *("video0", "/etc/passwd", "/dev/../etc/passwd"),
        *("/dev/video0?size=big", "/dev/video0?size=8x8", "/dev/video0?fps=0", "/dev/video0?gain=1"),
    ],
)
def test_what_is_malformed_is_refused(rest: str) -> None:
    with pytest.raises(ConfigError, match="camera 'a'"):
        open_source(Camera(id="a", uri=SecretUri(f"v4l2://{rest}")), FakeClock())
