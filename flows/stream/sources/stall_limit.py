"""How long a network stream may be silent before it counts as lost."""

from collections import deque

_PERIODS = 3.0  # of the camera's own rate: one picture may be lost, and the next one be late
_FEW = 2  # steps, from which a rate is known
_LATEST = 8  # steps that count; a camera may become slower
_MAX_STEP_S = 600.0  # what stamps say beyond that is no rate


class StallLimit:
    """The longest silence of one connection: a few periods of the stream, whatever its rate.

    >>> limit = StallLimit(stall_s=2.2, first_s=20.0)
    >>> limit.limit_s
    20.0
    >>> for k in range(3):
    ...     limit.note(arrived_s=5.0 * k, media_s=5.0 * k)
    >>> limit.limit_s
    15.0

    Args:
        stall_s: Least limit in seconds. Lower notices a frozen camera sooner; below one second it
            loses healthy ones, which pause up to half a second around a keyframe.
        first_s: The limit until the rate is known, after three pictures.
    """

    def __init__(self, stall_s: float, first_s: float) -> None:
        self._stall_s, self._first_s = stall_s, first_s
        self._before: tuple[float, float | None] | None = None
        self._steps: deque[float] = deque(maxlen=_LATEST)

    @property
    def limit_s(self) -> float:
        """Seconds without a picture after which the stream is lost."""
        if len(self._steps) < _FEW:
            return max(self._first_s, self._stall_s)
        return max(self._stall_s, _PERIODS * max(self._steps))

    def note(self, arrived_s: float, media_s: float | None) -> None:
        """Note a picture.

        Args:
            arrived_s: The monotonic clock.
            media_s: Its own time stamp; tells the rate of pictures that arrive in a bunch.
        """
        if self._before is not None:
            before_s, media_before_s = self._before
            step = arrived_s - before_s
            if media_s is not None and media_before_s is not None:
                own = media_s - media_before_s
                step = max(step, own if own < _MAX_STEP_S else 0.0)
            self._steps.append(step)
        self._before = arrived_s, media_s
