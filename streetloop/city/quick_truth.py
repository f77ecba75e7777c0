"""The truth of a frame by boxes alone: quicker than `truth_of`, and nearly the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from streetloop.city.render.crowd import Crowd
from streetloop.city.render.occlusion import NearestSolid
from streetloop.city.render.shapes import CLASS_OF
from streetloop.city.truth import MIN_VISIBLE, Happening, Seen, Truth, is_large
from streetloop.city.world.camera_model import CameraModel

if TYPE_CHECKING:
    from streetloop.city.world.city_events import CityEvent
    from streetloop.city.world.traffic import Actor

_CELL = 2  # pixels
_INSET = 0.06  # of a box's sides, which what it is round does not fill
_ROUNDED = 0.45  # pixels by which a box round whole pixels is larger on each side
_WHOLE = 0.97  # visible share from which the box is what is seen


class QuickTruth:
    """Says what can be seen, as if everything filled its box.

    Args:
        camera_model: The camera.
        solid_depth: (height, width) metres to what does not move.
    """

    def __init__(self, camera_model: CameraModel, solid_depth: NDArray[np.floating]) -> None:
        self._size = np.array([camera_model.width, camera_model.height])
        solid = np.where(np.isfinite(solid_depth), solid_depth, 1e9).astype(np.float32)
        self._nearest = NearestSolid(solid)
        self._solid = np.ascontiguousarray(solid[::_CELL, ::_CELL])

    def truth(
        self, crowd: Crowd, frame: int, second: float, happening: Sequence[tuple["CityEvent", "Actor | None"]]
    ) -> Truth:
        """The truth of a frame, see `truth_of`.

        Args:
            crowd: Everything that moves and can be in the image.
            frame: Number of the frame.
            second: Its second.
            happening: Ongoing events, with what they are about.
        """
        seen, places = [], {}
        for actor, box, visible in self._visible(crowd) if crowd.actors else ():
            places[actor.track_id] = box
            class_name = CLASS_OF[actor.kind]
            if class_name is not None:
                clear = is_large(box, *self._size.tolist()) and visible >= MIN_VISIBLE
                seen.append(Seen(actor.track_id, class_name, actor.kind, box, round(visible, 4), clear))
        seen.sort(key=lambda one: one.track_id)
        tracks = [(event, actor and actor.track_id) for event, actor in happening]
        events = tuple(
            Happening(event.name, event.start, event.length, track, places.get(track) if track else None)
            for event, track in tracks
        )
        return Truth(frame, second, tuple(seen), events)

    def _visible(self, crowd: Crowd) -> list[tuple["Actor", tuple[float, float, float, float], float]]:
        """Who is seen: a box in pixels, and the share that is in the image and not hidden."""
        order = np.argsort(-crowd.depth, kind="stable")
        boxes = crowd.boxes[order] + [-_ROUNDED, -_ROUNDED, _ROUNDED, _ROUNDED]
        depth = crowd.depth[order]
        inset = _INSET * np.tile(boxes[:, 2:] - boxes[:, :2], 2) * [1, 1, -1, -1]
        cells = np.round((boxes + inset) / _CELL).astype(np.int64)
        cells[:, 2:] = np.maximum(cells[:, 2:], cells[:, :2] + 1)
        rows, columns = self._solid.shape
        inside = np.clip(cells, 0, [columns, rows, columns, rows])
        owner = np.zeros((rows, columns), np.uint16)
        hides = self._nearest.hides(boxes, depth, [1] * len(order))
        for k, (left, top, right, bottom) in enumerate(inside.tolist()):
            if left >= right or top >= bottom:
                continue
            mine = owner[top:bottom, left:right]
            if hides[k]:
                mine[self._solid[top:bottom, left:right] >= depth[k]] = k + 1
            else:
                mine[:] = k + 1
        pixels = np.bincount(owner.ravel(), minlength=len(order) + 1)[1:]
        whole = (cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1])
        share = pixels / whole
        clipped = np.clip(boxes, 0, np.tile(self._size, 2))
        found = []
        for k in np.flatnonzero(pixels).tolist():
            box = tuple(clipped[k].tolist())
            if share[k] < _WHOLE and pixels[k] < np.prod(inside[k, 2:] - inside[k, :2]):
                box = _rest(owner, k + 1, inside[k].tolist(), box)
            found.append((crowd.actors[order[k]], box, min(float(share[k]), 1.0)))
        return found


def _rest(
    owner: NDArray[np.uint16], mark: int, inside: list[int], box: tuple[float, ...]
) -> tuple[float, float, float, float]:
    """The box round what is left of one that is partly hidden."""
    left, top, right, bottom = inside
    x, y, wide, high = cv2.boundingRect((owner[top:bottom, left:right] == mark).astype(np.uint8))
    x1 = box[0] if x == 0 else float((left + x) * _CELL)
    y1 = box[1] if y == 0 else float((top + y) * _CELL)
    x2 = box[2] if x + wide == right - left else float((left + x + wide) * _CELL)
    y2 = box[3] if y + high == bottom - top else float((top + y + high) * _CELL)
    return x1, y1, x2, y2
