"""Applications that answer for cameras, each as it is told, and who was shown which frame."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from flows.stream.sources.source import SourceFrame
from serve.detector.client import Answer
from streetloop.errors import DetectorError
from streetloop.types import ArrayPicture, Detections, Image
from tests.support.build import found
from tests.support.fakes import FakeClock

WIDTH, HEIGHT = 320, 192
NAMES = ("car", "bus")
Ask = Callable[[Image, float], list[Detections]]
"""What an application does with a batch that is waited for so many seconds."""

Seen = tuple[int, int]
"""Number of the camera, and number of the frame."""


def marked(camera: int, count: int, start: int = 0, fps: float = 25.0) -> list[SourceFrame]:
    """Pictures that say whose they are."""
    return [SourceFrame(k / fps, _picture(camera, k)) for k in range(start, start + count)]


def _picture(camera: int, frame: int) -> ArrayPicture:
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:] = camera, frame % 256, frame // 256
    return ArrayPicture(pixels)


def who(image: Image) -> Seen:
    """What a picture of `marked` says."""
    camera, low, high = (int(value) for value in image[0, 0])
    return camera, 256 * high + low


def well(images: Image, timeout_s: float) -> list[Detections]:
    """One box in every picture."""
    return [found((100, 60, 140, 90)) for _ in images]


def failing(images: Image, timeout_s: float) -> list[Detections]:
    """An error."""
    raise DetectorError("the process died")


def hanging(clock: FakeClock) -> Ask:
    """No answer for as long as somebody waits."""

    def ask(images: Image, timeout_s: float) -> list[Detections]:
        clock.advance(timeout_s)
        raise DetectorError(f"no answer within {timeout_s:g} s")

    return ask


def saying(answer: Detections) -> Ask:
    """The same of every picture."""
    return lambda images, timeout_s: [answer for _ in images]


def counting_wrong(images: Image, timeout_s: float) -> list[Detections]:
    """An answer too few."""
    return well(images, timeout_s)[1:]


class ControlService:
    """Applications by name; those that were not set up answer `well`.

    Attributes:
        does: What an application does.
        absent: Applications that are not there.
        opened: Names in the order in which clients were opened.
        seen: By application, what it was shown.
        mixed: What was shown to an application while another had frames of the same camera.
    """

    def __init__(self) -> None:
        self.does: dict[str, Ask] = {}
        self.absent: set[str] = set()
        self.opened: list[str] = []
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self.mixed: list[tuple[str, Seen]] = []
        self.seconds: dict[str, float] = {}
        self._under_way: dict[int, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def open(self, application: str) -> "SlotDetector":
        """Opens a client, as a pipeline wants it."""
        self.opened.append(application)
        if application in self.absent:
            raise DetectorError(f"{application}: is not there")
        return SlotDetector(self, application)

    def begin(self, application: str, images: Image) -> None:
        """An application was shown a batch."""
        with self._lock:
            for one in map(who, images):
                self.seen[application].append(one)
                if any(other != application for other in self._under_way[one[0]]):
                    self.mixed.append((application, one))
                self._under_way[one[0]].append(application)

    def end(self, application: str, images: Image) -> None:
        """... and is not waited for any more."""
        with self._lock:
            for camera, _ in map(who, images):
                self._under_way[camera].remove(application)


@dataclass
class SlotDetector:
    """A `serve.detector.client.DetectorClient`; its version is the name of its application."""

    house: ControlService
    application: str

    def submit(self, images: Image) -> "SlotPending":
        """See `DetectorClient.submit`."""
        self.house.begin(self.application, images)
        return SlotPending(self, images)


@dataclass
class SlotPending:
    """See `serve.detector.client.Pending`."""

    detector: SlotDetector
    images: Image
    asked: list[float] = field(default_factory=list)

    def result(self, timeout_s: float) -> Answer:
        """See `Pending.result`."""
        house, application = self.detector.house, self.detector.application
        try:
            boxes: Sequence[Detections] = house.does.get(application, well)(self.images, timeout_s)
        finally:
            house.end(application, self.images)
        return Answer(application, list(boxes), house.seconds.get(application, 0.01))
