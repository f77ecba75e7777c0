"""Cameras of the simulated city, and the ground truth of their pictures.

A live one shows the current second, counted from the first `SimulatedSource.read`, and skips
frames that would be late, as a camera does. A picture is rendered when its pixels are first used.
"""

import math
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from flows.stream.sources.simulated_picture import SimulatedPicture
from flows.stream.sources.source import SourceFrame
from streetloop.city.address import Address, parse_address
from streetloop.city.render.shapes import CLASSES
from streetloop.city.view import View
from streetloop.city.world.city_events import CityEvent
from streetloop.clock import Clock
from streetloop.errors import SourceError, SourceUnavailable
from streetloop.types import Detections, Picture
from streetloop.video import VideoInfo


class SimulatedSource:
    """A `Source` of a camera of the simulated city.

    Args:
        uri: A ``sim://`` URI, see `streetloop.city.address`.
        clock: Paces the pictures of a live camera.

    Raises:
        ConfigError: The URI is malformed.
    """

    def __init__(self, uri: str, clock: Clock) -> None:
        self._address: Address = parse_address(uri)
        self._clock = clock
        self._began: float | None = None
        self._next = 0
        self._view: View | None = None
        self._outages = [e for e in self._address.events if e.name == "camera-outage"]
        self.live = self._address.live
        self.nominal_fps = self._address.fps

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        address = self._address
        return VideoInfo("simulated", address.width, address.height, address.fps, address.frames or 0)

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        address = self._address
        if self._view is None:
            self._view = View(address)
        if self._began is None:
            self._began = self._clock.monotonic()
        while not stop.is_set():
            frame = max(self._next, self._frame_now()) if self.live else self._next
            if address.frames is not None and frame >= address.frames:
                return
            self._refuse_during_outage(frame)
            if self.live:
                wait = self._began + frame / address.fps - self._clock.monotonic()
                if wait > 0 and self._clock.wait(stop, wait):
                    return
            self._next = frame + 1
            yield SourceFrame(frame / address.fps, SimulatedPicture(self._view, frame))

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`: a scripted outage ends."""
        return not isinstance(error, SourceUnavailable)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _frame_now(self) -> int:
        elapsed = self._clock.monotonic() - (self._began or 0.0)
        return int(elapsed * self._address.fps)

    def _refuse_during_outage(self, frame: int) -> None:
        """Yield nothing during a scripted outage, not even a black picture.

        Raises:
            SourceUnavailable: The script has the camera out at this frame.
        """
        second = self._address.second(frame)
        outage = next((event for event in self._outages if event.is_on(second)), None)
        if outage is not None:
            if not self.live:  # no time passes by itself: skip the outage
                self._next = self._first_behind(outage, frame)
            where = f"sim://{self._address.city}/{self._address.camera}"
            raise SourceUnavailable(f"{where}: the script has the camera out")

    def _first_behind(self, outage: CityEvent, frame: int) -> int:
        """The first frame after an outage; the division alone may be off by one."""
        behind = math.floor((outage.end - self._address.start) * self._address.fps) - 1
        behind = max(behind, frame + 1)
        while outage.is_on(self._address.second(behind)):
            behind += 1
        return behind


def ground_truth(picture: Picture, names: Sequence[str]) -> tuple[Detections, Detections] | None:
    """The ground truth of a picture of the simulated city.

    Args:
        picture: Any picture.
        names: Class names by class id, as the model has them. Objects of other classes are left
            out.

    Returns:
        The objects, in pixels of the picture with the model's class ids, and those that a model
        may find or miss; None for a picture of another source.
    """
    if not isinstance(picture, SimulatedPicture):
        return None
    truth = picture.truth()
    objects = truth.detections()
    ids = {name: class_id for class_id, name in enumerate(names)}
    class_id = np.array([ids.get(CLASSES[k], -1) for k in objects.class_id], np.int64)
    known = class_id >= 0
    return Detections(objects.xyxy[known], objects.confidence[known], class_id[known]), truth.unclear()
