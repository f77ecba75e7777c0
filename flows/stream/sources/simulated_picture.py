"""A picture of the simulated city that is rendered when its pixels are first used."""

import threading

from streetloop.city.truth import Truth
from streetloop.city.view import View
from streetloop.types import Image

# Rendering is a thousand short calls that each release the interpreter lock. Threads that render
# side by side mostly wait for it, and two cores render fewer pictures than one thread.
_rendering = threading.Lock()


class SimulatedPicture:
    """A `streetloop.types.Picture` that is rendered when its pixels are first used.

    Args:
        view: The camera's view of the city.
        frame: Number of the picture.
    """

    def __init__(self, view: View, frame: int) -> None:
        self._view, self.frame = view, frame
        self._pixels: Image | None = None

    @property
    def width(self) -> int:
        """See `Picture.width`."""
        return self._view.address.width

    @property
    def height(self) -> int:
        """See `Picture.height`."""
        return self._view.address.height

    def bgr(self) -> Image:
        """See `Picture.bgr`."""
        if self._pixels is None:  # checked twice: a rendered picture needs no lock
            with _rendering:
                if self._pixels is None:
                    self._pixels = self._view.render(self.frame)
        return self._pixels

    def luma(self) -> Image:
        """See `Picture.luma`; the green channel stands in for brightness."""
        return self.bgr()[:, :, 1]

    def truth(self) -> Truth:
        """The objects that are in it, from the simulation itself."""
        with _rendering:
            return self._view.truth(self.frame)
