"""Polygons: are they sound, and which points do they hold; the adapter of shapely."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Polygon: TypeAlias = Sequence[tuple[float, float]]
"""Corners in order, x to the right and y down; the last is joined to the first."""

_LEAST_AREA = 1e-6  # of the picture: a pixel of a 1000 x 1000 one


def polygon_fault(polygon: Polygon) -> str | None:
    """What is wrong with a polygon, as the end of a sentence; None if nothing is.

    >>> polygon_fault([(0, 0), (1, 1), (1, 0), (0, 1)])
    'crosses itself near (0.5, 0.5)'
    >>> polygon_fault([(0, 0), (1, 1), (0.5, 0.5)])
    'has no area'

    Args:
        polygon: Its corners in fractions of the picture, 0 to 1.
    """
    import shapely

    shape = shapely.Polygon(polygon)
    if shapely.Polygon(polygon).convex_hull.area < _LEAST_AREA:
        return "has no area"
    if shape.is_valid:
        return "has no area" if shape.area < _LEAST_AREA else None
    _, _, place = shapely.is_valid_reason(shape).partition("[")
    x, _, y = place.rstrip("]").partition(" ")
    return f"crosses itself near ({float(x):.2g}, {float(y):.2g})"


def covered_share(polygons: Sequence[Polygon]) -> float:
    """Share of the picture that polygons cover together, 0 to 1.

    >>> covered_share([[(0, 0), (1, 0), (1, 1)], [(0, 0), (0.5, 0), (0.5, 1)]])
    0.625

    Args:
        polygons: Sound ones, see `polygon_fault`.
    """
    import shapely

    return float(shapely.union_all([shapely.Polygon(polygon) for polygon in polygons]).area)


class Areas:
    """Many polygons that are asked at once which points lie in them.

    The cost of a call hardly depends on the number of polygons: an R-tree finds those that can
    hold a point.

    >>> areas = Areas([[(0, 0), (1, 0), (1, 1)], [(0, 0), (0.5, 0), (0.5, 1)]])
    >>> areas.holding(np.array([[0.4, 0.1], [0.9, 0.1]]))
    array([[ True,  True],
           [ True, False]])

    Args:
        polygons: P polygons.
    """

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        import shapely

        self._points = shapely.points
        shapes = [shapely.Polygon(polygon) for polygon in polygons]
        shapely.prepare(shapes)
        self._tree = shapely.STRtree(shapes)
        self._count = len(shapes)

    def holding(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(N, P) true where a polygon holds a point; its border belongs to it.

        Args:
            points: (N, 2) x and y.
        """
        found = np.zeros((len(points), self._count), np.bool_)
        if self._count and len(points):
            rows, polygons = self._tree.query(self._points(points), predicate="intersects")
            found[rows, polygons] = True
        return found
