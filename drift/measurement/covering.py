"""How much of a view is covered: cells that changed their tone and lost their texture."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drift.measurement.image_features import CELLS_SHAPE, EDGES_SHAPE, Cells
from drift.measurement.view_change import UNUSUAL, Homography

_FLOOR = 0.004  # one level of 255: what has less texture has none
_TONE_CHANGED = 0.06  # of 1, once light and contrast of the whole view are undone
_TEXTURE_LOST = 0.55  # of the view's usual texture, what is left at most
_TOLERANCE, _PAIRS, _GAIN_PENALTY = 0.025, 300, 0.1
_MIN_COVERED = 0.02
_MAX_UNMATCHED = 0.5  # of the cells that are not covered; 55 of 57 covered clips stay below


@dataclass(frozen=True, slots=True)
class Covering:
    """How much of a view differs from the rest.

    Attributes:
        recoloured: Share of the cells whose tone changed otherwise than that of most, 0 to 1.
        covered: Share of the cells that lost their texture, too, 0 to 1; 0 if no light
            fits most of the others: then the whole view is another, by night for example.
        usual: The same within the reference: of vehicles that stand.
    """

    recoloured: float = 0.0
    covered: float = 0.0
    usual: float = 0.0

    @property
    def is_covered(self) -> bool:
        """True if more is covered than objects of a street cover for long."""
        return self.covered >= max(_MIN_COVERED, UNUSUAL * self.usual)


def compare_cells(before: Cells | None, since: Cells | None, move: Homography | None = None) -> Covering:
    """Compare two views cell by cell.

    Args:
        before: (2, 18, 32) `cells_of` of images before; None if there was none.
        since: The same of the images since.
        move: How the view moved in between, in pixels of the edge map; None if it did not.
    """
    if before is None or since is None:
        return Covering()
    inside = np.ones(CELLS_SHAPE[1:], bool)
    if move is not None:
        before, inside = _moved(before, move)
    (tone, texture), (tone_since, texture_since) = before[:, inside], since[:, inside]
    if not tone.size:
        return Covering()
    gain, offset = _light(tone, tone_since)
    changed = np.abs(tone_since - gain * tone - offset) > _TONE_CHANGED * max(gain, 0.3)
    left = np.log((texture_since + _FLOOR) / (texture + _FLOOR))
    lost = left - np.percentile(left, 75) < np.log(_TEXTURE_LOST)
    hidden = changed & lost
    if changed.sum() - hidden.sum() > _MAX_UNMATCHED * (hidden.size - hidden.sum()):
        return Covering(float(changed.mean()))
    return Covering(float(changed.mean()), float(hidden.mean()))


def _moved(cells: Cells, move: Homography) -> tuple[Cells, NDArray[np.bool_]]:
    """Cells as the moved camera would show them, and which of them it shows."""
    rows, columns = CELLS_SHAPE[1:]
    scale = np.diag([EDGES_SHAPE[1] / columns, EDGES_SHAPE[0] / rows, 1.0])
    small = np.linalg.inv(scale) @ move @ scale
    moved = np.array([cv2.warpPerspective(plane, small, (columns, rows)) for plane in cells], np.float32)
    inside = cv2.warpPerspective(np.ones((rows, columns), np.float32), small, (columns, rows)) > 0.99
    return moved, np.asarray(inside)


def _light(before: NDArray[np.float32], since: NDArray[np.float32]) -> tuple[float, float]:
    """Gain and offset of the light that most cells agree on: RANSAC over pairs of cells."""
    rng = np.random.default_rng(0)
    i, j = rng.integers(0, len(before), (2, _PAIRS))
    far = np.abs(before[i] - before[j]) > 0.05
    i, j = i[far], j[far]
    gains = np.append((since[i] - since[j]) / (before[i] - before[j]), 1.0)
    offsets = np.append(since[i] - gains[:-1] * before[i], np.median(since - before))
    usable = (gains > 0.1) & (gains < 4)
    gains, offsets = gains[usable], offsets[usable]
    errors = np.abs(since - gains[:, None] * before - offsets[:, None])
    score = (errors < _TOLERANCE).mean(axis=1) - _GAIN_PENALTY * np.abs(np.log(gains))
    best = int(score.argmax())
    return float(gains[best]), float(offsets[best])
