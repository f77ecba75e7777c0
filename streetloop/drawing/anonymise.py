"""Heads of people and plates of vehicles made unrecognisable, by the geometry of their boxes."""

from collections.abc import Collection, Iterable, Sequence

import cv2
import numpy as np

from streetloop.cameras.camera_file import Camera
from streetloop.settings import Settings
from streetloop.types import Detections, Floats, Image

HEADS_AND_PLATES = "heads_and_plates"

_PEOPLE = frozenset({"person", "pedestrian", "rider", "cyclist", "people"})
_VEHICLES = frozenset(
    {
        "car",
        "truck",
        "bus",
        "van",
        "motorcycle",
        "motorbike",
        "lorry",
        "taxi",
        "minibus",
        "trailer",
        "vehicle",
    }
)
_HEAD = (0.0, -0.03, 1.0, 0.3)  # left, top, right, bottom in fractions of the box
_PLATE = (0.05, 0.45, 0.95, 1.02)  # whichever end of the vehicle is seen, its plate is below the windows
_HEAD_CELLS, _PLATE_CELLS = (3, 3), (6, 3)  # across and down: fewer than a face or a number has features
_ALL_CELLS = 24  # across a picture of which nothing is known


class Anonymiser:
    """Blurs what is to be stored of some cameras.

    Args:
        cameras: Ids of the cameras; the pictures of others stay as they are.
        names: Class names by class id.
    """

    def __init__(self, cameras: Collection[str] = (), names: Sequence[str] = ()) -> None:
        self._cameras, self._names = frozenset(cameras), tuple(names)

    def stored(self, camera_id: str, image: Image, *found: Detections) -> Image:
        """A picture as it may be stored; the same object if its camera is not anonymised.

        Args:
            camera_id: Its camera.
            image: (H, W, 3) uint8.
            found: All that was detected in it, by one model or several.
        """
        if camera_id not in self._cameras:
            return image
        blurred = image.copy()
        for one in found:
            blur_heads_and_plates(blurred, one.xyxy, [self._names[k] for k in one.class_id.tolist()])
        return blurred


def anonymised_cameras(cameras: Iterable[Camera], settings: Settings) -> frozenset[str]:
    """Ids of the cameras whose pictures are anonymised.

    Args:
        cameras: What a camera says itself goes before the settings.
        settings: ``anonymise`` is for the others.
    """
    return frozenset(c.id for c in cameras if (c.anonymise or settings.anonymise) == HEADS_AND_PLATES)


def blur_heads_and_plates(image: Image, xyxy: Floats, names: Iterable[str]) -> None:
    """Blur an image in place: the upper third of people, the lower half of vehicles.

    The regions become mosaics of a few cells, from which nothing can be computed back. What was
    not detected is not blurred.

    Args:
        image: (H, W, 3) uint8.
        xyxy: (N, 4) left, top, right, bottom in pixels of the image.
        names: N class names; other classes than people and vehicles stay as they are.
    """
    original = image.copy()
    for box, name in zip(xyxy.tolist(), names, strict=True):
        kind = name.lower()
        if kind in _PEOPLE:
            _mosaic(image, original, _region(box, _HEAD), _HEAD_CELLS)
        elif kind in _VEHICLES:
            _mosaic(image, original, _region(box, _PLATE), _PLATE_CELLS)


def blur_all(image: Image) -> None:
    """Blur a whole image in place, in which nobody knows where people are."""
    height, width = image.shape[:2]
    cells = _ALL_CELLS, max(1, _ALL_CELLS * height // width)
    _mosaic(image, image.copy(), (0.0, 0.0, float(width), float(height)), cells)


def _region(box: Sequence[float], part: tuple[float, float, float, float]) -> tuple[float, ...]:
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    left, top, right, bottom = part
    return x1 + left * width, y1 + top * height, x1 + right * width, y1 + bottom * height


def _mosaic(image: Image, original: Image, region: Sequence[float], cells: tuple[int, int]) -> None:
    height, width = image.shape[:2]
    x1, y1 = (max(0, int(np.floor(value))) for value in region[:2])
    x2, y2 = min(width, int(np.ceil(region[2]))), min(height, int(np.ceil(region[3])))
    if x2 <= x1 or y2 <= y1:
        return
    size = min(cells[0], x2 - x1), min(cells[1], y2 - y1)
    small = cv2.resize(original[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA)
    image[y1:y2, x1:x2] = cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
