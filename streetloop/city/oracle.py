"""The oracle: what was really in frame k of a simulated camera, for labelers and judges."""

from functools import lru_cache

from streetloop.city.address import parse_address
from streetloop.city.truth import Truth
from streetloop.city.view import View
from streetloop.types import Image


class Oracle:
    """Answers about any camera of the city by its URI; keeps the views that were asked last.

    Args:
        views: How many to keep; each costs some 27 MB and a second to make.
    """

    def __init__(self, views: int = 8) -> None:
        self._view = lru_cache(maxsize=views)(_open)

    def truth(self, uri: str, frame: int) -> Truth:
        """The true objects and events of a frame.

        Args:
            uri: Address of the simulated camera.
            frame: Number of the frame, from 0.

        Raises:
            ConfigError: The URI is wrong, or the number is negative.
        """
        return self._view(uri).truth(frame)

    def picture(self, uri: str, frame: int) -> Image:
        """The frame itself, (height, width, 3) uint8, blue first.

        Args:
            uri: Address of the simulated camera.
            frame: Number of the frame, from 0.

        Raises:
            ConfigError: As `truth`.
        """
        return self._view(uri).render(frame)


def _open(uri: str) -> View:
    return View(parse_address(uri))
