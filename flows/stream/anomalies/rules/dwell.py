"""How long tracks have been somewhere; the times of ids that were lost are forgotten."""

from collections.abc import Iterable

_KEPT_S = 3.0


class Dwell:
    """Seconds that each track has been where a rule looks.

    Leaving for less than a second does not count.
    """

    def __init__(self) -> None:
        self._since: dict[int, tuple[float, float]] = {}

    def __contains__(self, track: int) -> bool:
        return track in self._since

    def update(self, tracks: Iterable[int], pts: float) -> dict[int, float]:
        """Since when each of ``tracks``, which are there at media time ``pts``, has been there."""
        kept = {t: times for t, times in self._since.items() if pts - times[1] <= _KEPT_S}
        self._since = kept | {t: (kept.get(t, (pts, pts))[0], pts) for t in tracks}
        return {t: self._since[t][0] for t in tracks}
