"""What a process of Ray does when its Ray dies: it has some seconds, and must not call Ray."""

import os
import threading
from collections.abc import Callable

from serve.detector.client import Pending
from serve.detector.serve_client import ServeDetector
from streetloop.errors import DetectorError
from streetloop.types import Image

_PERIOD_S = 0.2


class ParentDetector(ServeDetector):
    """A `ServeDetector` of a worker, which is not asked any more once the worker's Ray has died.

    Ray ends a process at once that puts a batch into the object store of a Ray that has died.

    Args:
        application: Its name.
    """

    def __init__(self, application: str) -> None:
        super().__init__(application)
        self._parent = os.getppid()

    def submit(self, images: Image) -> Pending:
        """See `DetectorClient.submit`.

        Raises:
            DetectorError: Ray has died.
        """
        if os.getppid() != self._parent:
            raise DetectorError("Ray has died")
        return super().submit(images)


def when_orphaned(act: Callable[[], None]) -> None:
    """Have ``act`` called, on a thread, once the process that started this one has died."""
    parent = os.getppid()

    def watch() -> None:
        tick = threading.Event()
        while os.getppid() == parent:
            tick.wait(_PERIOD_S)
        act()

    threading.Thread(target=watch, name="orphan", daemon=True).start()
