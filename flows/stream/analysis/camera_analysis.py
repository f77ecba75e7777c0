"""From one camera's detections to tracks, object counts and line crossings."""

import numpy as np

from flows.stream.analysis.counting_lines import Crossing, LineCounter, anchor
from flows.stream.analysis.results import Result
from flows.stream.analysis.status import Lags
from flows.stream.analysis.tracker import CameraTracker
from streetloop.cameras import Camera
from streetloop.settings import Settings
from streetloop.types import UNCONFIRMED, Detections, Frame, Tracked

_IDS_PER_GENERATION = 10_000_000


class CameraAnalysis:
    """The analysis of one camera's detections.

    Args:
        camera: The camera; its counting lines are in fractions of the image.
        settings: ``confidence`` decides what starts a track and what is reported. Higher reports
            fewer false positives and misses more objects.
        generation: How many workers that hosted the camera have died; keeps track ids unique over
            restarts.

    Attributes:
        lags: Times from decoding to result.
        model: Version of the model that answered last; None before the first answer.
    """

    def __init__(self, camera: Camera, settings: Settings, generation: int = 0) -> None:
        self._confidence = settings.confidence
        self._tracker = CameraTracker(settings.confidence, first_id=1 + generation * _IDS_PER_GENERATION)
        self._lines = [LineCounter(name, line) for name, line in camera.lines.items()]
        self._seen: set[int] = set()
        self.lags = Lags()
        self.model: str | None = None

    @property
    def objects(self) -> int:
        """Number of confirmed tracks so far."""
        return len(self._seen)

    @property
    def moving(self) -> bool:
        """True if a confirmed track has moved within the last second."""
        return self._tracker.moving

    def line_counts(self) -> dict[str, dict[str, int]]:
        """Crossings so far by line and direction."""
        return {c.name: {"in": c.counts["in"], "out": c.counts["out"]} for c in self._lines}

    def update(self, frame: Frame, detections: Detections, model_version: str) -> Result:
        """Track the detections of ``frame``; frames come in order of time.

        Detections below the confidence threshold may extend a track; those that do not are left
        out of the result.

        Args:
            frame: The frame.
            detections: In pixels of the frame.
            model_version: The model that found them.
        """
        self.model = model_version
        picture = frame.picture
        tracked = self._tracker.update(detections, frame.pts, picture.width, picture.height)
        kept = (tracked.track_id != UNCONFIRMED) | (detections.confidence >= self._confidence)
        tracked = Tracked(detections.take(kept), tracked.track_id[kept])
        self._seen.update(int(t) for t in tracked.track_id if t != UNCONFIRMED)
        return Result(frame, tracked, self._crossings(frame, tracked), model_version)

    def _crossings(self, frame: Frame, tracked: Tracked) -> list[Crossing]:
        crossings: list[Crossing] = []
        width, height = frame.picture.width, frame.picture.height
        confirmed = np.flatnonzero(tracked.track_id != UNCONFIRMED)
        for counter in self._lines:
            for i in confirmed:
                x1, y1, x2, y2 = (float(v) for v in tracked.detections.xyxy[i])
                at = anchor((x1, y1, x2, y2), width, height)
                crossing = counter.update(int(tracked.track_id[i]), at, frame.pts)
                if crossing is not None:
                    crossings.append(crossing)
            counter.forget(frame.pts)
        return crossings
