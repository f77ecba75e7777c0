"""A tap that picks out frames that might be worth asking about, and keeps them whole."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from flows.stream.results import Result
from flows.stream.simulated import SimulatedPicture
from labeling.appearance import embed, fingerprint
from labeling.queue import to_review
from labeling.scoring import Bands, FlickerWatch, attention, uncertainty
from labeling.selection import Candidate
from labeling.task import Reason, Task
from streetloop.ledger.reviews import Review
from streetloop.store import ObjectStore, put_image

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
_LEAST_SCORE = 0.1
_QUIET = 6  # periods between frames of which the model is sure


@dataclass(slots=True)
class _Camera:
    """What is remembered of one camera."""

    flicker: FlickerWatch = field(default_factory=FlickerWatch)
    best: tuple[float, Reason, Result] | None = None
    until: float = 0.0
    next_random: float = 0.0
    next_quiet: float = 0.0


class Triage:
    """A `Tap`: of each camera the frame that the model is least sure of in every few seconds.

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
        self._store = store
        self._names = names
        self._period_s = period_s
        self._apart_s = 3600.0 / random_a_hour if random_a_hour > 0 else np.inf
        self._origins = origins
        self._bands = bands or Bands()
        self._chance = random.Random(seed)
        self._cameras: dict[str, _Camera] = {}
        self._found: list[Review] = []
        self._lock = threading.Lock()

    def take(self, result: Result) -> None:
        """See `Tap.take`.

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
            self._keep_if_worth(best, camera)
        if frame.pts >= camera.next_random:
            camera.next_random = frame.pts + self._wait()
            self._keep(0.0, Reason.RANDOM, result)

    def collect(self) -> list[Review]:
        """What was found since the last call."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def close(self) -> None:
        """See `Tap.close`: keep what is held back."""
        for camera in self._cameras.values():
            self._keep_if_worth(camera.best, camera)
            camera.best = None

    def _wait(self) -> float:
        return self._chance.expovariate(1 / self._apart_s) if np.isfinite(self._apart_s) else np.inf

    def _better(
        self, best: tuple[float, Reason, Result] | None, camera: _Camera, result: Result
    ) -> tuple[float, Reason, Result] | None:
        unsure = uncertainty(result.tracked.detections, self._names, self._bands)
        flicker = camera.flicker.score(result.frame.pts, result.tracked)
        score, reason = max((unsure, Reason.UNSURE), (flicker, Reason.FLICKER))
        return best if best is not None and score <= best[0] else (score, reason, result)

    def _keep_if_worth(self, best: tuple[float, Reason, Result] | None, camera: _Camera) -> None:
        if best is None:
            return
        pts = best[2].frame.pts
        if best[0] < _LEAST_SCORE:
            if pts < camera.next_quiet:
                return
            camera.next_quiet = pts + _QUIET * self._period_s
        self._keep(*best)

    def _keep(self, score: float, reason: Reason, result: Result) -> None:
        frame, boxes = result.frame, result.tracked.detections
        image = frame.picture.bgr()
        jpeg = cv2.imencode(".jpg", image, _JPEG)[1].tobytes()
        digest, key = put_image(self._store, jpeg)
        task = Task(
            digest, key, frame.picture.width, frame.picture.height, frame.camera_id,
            frame.captured_at, reason, score, 0, result.model_version, boxes,
            origin=self._origin(result),
        )  # fmt: skip
        looks = embed(image, boxes, attention(boxes, self._names, self._bands))
        candidate = Candidate(
            digest, frame.camera_id, frame.captured_at, reason, score, fingerprint(image), looks
        )
        with self._lock:
            self._found.append(to_review(candidate, task))

    def _origin(self, result: Result) -> dict[str, str | int]:
        picture = result.frame.picture
        uri = self._origins.get(result.frame.camera_id)
        if uri is None or not isinstance(picture, SimulatedPicture):
            return {}
        return {"uri": uri, "frame": picture.frame}
