"""Every camera in every weather on one sheet, to be looked at: docs/img/city.jpg.

python -m benchmarks.contact_sheet
"""

from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.city.world.places import PLACES
from streetloop.types import Image

TARGET = Path(__file__).resolve().parent.parent / "docs/img/city.jpg"
_WEATHER = (
    "day",
    "dusk",
    "night",
    "night,rain",
    "rain",
    "fog",
    "low-sun",
    "dirty-lens",
    "wet-lens",
    "knocked",
    "compressed",
)
_WIDTH, _HEIGHT, _FRAME = 320, 180, 450


def tile(city: str, camera: str, condition: str) -> Image:
    uri = f"sim://{city}/{camera}?condition={condition}&traffic=busy&seed=3"
    image = View(parse_address(uri)).render(_FRAME)
    small = cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def main() -> None:
    """Each row one condition, each column one camera: the four cities in turn."""
    rows = []
    for number, condition in enumerate(track(_WEATHER, "conditions")):
        row = []
        for city, place in PLACES.items():
            cameras = list(place.cameras)
            image = tile(city, cameras[number % len(cameras)], condition)
            label = condition.replace(",", " + ")
            for colour, line in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                cv2.putText(
                    image, label, (8, _HEIGHT - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, line, cv2.LINE_AA
                )
            row.append(image)
        rows.append(np.hstack(row))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(TARGET), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(TARGET)


if __name__ == "__main__":
    main()
