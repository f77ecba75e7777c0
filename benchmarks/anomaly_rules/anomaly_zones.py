"""The zones of simulated cameras, as somebody would draw them, for `benchmarks.anomalies`."""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray

from streetloop.city.world.camera_model import CameraModel
from streetloop.city.world.place import Parked, Place
from streetloop.city.world.places import PLACES
from streetloop.city.world.roads import Path as Way
from streetloop.city.world.roads import Stream

_LANE_M, _NEAR_M, _FAR_M, _STEP_M = 3.4, 4.0, 110.0, 1.0
_WALK_M, _QUEUE_M, _BAY_M = 5.0, 45.0, 4.0


@cache
def zones(camera: str) -> dict[str, Any]:
    """The zones of a camera as somebody would draw them: carriageway, stop lines, crosswalks.

    Args:
        camera: Such as ``larkfield/gantry``.
    """
    city, _, name = camera.partition("/")
    place = PLACES[city]
    model = CameraModel(place.cameras[name], 640, 360)
    found: dict[str, Any] = {}
    roads = [_road(place, "east"), _road(place, "west")] if city == "larkfield" else [_road(place, "")]
    road = shapely.union_all(roads)
    for kind, shapes in (
        *(("carriageway", [one]) for one in roads),
        ("parking", [_bay(parked) for parked in place.parked]),
        ("crosswalk", [_strip(walk.path, _WALK_M).intersection(road) for walk in place.walks]),
    ):
        for polygon in _in_picture(shapely.union_all(shapes), model):
            found[f"{kind} {len(found)}"] = {"kind": kind, "polygon": polygon}
    for approach, numbers in _approaches(place).items():
        shapes = [_stop_line(place.streams[number]) for number in numbers]
        for polygon in _in_picture(shapely.union_all(shapes), model)[:1]:
            found[approach] = {"kind": "stop_line", "polygon": polygon}
    return found


def lanes_of(camera: str) -> dict[str, list[int]]:
    """Numbers of the lanes of each stop line that the camera sees, by the name of its zone."""
    place = PLACES[camera.partition("/")[0]]
    drawn = zones(camera)
    return {name: numbers for name, numbers in _approaches(place).items() if name in drawn}


def _approaches(place: Place) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, stream in enumerate(place.streams):
        if stream.signal is not None:
            found[stream.name.rstrip("-0123456789")].append(number)
    return found


def _road(place: Place, prefix: str) -> shapely.Geometry:
    """The carriageway of the lanes whose names begin with ``prefix``."""
    width = 2 * _LANE_M + 2.0 if place.name == "larkfield" else _LANE_M
    ways = [route for stream in place.streams if stream.name.startswith(prefix) for route, _ in stream.routes]
    return shapely.union_all([_strip(way, width) for way in ways])


def _bay(parked: Parked) -> shapely.Geometry:
    """The ground of a parked vehicle, and a little round it."""
    shape = shapely.box(-_BAY_M, -1.5, _BAY_M, 1.5)
    turned = shapely.affinity.rotate(shape, parked.heading, origin=(0, 0))
    return shapely.affinity.translate(turned, parked.x, parked.y)


def _stop_line(stream: Stream) -> shapely.Geometry:
    way = stream.routes[0][0]
    return _strip(way, _LANE_M, stream.stop_at - _QUEUE_M, stream.stop_at + 3.0)


def _strip(way: Way, width: float, start: float = 0.0, end: float = math.inf) -> shapely.Geometry:
    """A way's ground between two places on it, in metres."""
    end = min(end, way.length)
    places = np.arange(max(start, 0.0), end + _STEP_M, _STEP_M)
    line = shapely.LineString([way.at(min(float(s), end))[:2] for s in places])
    return line.buffer(width / 2, cap_style="flat")


def _in_picture(ground: shapely.Geometry, model: CameraModel) -> list[list[list[float]]]:
    """Polygons of the ground as they are in the picture, in fractions."""
    forward = model.axes[2][:2] / np.linalg.norm(model.axes[2][:2])
    across = np.array([-forward[1], forward[0]])
    near, far = model.eye[:2] + _NEAR_M * forward, model.eye[:2] + _FAR_M * forward
    corners = [near - 200 * across, near + 200 * across, far + 200 * across, far - 200 * across]
    before = ground.intersection(shapely.Polygon(corners))
    found: list[list[list[float]]] = []
    for polygon in getattr(before, "geoms", [before]):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        dense = shapely.segmentize(polygon, 3.0)
        shells = [_project(ring.coords, model) for ring in (dense.exterior, *dense.interiors)]
        shape = shapely.Polygon(shells[0], shells[1:]).buffer(0)
        shape = shape.intersection(shapely.box(0, 0, 1, 1)).simplify(0.003)
        for part in getattr(shape, "geoms", [shape]):
            if part.geom_type == "Polygon" and part.area > 1e-4:
                found += _without_holes(part)
    return found


def _without_holes(polygon: shapely.Polygon) -> list[list[list[float]]]:
    """A polygon as polygons without holes, cut in two at each hole."""
    if not polygon.interiors:
        return [[[min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)] for x, y in polygon.exterior.coords[:-1]]]
    x = polygon.interiors[0].centroid.x
    halves = [polygon.intersection(shapely.box(*box)) for box in ((0, 0, x, 1), (x, 0, 1, 1))]
    parts = [part for half in halves for part in getattr(half, "geoms", [half])]
    return [found for part in parts if part.geom_type == "Polygon" for found in _without_holes(part)]


def _project(points: Sequence[Any], model: CameraModel) -> NDArray[np.float64]:
    ground = np.array([(x, y, 0.0) for x, y, *_ in points])
    pixels, _ = model.project(ground)
    return pixels / np.array([model.width, model.height])
