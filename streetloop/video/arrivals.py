"""When the data of a picture arrived, although it is decoded later."""

import time

_MAX_WAITING = 64  # packets; a decoder holds back sixteen at most


class Arrivals:
    """For how long demultiplexer and decoder hold back the pictures of a live stream.

    Args:
        late: The demultiplexer cuts a picture where the next one begins: its data arrived when
            the one before was given out.
    """

    def __init__(self, *, late: bool) -> None:
        self._late = late
        self._before: float | None = None
        self._arrived: dict[int, float] = {}

    def note(self, pts: int | None) -> None:
        """Note that the demultiplexer gave out a packet with this stamp."""
        now = time.monotonic()
        if pts is not None:
            at = now if self._before is None or not self._late else self._before
            self._arrived[pts] = at
        while len(self._arrived) > _MAX_WAITING:
            self._arrived.pop(next(iter(self._arrived)))
        self._before = now

    def held_s(self, pts: int | None) -> float:
        """Seconds since the data of the picture with this stamp arrived; 0 if not known."""
        arrived = None if pts is None else self._arrived.pop(pts, None)
        return 0.0 if arrived is None else time.monotonic() - arrived
