"""A tap that picks out frames that might be worth asking about, and keeps them whole."""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.sinks.candidate_store import CandidateStore, PreparedFrame
from labeling.scoring import Band, Bands, FlickerWatch, disagreement, uncertainty
from labeling.task import SelectionReason
from streetloop.errors import ConfigError
from streetloop.ledger.reviews import Review
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore
from streetloop.types import UNCONFIRMED, Detections, Frame, Tracked

_LEAST_SCORE = 0.1
_CONFIDENT_PERIODS = 6  # periods between frames of which the model is sure

_Best: TypeAlias = tuple[float, SelectionReason, Result]
"""Score, reason and frame."""


@dataclass(slots=True)
class _Camera:
    """What is remembered of one camera."""

    flicker: FlickerWatch = field(default_factory=FlickerWatch)
    best: _Best | None = None
    until: float = 0.0
    next_random: float = 0.0
    next_confident: float = 0.0


class Triage:
    """A `Sink`: of each camera the frame that the model is least sure of in every few seconds.

    While two models are compared, the frame is taken, too, over which they contradict each other
    most.

    Now and then a frame is taken that the model is sure of, too: on a night that it has never seen
    a model finds nothing, and is sure of it. Such frames are asked about where a camera drifts.
    Random frames are taken beside them, whatever they show, at times that nothing in the picture
    has a say in.

    Args:
        store: Where whole frames are kept, named by their content.
        names: Class names by class id.
        period_s: Seconds of the stream of which the best frame is taken.
        random_a_hour: Random frames of each camera an hour of the stream.
        origins: URI by camera, of simulated ones; nothing else may be written into a ledger.
        bands: Where the model is unsure.
        seed: Of the random times.
    """

    def __init__(
        self,
        store: ObjectStore,
        names: tuple[str, ...],
        period_s: float,
        random_a_hour: float,
        origins: Mapping[str, str],
        bands: Bands | None = None,
        seed: int = 0,
    ) -> None:
        self._bands = bands or Bands()
        self._kept = CandidateStore(store, names, origins, self._bands)
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
            StoreError: A frame could not be kept.
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

    def contradict(self, frame: Frame, ours: Detections, theirs: Detections, model_version: str) -> None:
        """Two models answered the same frame; called from one thread, another than that of `take`.

        The JPEG is made here: the streams do not wait for it, and no picture is held. The frame is
        noted by the `take` of a later one, so that one that is drawn at random is noted as that.

        Args:
            frame: Which frame.
            ours: The champion's boxes, in pixels of the frame: what a labeller starts from.
            theirs: The challenger's boxes; nobody is shown them.
            model_version: The champion's.
        """
        score = disagreement(ours, theirs, self._names, self._bands)
        with self._lock:
            held = self._disputed.get(frame.camera_id)
        if score < _LEAST_SCORE or (held is not None and score <= held.review.score):
            return
        tracked = Tracked(ours, np.full(len(ours), UNCONFIRMED, np.int64))
        result = Result(frame, tracked, [], model_version)
        ready = self._kept.ready(score, SelectionReason.DISAGREEMENT, result, theirs)
        with self._lock:
            self._disputed[frame.camera_id] = ready

    def collect(self) -> list[Review]:
        """What was found since the last call."""
        return self._kept.collect()

    def close(self) -> None:
        """See `Sink.close`: keep what is held back."""
        for camera_id, camera in self._cameras.items():
            best, camera.best = camera.best, None
            with self._lock:
                disputed = self._disputed.pop(camera_id, None)
            self._end_period(camera, best, disputed)

    def _wait(self) -> float:
        return self._rng.expovariate(1 / self._apart_s) if np.isfinite(self._apart_s) else np.inf

    def _better(self, best: _Best | None, camera: _Camera, result: Result) -> _Best | None:
        unsure = uncertainty(result.tracked.detections, self._names, self._bands)
        flicker = camera.flicker.score(result.frame.pts, result.tracked)
        score, reason = max((unsure, SelectionReason.UNSURE), (flicker, SelectionReason.FLICKER))
        return best if best is not None and score <= best[0] else (score, reason, result)

    def _disputed_before(self, frame: Frame) -> PreparedFrame | None:
        """What is held of the camera, unless its own `take` is still to come."""
        with self._lock:
            disputed = self._disputed.get(frame.camera_id)
            if disputed is None or disputed.frame_id >= frame.frame_id:
                return None
            return self._disputed.pop(frame.camera_id)

    def _end_period(self, camera: _Camera, best: _Best | None, disputed: PreparedFrame | None) -> None:
        """Keep the best frames; one that is best twice for the stronger reason alone."""
        if disputed is not None and best is not None and disputed.frame_id == best[2].frame.frame_id:
            best, disputed = (None, disputed) if disputed.review.score > best[0] else (best, None)
        if disputed is not None:
            self._kept.keep(disputed)
        if best is not None:
            self._keep_if_worth(best, camera)

    def _keep_if_worth(self, best: _Best, camera: _Camera) -> None:
        pts = best[2].frame.pts
        if best[0] < _LEAST_SCORE:
            if pts < camera.next_confident:
                return
            camera.next_confident = pts + _CONFIDENT_PERIODS * self._period_s
        self._keep(*best)

    def _keep(self, score: float, reason: SelectionReason, result: Result) -> None:
        self._kept.keep(self._kept.ready(score, reason, result))


def bands_of(settings: Settings, names: Sequence[str]) -> Bands:
    """Where the model is unsure, and which classes are wanted more, as the settings have it.

    Args:
        settings: As given at the roof.
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
