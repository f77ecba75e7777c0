"""Reads a real camera in a test."""

import threading
import time
from collections.abc import Callable

from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.camera_state import CameraState
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.recording.recorder import Recorder
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.types import Frame


class Watcher:
    """Reads a camera and lets a test wait for what it does."""

    def __init__(self, uri: str, transport: str = "tcp", recorder: Recorder | None = None) -> None:
        self.account = FrameAccount()
        self._ready = threading.Condition()
        self._mailbox = Mailbox(self.account, 60, self._ready)
        camera = Camera(id="a40", uri=uri, transport=transport)  # type: ignore[arg-type]
        source = open_source(camera, SystemClock())
        self.reader = CameraReader(
            camera, source, self._mailbox, self.account, SystemClock(), recorder=recorder
        )
        self.reader.start()

    def frames(self, count: int, timeout_s: float = 20) -> list[Frame]:
        """The next ``count`` frames."""
        found: list[Frame] = []
        with self._ready:
            arrived = self._ready.wait_for(lambda: self._take_into(found, count) >= count, timeout_s)
        assert arrived, f"only {len(found)} frames: {self.reader.state}, {self.reader.error}"
        return found

    def _take_into(self, found: list[Frame], count: int) -> int:
        found += self._mailbox.take(count - len(found), 10_000, time.monotonic())
        return len(found)

    def until(self, condition: Callable[[], bool], timeout_s: float) -> float:
        """Seconds until the condition holds; frames and ends of connections wake the wait."""
        began = time.monotonic()
        tick = threading.Event()
        while not condition():
            assert time.monotonic() - began < timeout_s, (self.reader.state, self.reader.error)
            tick.wait(0.02)
        return time.monotonic() - began

    def lost(self) -> bool:
        return self.reader.state is CameraState.LOST

    def live(self) -> bool:
        return self.reader.state is CameraState.LIVE

    def close(self) -> None:
        self.reader.close()
        self.reader.join(60)
