"""A camera at this machine: ``v4l2:///dev/video0``."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import cv2
import numpy as np

from flows.stream.sources.source import SourceFrame
from streetloop.cameras.camera_file import MAX_FPS, MIN_FPS
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError, SourceUnavailable
from streetloop.host.paths import PathKind, kind_of
from streetloop.types import ArrayPicture
from streetloop.video import VideoInfo

_SIZES = range(16, 8193)


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """What a device is asked for; it may give something near.

    Attributes:
        width: In pixels; 0 for what it gives by itself.
        height: The same.
        fps: Pictures a second; 0 for what it gives by itself.
    """

    width: int = 0
    height: int = 0
    fps: float = 0.0


def parse_device_uri(uri: str) -> tuple[Path, DeviceOptions]:
    """Device and options of a ``v4l2://`` URI.

    >>> parse_device_uri("v4l2:///dev/video0?size=1280x720&fps=15")[1]
    DeviceOptions(width=1280, height=720, fps=15.0)

    Raises:
        ConfigError: It names no device under /dev, or an option is unknown or malformed.
    """
    parts = urlsplit(uri)
    device = Path(unquote(parts.path))
    if parts.netloc or device.parts[:2] != ("/", "dev") or ".." in device.parts:
        raise ConfigError("write a camera of this machine as v4l2:///dev/video0")
    width = height = 0
    fps = 0.0
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        try:
            if key == "size":
                width, height = (int(side) for side in value.split("x"))
                _require(width in _SIZES and height in _SIZES)
            elif key == "fps":
                fps = float(value)
                _require(MIN_FPS <= fps <= MAX_FPS)
            else:
                raise ConfigError(f"v4l2://{device}: unknown option {key!r}; known are size, fps")
        except ValueError:
            raise ConfigError(f"v4l2://{device}: {key}={value[:40]!r} is not understood") from None
    return device, DeviceOptions(width, height, fps)


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


class V4l2Source:
    """A `Source` of a device of Video4Linux.

    OpenCV opens it, since PyAV's wheels do not speak to devices. Its pictures have no time stamps,
    and are stamped when they arrive.

    Args:
        uri: See `parse_device_uri`.
        clock: Paces the attempts.
        capture: Opens a device; OpenCV's by default.

    Raises:
        ConfigError: The URI is malformed.
    """

    live = True

    def __init__(
        self, uri: str, clock: Clock, capture: Callable[[str, int], cv2.VideoCapture] = cv2.VideoCapture
    ) -> None:
        self._device, self._options = parse_device_uri(uri)
        self._clock, self._capture = clock, capture
        self.nominal_fps = self._options.fps

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        with self._opened() as device:
            picture = self._next(device)
            return VideoInfo("v4l2", picture.width, picture.height, self.nominal_fps, 0)

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        with self._opened() as device:
            while not stop.is_set():
                yield SourceFrame(None, self._next(device))

    def is_final(self, error: SourceError) -> bool:  # noqa: ARG002
        """See `Source.is_final`: a device may be plugged in again."""
        return False

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    @contextmanager
    def _opened(self) -> Iterator[cv2.VideoCapture]:
        if kind_of(self._device, SourceUnavailable) is PathKind.NOTHING:
            raise SourceUnavailable(f"{self._device}: there is no such device")
        device = self._capture(str(self._device), cv2.CAP_V4L2)
        try:
            if not device.isOpened():
                raise SourceUnavailable(
                    f"{self._device} cannot be opened: it is no camera, another program has it, "
                    "or this user may not"
                )
            self._ask(device)
            yield device
        finally:
            device.release()

    def _ask(self, device: cv2.VideoCapture) -> None:
        wanted = self._options
        for name, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, wanted.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, wanted.height),
            (cv2.CAP_PROP_FPS, wanted.fps),
        ):
            if value:
                device.set(name, value)
        self.nominal_fps = max(0.0, float(device.get(cv2.CAP_PROP_FPS)))

    def _next(self, device: cv2.VideoCapture) -> ArrayPicture:
        came, pixels = device.read()
        if not came or pixels is None:
            raise SourceUnavailable(f"{self._device} gives no pictures any more")
        return ArrayPicture(np.asarray(pixels, np.uint8))
