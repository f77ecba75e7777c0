"""A strictly rising media time over disordered, missing, leaping and restarted time stamps."""

import math

_JUMP_S = 10.0
_JITTER_S = 0.5  # a shorter step back is a disordered stamp, not a new timeline
_FALLBACK_FPS = 25.0
_SLOWER = 4.0  # a step of so many declared periods is still the camera's own
_LONGER = 1.5  # ... and so is one of so many times the step before: a time lapse


class MediaClock:
    """Turns a source's time stamps into strictly rising seconds since the first picture.

    A missing stamp advances by one frame period, a single disordered one by a hundredth of it.
    Stamps that all stay the same are none.
    After a new connection, or a jump of the stamps, the monotonic clock gives the step, and where
    that stands still, a period.

    >>> clock = MediaClock()
    >>> [clock.stamp(t, arrived_s=i * 0.04, fps=25) for i, t in enumerate([9.0, 9.04, None, 2.0])]
    ... # doctest: +ELLIPSIS
    [0.0, 0.0399..., 0.0799..., 0.1199...]

    Args:
        jump_s: A longer step is a jump, unless the source is that slow. Higher waits out longer
            pauses of a recording; lower takes more of them for joints between two recordings.

    Attributes:
        gaps: Jumps of the stamps so far, forward or back, within a connection.
    """

    def __init__(self, jump_s: float = _JUMP_S) -> None:
        self._jump_s = jump_s
        self._last: float | None = None
        self._arrived_s = 0.0
        self._offset: float | None = None
        self._step: float | None = None  # the last that was no jump
        self._seen_step = 0.0  # the last that was not back
        self._stray = False
        self._stamp: float | None = None  # as the source gave it
        self.gaps = 0

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
        known = media_s if media_s is not None and math.isfinite(media_s) else None
        pts = self._place(known, arrived_s, 1 / (fps or _FALLBACK_FPS), _SLOWER / fps if fps else 0.0)
        self._last, self._stamp = pts, known
        self._arrived_s = arrived_s
        return pts

    def _place(self, media_s: float | None, arrived_s: float, period: float, slow_s: float) -> float:
        if self._last is None:
            self._offset = None if media_s is None else -media_s
            return 0.0
        if media_s is None:
            return self._last + period
        if self._offset is not None:
            step = media_s + self._offset - self._last if media_s != self._stamp else 0.0
            if step == 0.0 and self._stray:  # it stands still
                self._offset = self._last + period - media_s
                return self._last + period
            longest = max(self._jump_s, slow_s, _LONGER * self._seen_step)
            if 0 < step < longest:
                self._step, self._seen_step, self._stray = step, step, False
                return self._last + step
            if -_JITTER_S < step <= 0 and not self._stray:
                # The timeline stays: a stray stamp must not shift all that follow.
                self._stray = True
                return self._last + period / 100
            self.gaps += 1
            self._seen_step = max(step, 0.0)
        pts = self._last + max(arrived_s - self._arrived_s, min(self._step or period, period))
        self._offset, self._stray = pts - media_s, False
        return pts
