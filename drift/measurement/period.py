"""One drift period of a camera: the unit in which drift is looked for, a minute by default."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import cv2
import numpy as np

from drift.measurement.features import NAMES
from drift.measurement.image_features import EDGES_SHAPE, Cells, Edges, cells_of, edges_of, measure_image
from streetloop.types import UNCONFIRMED, Floats, Image, Tracked

_TRACK_GONE_S = 2.0
_FRAGMENT_S = 1.0
_CLOSE = 1e-6
_MAX_PICTURE_WIDTH = 480


@dataclass(frozen=True, slots=True)
class DriftPeriod:
    """What a camera showed in one period.

    Attributes:
        camera_id: The camera.
        started_at: When it began (UTC).
        length_s: Its length in seconds of the stream.
        model_version: The model that answered.
        samples: Images that were measured.
        expected: Images that would have been measured without gaps in the stream.
        values: By feature; NaN where there was nothing to measure it on.
        mix: Tracks that appeared, by class.
        width: Of the images, in pixels; 0 if there was none.
        height: Of the images, in pixels; 0 if there was none.
        fps: Frames per second of the stream.
        still: True if all images were the same to the last pixel.
        edges: (90, 160) mean of the images' `edges_of`; None if none was kept.
        picture: The last image, at most 480 pixels wide, for people to look at.
        cells: (2, 18, 32) median of the images' `cells_of`; None if none was kept.
    """

    camera_id: str
    started_at: datetime
    length_s: float
    model_version: str
    samples: int
    expected: int
    values: Mapping[str, float]
    mix: Mapping[str, int]
    width: int
    height: int
    fps: float
    still: bool
    edges: Edges | None = None
    picture: Image | None = None
    cells: Cells | None = None


@dataclass(slots=True)
class _ObservedTrack:
    began_s: float
    last_s: float
    box: Floats
    path: float = 0.0


@dataclass(slots=True)
class _OpenPeriod:
    """A period that is being filled."""

    start_s: float
    started_at: datetime
    model_version: str
    first_frame: tuple[int, float]
    last_frame: tuple[int, float]
    images: list[dict[str, float]] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    sides: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    mix: Counter[str] = field(default_factory=Counter)
    edges: Edges = field(default_factory=lambda: np.zeros(EDGES_SHAPE, np.float32))
    cells: list[Cells] = field(default_factory=list)
    still: bool = True
    mixed: bool = False
    last: Image | None = None


class PeriodBuilder:
    """Aggregates the results of one camera into drift periods.

    Call `take` for every result, with the picture where `wants_picture` asks for it. One thread
    calls.

    Args:
        camera_id: The camera.
        names: Class names by class id.
        period_s: Length of a period in seconds of the stream. Longer periods vary less and detect
            later: the watch needs three to open a finding.
        sample_s: Seconds of the stream between two measured images, at most a quarter of a period.
            Longer costs less and varies more.
    """

    def __init__(
        self, camera_id: str, names: tuple[str, ...], period_s: float = 60.0, sample_s: float = 2.0
    ) -> None:
        self._camera_id = camera_id
        self._names = names
        self._period_s = period_s
        self._sample_s = min(sample_s, period_s / 4)
        self._open: _OpenPeriod | None = None
        self._next_sample_s = -np.inf
        self._tracks: dict[int, _ObservedTrack] = {}
        self._last_thumbnail: Image | None = None
        self._origin: datetime | None = None

    def take(
        self,
        frame_id: int,
        pts: float,
        at: datetime,
        tracked: Tracked,
        model_version: str,
        picture: Image | None,
    ) -> DriftPeriod | None:
        """Take one result.

        Args:
            frame_id: Counts the camera's frames.
            pts: Media time in seconds, rising.
            at: The same on the wall clock (UTC).
            tracked: Detections and tracks of the frame.
            model_version: The model that found them.
            picture: (height, width, 3) uint8 if `wants_picture` said so, else None.

        Returns:
            The period that ended before this frame, if one did and one model answered all of it.
        """
        done = None
        period = self._open
        if period is not None and pts >= period.start_s + self._period_s:
            # What two models answered belongs to neither.
            done = None if period.mixed else self._finish(period)
            period = None
        if period is None:
            start = pts - pts % self._period_s
            if self._origin is None:
                self._origin = at - timedelta(seconds=pts)
            # In media time, which may run faster than the wall clock.
            at = self._origin + timedelta(seconds=pts)
            period = self._open = _OpenPeriod(start, at, model_version, (frame_id, pts), (frame_id, pts))
        period.last_frame = (frame_id, pts)
        period.mixed |= model_version != period.model_version
        self._follow(period, pts, tracked)
        if picture is not None:
            self._next_sample_s = max(self._next_sample_s + self._sample_s, pts + _CLOSE)
            self._measure(period, picture, tracked)
        return done

    def wants_picture(self, pts: float) -> bool:
        """True if an image is to be measured.

        Args:
            pts: Its media time in seconds.
        """
        return pts >= self._next_sample_s - _CLOSE

    def _measure(self, period: _OpenPeriod, picture: Image, tracked: Tracked) -> None:
        period.images.append(measure_image(picture))
        period.edges += edges_of(picture)
        period.cells.append(cells_of(picture))
        thumbnail = picture[::8, ::8]
        if self._last_thumbnail is not None and not np.array_equal(thumbnail, self._last_thumbnail):
            period.still = False
        self._last_thumbnail = thumbnail.copy()
        period.last = picture
        found = tracked.detections
        period.found.append(len(found))
        if len(found):
            size = (found.xyxy[:, 2:] - found.xyxy[:, :2]).clip(0)
            share = size.prod(axis=1) / (picture.shape[0] * picture.shape[1])
            period.confidences.extend(found.confidence.tolist())
            period.sides.append(float(np.sqrt(np.median(share))))

    def _follow(self, period: _OpenPeriod, pts: float, tracked: Tracked) -> None:
        boxes, ids = tracked.detections.xyxy, tracked.track_id
        for box, track_id, class_id in zip(boxes, ids, tracked.detections.class_id, strict=True):
            if track_id == UNCONFIRMED:
                continue
            known = self._tracks.get(int(track_id))
            if known is None:
                self._tracks[int(track_id)] = _ObservedTrack(pts, pts, box)
                period.mix[self._names[class_id]] += 1
                continue
            known.path += _moved(known.box, box)
            known.last_s, known.box = pts, box
        for track_id, track in list(self._tracks.items()):
            if pts - track.last_s > _TRACK_GONE_S:
                del self._tracks[track_id]
                age = track.last_s - track.began_s
                period.ended.append(age)
                if age > 0:
                    period.speeds.append(track.path / age)

    def _finish(self, period: _OpenPeriod) -> DriftPeriod:
        values = dict.fromkeys(NAMES, float("nan"))
        for name in period.images[0] if period.images else ():
            values[name] = float(np.mean([image[name] for image in period.images]))
        values["detections"] = _mean(period.found)
        values["confidence"] = _mean(period.confidences)
        values["box_area"] = _mean(period.sides)
        values["speed"] = _mean(period.speeds)
        values["fragmentation"] = _mean([float(age < _FRAGMENT_S) for age in period.ended])
        (first, begin), (last, end) = period.first_frame, period.last_frame
        samples = len(period.images)
        height, width = (0, 0) if period.last is None else period.last.shape[:2]
        return DriftPeriod(
            camera_id=self._camera_id,
            started_at=period.started_at,
            length_s=self._period_s,
            model_version=period.model_version,
            samples=samples,
            expected=round(self._period_s / self._sample_s),
            values=values,
            mix=dict(period.mix),
            width=width,
            height=height,
            fps=(last - first) / (end - begin) if end > begin else 0.0,
            still=period.still and samples > 1,
            edges=np.asarray(period.edges / samples, np.float32) if samples else None,
            picture=None if period.last is None else _small(period.last),
            cells=np.asarray(np.median(period.cells, axis=0), np.float32) if samples else None,
        )


def _small(picture: Image) -> Image:
    height, width = picture.shape[:2]
    if width <= _MAX_PICTURE_WIDTH:
        return picture
    size = (_MAX_PICTURE_WIDTH, max(1, round(height * _MAX_PICTURE_WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _mean(values: "list[float] | list[int]") -> float:
    return float(np.mean(values)) if values else float("nan")


def _moved(before: Floats, since: Floats) -> float:
    """How far a box moved, in its diagonals."""
    diagonal = float(np.hypot(*(before[2:] - before[:2])))
    step = (since[:2] + since[2:] - before[:2] - before[2:]) / 2
    return float(np.hypot(*step)) / max(diagonal, 1.0)
