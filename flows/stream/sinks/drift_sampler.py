"""The drift sampler: a sink that aggregates results into drift periods."""

import threading
from collections.abc import Mapping

from drift.measurement.period import DriftPeriod, PeriodBuilder
from flows.stream.analysis.results import Result
from streetloop.cameras.camera_file import Camera
from streetloop.settings import Settings


def sample_s(camera: Camera, settings: Settings) -> float:
    """Media time in seconds between the pictures that are measured for drift.

    It is ``drift_sample_s``, or the longest time between two results of the camera if that is
    longer.
    """
    longest = 1 / camera.fps if camera.fps else 0.0
    return max(settings.drift_sample_s, longest, settings.keyframe_s if settings.gate else 0.0)


class DriftSampler:
    """A `Sink` that keeps finished drift periods until they are collected.

    Args:
        names: Class names by class id.
        period_s: Length of a drift period in seconds of media time. Shorter detects drift sooner,
            from noisier statistics.
        sample_s: Media time in seconds between measured pictures, by camera. Higher costs less
            CPU time and gives noisier image statistics.
        max_periods: Periods that are kept while nobody collects them; the oldest are discarded.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        period_s: float,
        sample_s: Mapping[str, float],
        max_periods: int = 10_000,
    ) -> None:
        self._names = names
        self._period_s = period_s
        self._sample_s = sample_s
        self._max_periods = max_periods
        self._builders: dict[str, PeriodBuilder] = {}
        self._done: list[DriftPeriod] = []
        self._lock = threading.Lock()

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        frame = result.frame
        builder = self._builders.get(frame.camera_id)
        if builder is None:
            builder = self._builders[frame.camera_id] = PeriodBuilder(
                frame.camera_id, self._names, self._period_s, self._sample_s[frame.camera_id]
            )
        picture = frame.picture.bgr() if builder.wants_picture(frame.pts) else None
        period = builder.take(
            frame.frame_id, frame.pts, frame.captured_at, result.tracked, result.model_version, picture
        )
        if period is not None:
            with self._lock:
                self._done.append(period)
                del self._done[: -self._max_periods]

    def collect(self) -> list[DriftPeriod]:
        """The periods that ended since the last call."""
        with self._lock:
            done, self._done = self._done, []
        return done

    def close(self) -> None:
        """See `Sink.close`: an unfinished period is discarded."""
