"""Episodes: sightings of scene after scene become anomalies with a begin and an end."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from flows.stream.anomalies.rule import AnomalyChange, Sighting

_MOST_TRACKS = 50  # named in an event


@dataclass(slots=True)
class _Episode:
    number: int
    sighting: Sighting
    seen: float
    missed_s: float = 0.0


class Episodes:
    """The open anomalies of a rule.

    An anomaly is over once the contrary was looked at for ``clear_s``; it ends when it was last
    seen. Time that was not looked at does not count.

    Args:
        clear_s: Seconds. Higher joins sightings farther apart, and reports ends later.
    """

    def __init__(self, clear_s: float) -> None:
        self._clear_s = clear_s
        self._open: dict[Hashable, _Episode] = {}
        self._count = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._open

    def update(self, seen: Mapping[Hashable, Sighting], pts: float, step_s: float) -> Sequence[AnomalyChange]:
        """Note what a scene shows.

        Args:
            seen: Sightings by what keeps them apart, such as a zone.
            pts: Media time of the scene.
            step_s: Seconds since the scene before that were looked at.
        """
        if not seen and not self._open:
            return ()
        changes: list[AnomalyChange] = []
        for key, sighting in seen.items():
            found = self._open.get(key)
            if found is None:
                self._open[key] = _Episode(self._count, sighting, pts)
                changes.append(AnomalyChange(self._count, sighting))
                self._count += 1
            else:
                found.sighting, found.seen, found.missed_s = _joined(found.sighting, sighting), pts, 0.0
        for key in [key for key in self._open if key not in seen]:
            found = self._open[key]
            found.missed_s += step_s
            if found.missed_s >= self._clear_s:
                changes.append(AnomalyChange(found.number, found.sighting, found.seen))
                del self._open[key]
        return changes

    def close(self, pts: float) -> Sequence[AnomalyChange]:
        """End all."""
        changes = [AnomalyChange(one.number, one.sighting, min(one.seen, pts)) for one in self._open.values()]
        self._open.clear()
        return changes


def _joined(before: Sighting, now: Sighting) -> Sighting:
    tracks = dict.fromkeys((*before.track_ids, *now.track_ids))
    return replace(
        now,
        since=before.since,
        track_ids=tuple(tracks)[:_MOST_TRACKS],
        certainty=max(before.certainty, now.certainty),
    )
