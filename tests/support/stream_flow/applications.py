"""Scripted applications, and which frames each was sent."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from flows.stream.sources.source import SourceFrame
from serve.detector.client import Answer
from streetloop.errors import DetectorError
from streetloop.types import ArrayPicture, Detections, Image
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import FakeClock

WIDTH, HEIGHT = 320, 192
NAMES = ("car", "bus")
Ask = Callable[[Image, float], list[Detections]]
"""Answers a batch, given the time-out in seconds."""

Seen = tuple[int, int]
"""Number of the camera, and number of the frame."""


def marked(camera: int, count: int, start: int = 0, fps: float = 25.0) -> list[SourceFrame]:
    """Frames whose pixels hold the camera and the frame number."""
    return [SourceFrame(k / fps, _picture(camera, k)) for k in range(start, start + count)]


def _picture(camera: int, frame: int) -> ArrayPicture:
    pixels = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:] = camera, frame % 256, frame // 256
    return ArrayPicture(pixels)


def who(image: Image) -> Seen:
    """Camera and frame number of an image of `marked`."""
    camera, low, high = (int(value) for value in image[0, 0])
    return camera, 256 * high + low


def well(images: Image, timeout_s: float) -> list[Detections]:
    """One box in every image."""
    return [found((100, 60, 140, 90)) for _ in images]


def failing(images: Image, timeout_s: float) -> list[Detections]:
    """The call fails."""
    raise DetectorError("the process died")


def hanging(clock: FakeClock) -> Ask:
    """No answer within the time-out."""

    def ask(images: Image, timeout_s: float) -> list[Detections]:
        clock.advance(timeout_s)
        raise DetectorError(f"no answer within {timeout_s:g} s")

    return ask


def saying(answer: Detections) -> Ask:
    """The same detections for every image."""
    return lambda images, timeout_s: [answer for _ in images]


def counting_wrong(images: Image, timeout_s: float) -> list[Detections]:
    """The detections of one image are missing."""
    return well(images, timeout_s)[1:]


class Applications:
    """Applications by name; those that were not set up answer `well`.

    Attributes:
        does: How an application answers.
        absent: Applications that do not exist.
        opened: Names in the order in which clients were opened.
        seen: The frames that each application was sent.
        mixed: Frames that were sent while another application had frames of the same camera.
        seconds: Computing time that an application reports.
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

    def open(self, application: str) -> "ApplicationDetector":
        """Opens a client, as `StreamPipeline` asks for one."""
        self.opened.append(application)
        if application in self.absent:
            raise DetectorError(f"{application}: is not there")
        return ApplicationDetector(self, application)

    def begin(self, application: str, images: Image) -> None:
        """Note that an application was sent a batch."""
        with self._lock:
            for one in map(who, images):
                self.seen[application].append(one)
                if any(other != application for other in self._under_way[one[0]]):
                    self.mixed.append((application, one))
                self._under_way[one[0]].append(application)

    def end(self, application: str, images: Image) -> None:
        """Note that nobody waits for its answer any more."""
        with self._lock:
            for camera, _ in map(who, images):
                self._under_way[camera].remove(application)


@dataclass
class ApplicationDetector:
    """A `serve.detector.client.DetectorClient`; its version is the name of its application."""

    applications: Applications
    application: str

    def submit(self, images: Image) -> "ApplicationPending":
        """See `DetectorClient.submit`."""
        self.applications.begin(self.application, images)
        return ApplicationPending(self, images)


@dataclass
class ApplicationPending:
    """See `serve.detector.client.Pending`."""

    detector: ApplicationDetector
    images: Image
    asked: list[float] = field(default_factory=list)

    def result(self, timeout_s: float) -> Answer:
        """See `Pending.result`."""
        applications, application = self.detector.applications, self.detector.application
        try:
            boxes: Sequence[Detections] = applications.does.get(application, well)(self.images, timeout_s)
        finally:
            applications.end(application, self.images)
        return Answer(application, list(boxes), applications.seconds.get(application, 0.01), "fake/fp32")
