"""A strictly rising media time over disordered, missing and restarted time stamps."""

_JUMP_S = 10.0  # a longer step is a new timeline, not a slow camera
_JITTER_S = 0.5  # a shorter step back is a disordered stamp, not a new timeline
_FALLBACK_FPS = 25.0


class MediaClock:
    """Turns a source's time stamps into strictly rising seconds since the first picture.

    A missing stamp advances by one frame period, a repeated or disordered one by a hundredth of
    it. After a new connection, or a jump of the stamps, the monotonic clock gives the step.

    >>> clock = MediaClock()
    >>> [clock.stamp(t, arrived_s=i * 0.04, fps=25) for i, t in enumerate([9.0, 9.04, None, 2.0])]
    ... # doctest: +ELLIPSIS
    [0.0, 0.0399..., 0.0799..., 0.1199...]
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._arrived_s = 0.0
        self._offset: float | None = None

    def reconnected(self) -> None:
        """Note that the next stamp belongs to a new connection."""
        self._offset = None

    def stamp(self, media_s: float | None, arrived_s: float, fps: float = 0.0) -> float:
        """The media time of the next picture in seconds since the first.

        Args:
            media_s: The source's own stamp in seconds; None if it gave none.
            arrived_s: The monotonic clock at its arrival.
            fps: Nominal frame rate; 0 if unknown.
        """
        pts = self._place(media_s, arrived_s, 1 / (fps or _FALLBACK_FPS))
        self._last = pts
        self._arrived_s = arrived_s
        return pts

    def _place(self, media_s: float | None, arrived_s: float, period: float) -> float:
        if self._last is None:
            self._offset = None if media_s is None else -media_s
            return 0.0
        if media_s is None:
            return self._last + period
        if self._offset is not None:
            step = media_s + self._offset - self._last
            if 0 < step < _JUMP_S:
                return self._last + step
            if -_JITTER_S < step <= 0:
                # The timeline stays: a stray stamp must not shift all that follow.
                return self._last + period / 100
        pts = self._last + max(arrived_s - self._arrived_s, period)
        self._offset = pts - media_s
        return pts
