"""Who waits at a stop line: in its zone, or in the queue that reaches back from it."""

import numpy as np

from flows.stream.anomalies.scene import Mask, Scene
from flows.stream.anomalies.street import Street
from streetloop.types import Ints

_GAP = 2.5  # scales between two vehicles of a queue
_LEAST_AHEAD = 0.5  # cosine


def queues(scene: Scene, street: Street) -> Ints:
    """(N,) number of the stop line at which each vehicle stands in a queue; -1 for none.

    A vehicle is in the queue if it stands in the zone of the stop line, or behind one that is.
    Where nobody knows yet which way is ahead, it is that of the vehicle before.

    Args:
        scene: What is seen.
        street: Says where ahead is.
    """
    stands = scene.vehicles & (scene.still_s > 0)
    found: Ints = np.where(stands, scene.stop_line, -1)
    if not (found >= 0).any():
        return found
    direction = street.direction(scene.ground)
    known: Mask = np.asarray(direction.any(axis=1))
    free = set(np.flatnonzero(stands & (found < 0)).tolist())
    joined = np.flatnonzero(found >= 0).tolist()
    while joined and free:
        ahead = joined.pop()
        rows = np.array(sorted(free))
        away = scene.ground[ahead] - scene.ground[rows]
        apart = np.hypot(away[:, 0], away[:, 1])
        near = apart < _GAP * np.maximum(scene.scale[rows], scene.scale[ahead])
        drives = np.where(known[rows, None], direction[rows], direction[ahead])
        before = (away * drives).sum(axis=1) > _LEAST_AHEAD * apart
        for row in rows[near & before].tolist():
            found[row] = found[ahead]
            free.remove(row)
            joined.append(row)
    return found
