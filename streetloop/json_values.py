"""Numbers that JSON can hold."""

import math


def finite_or_none(value: float, digits: int | None = None) -> float | None:
    """A finite number as a plain float; None for NaN and infinities, which JSON cannot hold.

    Args:
        value: The number; NumPy scalars are accepted.
        digits: Decimal places to round to; None keeps all.

    >>> finite_or_none(0.12345, 2), finite_or_none(float("nan")), finite_or_none(float("inf"))
    (0.12, None, None)
    """
    plain = float(value)
    if not math.isfinite(plain):
        return None
    return plain if digits is None else round(plain, digits)
