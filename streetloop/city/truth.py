"""What is really in a frame: boxes, tracks, how much of each can be seen, and events."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from streetloop.city.render.shapes import CLASS_OF, CLASSES
from streetloop.types import Detections

if TYPE_CHECKING:
    from streetloop.city.render.painter import Cast, Painter
    from streetloop.city.world.city_events import CityEvent

MIN_VISIBLE = 0.25
MIN_SIDE = 8 / 360
MIN_AREA = 110 / (640 * 360)


@dataclass(frozen=True, slots=True)
class Seen:
    """One object in one frame.

    Attributes:
        track_id: The same from its first frame to its last, and nobody else's.
        class_name: One of `shapes.CLASSES`.
        kind: What it is more exactly, such as ``saloon``.
        xyxy: Box round what can be seen of it: left, top, right, bottom in pixels.
        visible: The share of it that is in the image with nothing in front, 0 to 1.
        clear: False where nobody could be asked to see it: too small, or nearly hidden.
    """

    track_id: int
    class_name: str
    kind: str
    xyxy: tuple[float, float, float, float]
    visible: float
    clear: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that is ongoing in a frame; ``xyxy`` where it can be pointed at."""

    name: str
    start: float
    length: float
    track_id: int | None = None
    xyxy: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is really in frame ``frame``, ``second`` seconds into the city's time."""

    frame: int
    second: float
    seen: tuple[Seen, ...]
    happening: tuple[Happening, ...]

    def clear(self) -> tuple[Seen, ...]:
        """What a careful annotator would box."""
        return tuple(one for one in self.seen if one.clear)

    def detections(self) -> Detections:
        """What a perfect detector of `CLASSES` would answer."""
        return _boxes(self.clear())

    def unclear(self) -> Detections:
        """What a detector may find or miss: too small, or nearly hidden."""
        return _boxes(tuple(one for one in self.seen if not one.clear))

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {
            "frame": self.frame,
            "second": self.second,
            "seen": [_plain(one) for one in self.seen],
            "events": [asdict(event) for event in self.happening],
        }


def _plain(seen: Seen) -> dict[str, Any]:
    return {"class" if name == "class_name" else name: value for name, value in asdict(seen).items()}


def _boxes(objects: Sequence[Seen]) -> Detections:
    return Detections(
        np.array([t.xyxy for t in objects], np.float32).reshape(-1, 4),
        np.ones(len(objects), np.float32),
        np.array([CLASSES.index(t.class_name) for t in objects], np.int64),
    )


def truth_of(
    painter: "Painter",
    cast: "Cast",
    frame: int,
    second: float,
    happening: Sequence[tuple["CityEvent", int | None]],
) -> Truth:
    """Read the truth from who owns which pixel.

    Args:
        painter: Knows what hides what.
        cast: Everything that moves and can be in the image.
        frame: Number of the frame.
        second: Its second.
        happening: Ongoing events, with the track of what they are about.
    """
    owner, whole = painter.visible(cast)
    height, width = owner.shape
    seen, places = [], {}
    for k, actor in enumerate(cast.actors):
        left, top = np.maximum(np.floor(cast.boxes[k, :2]).astype(int) - 2, 0).tolist()
        right, bottom = (np.ceil(cast.boxes[k, 2:]).astype(int) + 3).tolist()
        mine = (owner[top : max(bottom, 0), left : max(right, 0)] == k + 1).astype(np.uint8)
        pixels = cv2.countNonZero(mine) if mine.size else 0
        if not pixels or not whole[k]:
            continue
        x, y, w, h = cv2.boundingRect(mine)
        box = (float(left + x), float(top + y), float(left + x + w), float(top + y + h))
        places[actor.track_id] = box
        class_name = CLASS_OF[actor.kind]
        if class_name is None:
            continue
        visible = min(pixels / int(whole[k]), 1.0)
        clear = is_large(box, width, height) and visible >= MIN_VISIBLE
        seen.append(Seen(actor.track_id, class_name, actor.kind, box, round(visible, 4), clear))
    seen.sort(key=lambda one: one.track_id)
    events = tuple(
        Happening(event.name, event.start, event.length, track, places.get(track) if track else None)
        for event, track in happening
    )
    return Truth(frame, second, tuple(seen), events)


def is_large(xyxy: tuple[float, float, float, float], width: int, height: int) -> bool:
    """True if somebody could be asked to see a box of that size.

    Args:
        xyxy: Left, top, right, bottom in pixels.
        width: Of the image in pixels.
        height: Of the image in pixels.
    """
    w, h = xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]
    return h >= MIN_SIDE * height and w * h >= MIN_AREA * width * height and w >= 3
