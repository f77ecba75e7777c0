"""The watch over one camera: tracks become scenes, and rules look at them."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from flows.stream.analysis.watched_time import WatchedTime
from flows.stream.anomalies.rule import AnomalyChange, Rule
from flows.stream.anomalies.rule_set import rules_of
from flows.stream.anomalies.scene import Objects, Scene, objects_of, role_of
from flows.stream.anomalies.street import Street
from flows.stream.anomalies.waiting import queues
from flows.stream.anomalies.zone_map import ZoneMap
from flows.stream.tracking.tracker import Track
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.cameras.camera_file import Camera
from streetloop.types import Frame, Ints

_GAP_S = 5.0  # without a frame, from which nobody looked; the gate's keyframes are closer
_GAP_PERIODS = 2.5
_MOST_STRETCHES = 1000


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An anomaly that began, or is over.

    Attributes:
        key: Names it within its camera and worker.
        camera_id: Where.
        kind: What.
        started_at: When it began (UTC).
        ended_at: When it ended (UTC); None at its begin.
        certainty: How sure it is, 0 to 1.
        box: Left, top, right, bottom in fractions of the picture; None for all of the street.
        detail: Tracks, zone and what else is known, as JSON.
        model_version: The model that found the objects.
        rule_version: The rule that found it.
        coverage: Share of its time that was looked at, 0 to 1.
        evidence: Keys of pictures in the object store.
    """

    key: str
    camera_id: str
    kind: AnomalyKind
    started_at: datetime
    ended_at: datetime | None
    certainty: float
    box: tuple[float, ...] | None
    detail: dict[str, Any]
    model_version: str
    rule_version: str
    coverage: float
    evidence: tuple[str, ...] = ()


class AnomalyWatch:
    """Looks for the anomalies of one camera.

    Args:
        camera: Its zones, and what it looks for.
        names: Class names of the model by class id.
        generation: How many workers that hosted the camera have died; keeps keys unique.
        street: What was learned before; None for nothing.

    Attributes:
        rules: What looks; none before the first frame.
        street: What was learned; None before the first frame.
    """

    def __init__(
        self, camera: Camera, names: Sequence[str], generation: int = 0, street: Street | None = None
    ) -> None:
        self._camera, self._generation = camera, generation
        self._zones = ZoneMap(camera.zones)
        roles = [role_of(name) for name in names]
        self._roles: Ints = np.array([-1 if role is None else int(role) for role in roles], np.int64)
        self._gap_s = max(_GAP_S, _GAP_PERIODS / camera.fps if camera.fps else 0.0)
        self._looks = _Looks(1 / camera.fps if camera.fps else 0.0)
        self._pts: float | None = None
        self._last: tuple[Frame, str] | None = None
        self.rules: Sequence[Rule] = ()
        self.street = street
        self._size = (1, 1)

    @property
    def zone_names(self) -> Sequence[str]:
        """Names of the zones by their numbers in scenes."""
        return self._zones.names

    def skip(self, frame: Frame) -> None:
        """Note a frame that was not detected because nothing moves; any thread may call it."""
        if self.rules:
            self._looks.add(frame)

    def update(
        self, tracks: Sequence[Track], frame: Frame, size: tuple[int, int], model_version: str
    ) -> list[Anomaly]:
        """Look at a detected frame; frames come in order of time.

        Args:
            tracks: The tracks that were seen in it.
            frame: The frame.
            size: Width and height in pixels that the tracks refer to.
            model_version: The model that found them.
        """
        if self._last is not None and not self.rules:
            return []
        return self.look(objects_of(tracks, self._roles, frame.pts), frame, size, model_version)

    def look(
        self, objects: Objects, frame: Frame, size: tuple[int, int], model_version: str
    ) -> list[Anomaly]:
        """Look at the objects of a frame, as `update` does at its tracks."""
        self._looks.add(frame)
        street = self.street = self.street or Street(*size)
        if self._last is None:
            self._size = size
            self.rules = rules_of(self._camera.anomalies, self._zones, *size)
        self._last = frame, model_version
        scene = self._scene(objects, frame.pts, street)
        found = [
            self._told(rule, change, frame, model_version)
            for rule in self.rules
            for change in rule.update(scene, street)
        ]
        street.learn(scene, scene.vehicles & ~scene.parking)
        return found

    def _scene(self, objects: Objects, pts: float, street: Street) -> Scene:
        step = 0.0 if self._pts is None else max(0.0, pts - self._pts)
        self._pts = pts
        places = self._zones.places(objects.ground / self._size)
        kept = ~places.ignored
        columns = [getattr(objects, name)[kept] for name in Objects.__slots__]
        where = [column[kept] for column in places[1:]]
        nobody = np.full(len(columns[0]), -1, np.int64)
        step_s, given = step if step <= self._gap_s else 0.0, [*columns, *where]
        queue = queues(Scene(pts, step_s, *[*given, nobody]), street)
        return Scene(pts, step_s, *[*given, queue])

    def _told(self, rule: Rule, change: AnomalyChange, frame: Frame, model_version: str) -> Anomaly:
        seen = change.sighting
        started = frame.captured_at - timedelta(seconds=frame.pts - seen.since)
        ended = None
        if change.ended is not None:
            ended = max(started, frame.captured_at - timedelta(seconds=frame.pts - change.ended))
        detail: dict[str, Any] = {"tracks": list(seen.track_ids), **dict(seen.detail)}
        if seen.zone >= 0:
            detail["zone"] = self._zones.names[seen.zone]
        box = None if seen.box is None else tuple((seen.box / np.tile(self._size, 2)).round(4).tolist())
        return Anomaly(
            f"{rule.kind}-{self._generation}-{change.number}",
            self._camera.id,
            rule.kind,
            started,
            ended,
            round(min(max(seen.certainty, 0.0), 1.0), 3),
            box,
            detail,
            model_version,
            rule.version,
            self._looks.coverage(started, ended or frame.captured_at),
        )


class _Looks:
    """The stretches in which a camera was looked at; safe to use from several threads."""

    def __init__(self, period_s: float) -> None:
        self._watched, self._lock = WatchedTime(period_s), threading.Lock()
        self._stretches: deque[tuple[datetime, datetime]] = deque(maxlen=_MOST_STRETCHES)

    def add(self, frame: Frame) -> None:
        with self._lock:
            for start, end in self._watched.add(frame):
                if self._stretches and self._stretches[-1][1] == start:
                    self._stretches[-1] = self._stretches[-1][0], end
                else:
                    self._stretches.append((start, end))

    def coverage(self, start: datetime, end: datetime) -> float:
        """Share of a period in which it was looked at, 0 to 1; 1 for a moment."""
        length = (end - start).total_seconds()
        if length <= 0:
            return 1.0
        with self._lock:
            parts = [(min(b, end) - max(a, start)).total_seconds() for a, b in self._stretches]
        return round(min(1.0, sum(part for part in parts if part > 0) / length), 3)
