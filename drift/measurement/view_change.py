"""How far the view of a camera has moved: shifted, rolled, zoomed, tilted or mirrored.

Two mean edge maps are registered. A coarse grid of rolls and zooms, each with the shift of phase
correlation, finds the basin; the enhanced correlation coefficient refines a homography from there.

References:
    Kuglin and Hines, "The phase correlation image alignment method", 1975.
    Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient
    maximization", 2008.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.measurement.image_features import EDGES_SHAPE, Edges

Homography: TypeAlias = NDArray[np.float64]

_ROWS, _COLUMNS = EDGES_SHAPE
_SIZE = (_COLUMNS, _ROWS)
_SAME = 0.93  # likeness from which on nothing is looked for
_ROLLS_DEG, _ZOOMS = (-8.0, -4.0, 0.0, 4.0, 8.0), (0.89, 1.0, 1.12)
_FLIPS, _WORTH_A_FLIP, _FLIP_GAIN = (1, 0, -1), 0.7, 0.1
_SMOOTHING = 1.2  # pixels: moving objects leave ragged edges
_MAX_SHIFT = 1 / 3
_MIN_OVERLAP = 0.25  # of the map; less could be like anything
_MAX_AREA_RATIO, _MAX_PERSPECTIVE = 2.5, 0.25
_ECC_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
_MIN_DISPLACEMENT = 0.012  # of the image's width; night, fog and rain look like up to 0.007
_MIN_LIKENESS, _MIN_GAIN = 0.3, 0.06
_MAX_UNEXPLAINED = 0.6  # of what is unlike, once the movement is undone; of a covered view 0.7 or more
UNUSUAL = 1.2
"""How many times more than within the reference a view must change."""


@dataclass(frozen=True, slots=True)
class ViewChange:
    """How a view differs from what it was.

    Attributes:
        displacement: Mean way of the points of the image, in widths of it; 1 if mirrored.
        roll_deg: Rotation about the optical axis in degrees.
        zoom: Magnification; 1 for none.
        perspective: Change of scale across the image, as a fraction; 0 for none.
        likeness: Correlation of both edge maps as they are, -1 to 1.
        aligned: The same once the movement is undone; different scenes stay under about 0.35.
        mirrored: True if the view was flipped.
        move: (3, 3) homography from pixels of the map before to those of the map since.
        usual: Displacement that the reference shows within itself: of a mast that sways.
    """

    displacement: float = 0.0
    roll_deg: float = 0.0
    zoom: float = 1.0
    perspective: float = 0.0
    likeness: float = 1.0
    aligned: float = 1.0
    mirrored: bool = False
    move: Homography | None = None
    usual: float = 0.0

    @property
    def has_moved(self) -> bool:
        """True if the view has moved more than it usually does, and undoing it makes both alike."""
        far = self.displacement >= max(_MIN_DISPLACEMENT, UNUSUAL * self.usual)
        gain = self.aligned - self.likeness
        explained = 1 - self.aligned <= _MAX_UNEXPLAINED * (1 - self.likeness)
        return far and explained and self.aligned >= _MIN_LIKENESS and gain >= _MIN_GAIN


UNCHANGED = ViewChange()
"""Of a view that cannot be compared, or shows what it showed."""


def compare_views(before: Edges | None, since: Edges | None) -> ViewChange:
    """Register two mean edge maps of a camera.

    Args:
        before: (90, 160) mean of `edges_of` over images before; None if there was none.
        since: The same of the images since; moving objects fade in both.

    Returns:
        `UNCHANGED` if one of them is missing or shows no edge, as of a covered lens.
    """
    if before is None or since is None or not (before.any() and since.any()):
        return UNCHANGED
    before, since = _smoothed(before), _smoothed(since)
    likeness = _correlation(before, since)
    if likeness >= _SAME:
        return ViewChange(likeness=likeness, aligned=likeness)
    best, mirrored = _registered(before, since), False
    if best[0] < _WORTH_A_FLIP:
        flips = [_coarse(_flipped(before, flip), since) for flip in _FLIPS]
        flip_best = max(flips, key=lambda found: found[0])
        if flip_best[0] > max(best[0], likeness) + _FLIP_GAIN:
            best, mirrored = flip_best, True
    aligned, move = best
    if aligned <= likeness:
        return ViewChange(likeness=likeness, aligned=likeness)
    return _described(move, likeness, aligned, mirrored)


def _described(move: Homography, likeness: float, aligned: float, mirrored: bool) -> ViewChange:
    linear = move[:2, :2]
    return ViewChange(
        displacement=1.0 if mirrored else _displacement(move),
        roll_deg=float(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))),
        zoom=float(np.sqrt(abs(np.linalg.det(linear)))),
        perspective=float(np.hypot(*(move[2, :2] * _SIZE))),
        likeness=likeness,
        aligned=aligned,
        mirrored=mirrored,
        move=None if mirrored else move,
    )


def _registered(before: Edges, since: Edges) -> tuple[float, Homography]:
    """The best likeness, and the movement that gives it."""
    rough = _coarse(before, since)
    fine = _refined(before, since, rough[1])
    return max(rough, (_likeness(before, since, fine), fine), key=lambda found: found[0])


def _coarse(before: Edges, since: Edges) -> tuple[float, Homography]:
    hann = cv2.createHanningWindow(_SIZE, cv2.CV_32F)
    centre = ((_COLUMNS - 1) / 2, (_ROWS - 1) / 2)
    found: list[tuple[float, Homography]] = []
    for roll in _ROLLS_DEG:
        for zoom in _ZOOMS:
            turn = np.vstack([cv2.getRotationMatrix2D(centre, roll, zoom), [0, 0, 1]])
            turned = cv2.warpAffine(before, turn[:2], _SIZE)
            # A copy: OpenCV writes the windowed image over what it is given.
            (dx, dy), _ = cv2.phaseCorrelate(turned, since.copy(), hann)
            if abs(dx) <= _MAX_SHIFT * _COLUMNS and abs(dy) <= _MAX_SHIFT * _ROWS:
                move = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]]) @ turn
                found.append((_likeness(before, since, move), move))
    return max(found, key=lambda one: one[0], default=(-1.0, np.eye(3)))


def _refined(before: Edges, since: Edges, move: Homography) -> Homography:
    """Refine a movement; the same if that does not converge to a plausible one."""
    start = np.linalg.inv(move)
    try:
        _, back = cv2.findTransformECC(
            since,
            before,
            np.asarray(start / start[2, 2], np.float32),
            cv2.MOTION_HOMOGRAPHY,
            _ECC_STEPS,
            np.ones(EDGES_SHAPE, np.uint8),
            1,  # they are smooth
        )
        fine = np.asarray(np.linalg.inv(np.asarray(back, np.float64)), np.float64)
    except (cv2.error, np.linalg.LinAlgError):  # it did not converge
        return move
    fine /= fine[2, 2]
    area = float(np.linalg.det(fine[:2, :2]))
    tilt = float(np.abs(fine[2, :2] * _SIZE).max())
    return fine if 1 / _MAX_AREA_RATIO < area < _MAX_AREA_RATIO and tilt < _MAX_PERSPECTIVE else move


def _likeness(before: Edges, since: Edges, move: Homography) -> float:
    """Correlation of what both show once ``before`` is moved; -1 where they hardly overlap."""
    moved = cv2.warpPerspective(before, move, _SIZE)
    inside = cv2.warpPerspective(np.ones_like(before), move, _SIZE) > 0.99
    if inside.mean() < _MIN_OVERLAP:
        return -1.0
    return _correlation(np.asarray(moved[inside], np.float32), since[inside])


def _displacement(move: Homography) -> float:
    x, y = np.meshgrid(np.linspace(0.1, 0.9, 9) * _COLUMNS, np.linspace(0.1, 0.9, 9) * _ROWS)
    points = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    way = cv2.perspectiveTransform(points, move) - points
    return float(np.linalg.norm(way, axis=-1).mean()) / _COLUMNS


def _smoothed(edges: Edges) -> Edges:
    return np.asarray(cv2.GaussianBlur(edges, (0, 0), _SMOOTHING), np.float32)


def _flipped(edges: Edges, axis: int) -> Edges:
    return np.ascontiguousarray(cv2.flip(edges, axis), np.float32)


def _correlation(a: Edges, b: Edges) -> float:
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 1e-9 else 0.0
