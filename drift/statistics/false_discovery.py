"""Control of false discoveries among many tests at once."""

import numpy as np

from drift.statistics.distance import Floats


def adjusted(p_values: Floats) -> Floats:
    """Adjust p-values so that those at or below a level have at most that share of false ones.

    >>> adjusted(np.array([0.01, 0.04, 0.5])).round(3).tolist()
    [0.03, 0.06, 0.5]

    Args:
        p_values: Of independent or positively dependent tests, in [0, 1], any shape; none is none.

    Reference: Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    from scipy.stats import false_discovery_control  # takes a second: where it is needed

    if not p_values.size:
        return p_values
    return np.asarray(false_discovery_control(p_values.ravel(), method="bh")).reshape(p_values.shape)
