"""Triage: picks the frames of each camera that may be worth a label."""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.sinks.candidate_store import CandidateStore, PreparedFrame
from labeling.scoring import Band, Bands, FlickerWatch, disagreement, uncertainty
from streetloop.drawing.anonymise import Anonymiser
from streetloop.errors import ConfigError
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import UNCONFIRMED, Detections, Frame, Tracked

_MIN_SCORE = 0.1
_CONFIDENT_PERIODS = 6  # periods between two confident frames

_Best: TypeAlias = tuple[float, SelectionReason, Result]
"""Score, reason and frame of the best candidate so far."""


@dataclass(slots=True)
class _Camera:
    """State of one camera."""

    flicker: FlickerWatch = field(default_factory=FlickerWatch)
    best: _Best | None = None
    until: float = 0.0
    next_random: float = 0.0
    next_confident: float = 0.0


class Triage:
    """A `Sink` that keeps, of each camera and period, the frame that the model is least sure of.

    Three more kinds of frames become candidates:

    - While two models are compared, the frame of each period on which they disagree most.
    - Now and then a confident frame: in a condition that it has never seen, a model may find
      nothing and be confident. Selection prefers such frames where the camera drifts.
    - Random frames, at times that do not depend on the images. Only they measure without bias.

    Args:
        store: Receives the JPEGs, under their digests.
        names: Class names by class id.
        period_s: Length of a period in media seconds. Longer periods give fewer candidates.
        random_a_hour: Mean number of random frames a camera and media hour; 0 for none.
        origins: URI by camera, of simulated cameras only: other URIs may carry credentials and
            must not reach a ledger.
        bands: Confidences at which the model is unsure, by class.
        served: Minimum confidence of a box that is shown, 0 to 1; see `CandidateStore`.
        seed: Of the random times.
        hide: See `CandidateStore`.
        run: See `CandidateStore`.
        asked: See `CandidateStore`.
    """

    def __init__(
        self,
        store: ObjectStore,
        names: tuple[str, ...],
        period_s: float,
        random_a_hour: float,
        origins: Mapping[str, str],
        bands: Bands | None = None,
        served: float = 0.25,
        seed: int = 0,
        hide: Anonymiser | None = None,
        run: str = "",
        asked: Mapping[str, tuple[str, ...]] = {},
    ) -> None:
        self._bands = bands or Bands()
        self._kept = CandidateStore(store, names, origins, self._bands, served, hide, run, asked)
        self._names = names
        self._period_s = period_s
        self._apart_s = 3600.0 / random_a_hour if random_a_hour > 0 else np.inf
        self._rng = random.Random(seed)
        self._cameras: dict[str, _Camera] = {}
        self._disputed: dict[str, PreparedFrame] = {}
        self._lock = threading.Lock()

    def take(self, result: Result) -> None:
        """See `Sink.take`.

        Raises:
            StoreError: A candidate could not be stored; it is dropped.
        """
        frame = result.frame
        camera = self._cameras.get(frame.camera_id)
        if camera is None:
            camera = self._cameras[frame.camera_id] = _Camera(
                until=frame.pts + self._period_s, next_random=frame.pts + self._wait()
            )
        best, camera.best = camera.best, None
        if frame.pts < camera.until:
            camera.best = self._better(best, camera, result)
        else:
            camera.until = frame.pts + self._period_s
            camera.best = self._better(None, camera, result)
            self._end_period(camera, best, self._disputed_before(frame))
        if frame.pts >= camera.next_random:
            camera.next_random = frame.pts + self._wait()
            self._keep(0.0, SelectionReason.RANDOM, result)

    def add_disagreement(
        self, frame: Frame, ours: Detections, theirs: Detections, model_version: str
    ) -> None:
        """Compare two models' answers for one frame. One thread calls it, not that of `take`.

        The JPEG is encoded here, so that no stream waits for it and no picture is held. A later
        call of `take` stores the frame, so that a randomly drawn frame is stored as random.

        Args:
            frame: The frame.
            ours: The champion's boxes, in pixels of the frame: what the labeler starts from.
            theirs: The challenger's boxes; the labeler does not see them.
            model_version: Version of the champion.
        """
        score = disagreement(ours, theirs, self._names, self._bands)
        with self._lock:
            held = self._disputed.get(frame.camera_id)
        if score < _MIN_SCORE or (held is not None and score <= held.record.score):
            return
        tracked = Tracked(ours, np.full(len(ours), UNCONFIRMED, np.int64))
        result = Result(frame, tracked, [], model_version, np.ones(len(ours), np.bool_))
        prepared = self._kept.prepare(score, SelectionReason.DISAGREEMENT, result, theirs)
        with self._lock:
            self._disputed[frame.camera_id] = prepared

    def collect(self) -> list[FrameRecord]:
        """The candidates since the last call."""
        return self._kept.collect()

    def close(self) -> None:
        """See `Sink.close`; stores the candidates of the periods under way."""
        for camera_id, camera in self._cameras.items():
            best, camera.best = camera.best, None
            with self._lock:
                disputed = self._disputed.pop(camera_id, None)
            self._end_period(camera, best, disputed)

    def _wait(self) -> float:
        return self._rng.expovariate(1 / self._apart_s) if np.isfinite(self._apart_s) else np.inf

    def _better(self, best: _Best | None, camera: _Camera, result: Result) -> _Best | None:
        counted = result.tracked.detections.take(result.counted)
        unsure = uncertainty(counted, self._names, self._bands)
        flicker = camera.flicker.score(result.frame.pts, result.tracked)
        score, reason = max((unsure, SelectionReason.UNSURE), (flicker, SelectionReason.FLICKER))
        return best if best is not None and score <= best[0] else (score, reason, result)

    def _disputed_before(self, frame: Frame) -> PreparedFrame | None:
        """The disputed frame of the camera, unless `take` has yet to see that frame."""
        with self._lock:
            disputed = self._disputed.get(frame.camera_id)
            if disputed is None or disputed.frame_id >= frame.frame_id:
                return None
            return self._disputed.pop(frame.camera_id)

    def _end_period(self, camera: _Camera, best: _Best | None, disputed: PreparedFrame | None) -> None:
        """Store the best frames; one that is best for two reasons only for the stronger one."""
        if disputed is not None and best is not None and disputed.frame_id == best[2].frame.frame_id:
            best, disputed = (None, disputed) if disputed.record.score > best[0] else (best, None)
        if disputed is not None:
            self._kept.keep(disputed)
        if best is not None:
            self._keep_if_worth(best, camera)

    def _keep_if_worth(self, best: _Best, camera: _Camera) -> None:
        pts = best[2].frame.pts
        if best[0] < _MIN_SCORE:
            if pts < camera.next_confident:
                return
            camera.next_confident = pts + _CONFIDENT_PERIODS * self._period_s
        self._keep(*best)

    def _keep(self, score: float, reason: SelectionReason, result: Result) -> None:
        self._kept.keep(self._kept.prepare(score, reason, result))


def bands_of(settings: Settings, names: Sequence[str]) -> Bands:
    """The bands and weights of the settings, by class.

    Args:
        settings: Give the bands by class name.
        names: Class names of the model.

    Raises:
        ConfigError: A band is of a class that the model does not have.
    """
    if unknown := sorted(settings.label_bands.keys() - set(names)):
        raise ConfigError(
            f"setting 'label_bands': the model has no class {unknown[0]!r}; it has {', '.join(names)}"
        )
    own = {name: Band(b.low, b.high, b.weight) for name, b in settings.label_bands.items()}
    return Bands(of_class=own)
