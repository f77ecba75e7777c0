"""Records a live clip until it is killed; prints the media time of every picture."""

import sys
import threading

from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.recording.recording import SpooledRecording
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Frame


def main(uri: str) -> None:
    """Record the camera ``a`` into the home of the environment."""
    clock, settings = SystemClock(), Settings()
    camera = parse_camera({"id": "a", "uri": uri, "record": "continuous"})
    recording = SpooledRecording(settings, open_store(settings), "run", clock)
    account = FrameAccount()
    mailbox = Mailbox(account, 1e9, threading.Condition())
    recorder = recording.recorder(camera, live=True)

    class Telling(CameraReader):
        def _take(self, source_frame: object) -> None:
            super()._take(source_frame)  # type: ignore[arg-type]
            newest: Frame | None = self.newest
            assert newest is not None
            sys.stdout.write(f"{newest.pts}\n")
            sys.stdout.flush()

    recording.start()
    reader = Telling(camera, open_source(camera, clock), mailbox, account, clock, recorder=recorder)
    reader.start()
    reader.join(600)


if __name__ == "__main__":
    main(sys.argv[1])
