"""Evidence from labels: both models answer the same labeled frames, and are scored."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from serve.rollout.control.ports import Applications
from serve.rollout.route_table import CHALLENGER
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import count_detections
from serve.rollout.statistics.evidence import EVERYTHING, Evidence, Scores
from streetloop.boxes import ids_by_name, to_detections
from streetloop.errors import ImageUnreadable, StoreError, StreetloopError
from streetloop.images import decode_image
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import FrameRecord, SelectionReason, list_labeled
from streetloop.ledger.rollouts import Rollout
from streetloop.storage.store import ObjectStore
from streetloop.types import Detections, Image

_log = logging.getLogger(__name__)

_ROUND_EVERY_S = 10.0
_MAX_FRAMES = 20  # of a round: two models on a busy machine


class LabelEvidence:
    """Scores of both models on random frames that were labeled since a rollout began.

    Only random frames count: frames that were chosen because the champion was uncertain of them
    favour any other model. Frames of the simulated city are left out, as their ground truth is
    compared live. Classes are compared by name: of the models' boxes and of the labels only those
    count whose class both know. Labels in doubt are left out.

    Args:
        ledger: The ledger with the labels.
        store: The object store with their images.
        applications: The applications of both models.
        names: Class names that both share.
        cities: City by camera, where it has one.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: ObjectStore,
        applications: Applications,
        names: Sequence[str],
        cities: Mapping[str, str | None] | None = None,
    ) -> None:
        self._cities = {} if cities is None else cities
        self._ledger, self._store, self._applications, self._names = (ledger, store, applications, names)
        self._seen: set[str] = set()
        self._rollout, self._since = 0, datetime.min.replace(tzinfo=UTC)
        self._due = 0.0
        self._round_under_way: Future[Evidence] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollout-labels")

    def collect(self, rollout: Rollout, champion_application: str, cameras: Collection[str]) -> Evidence:
        """Evidence since the last call; never waits.

        Args:
            rollout: The open rollout.
            champion_application: Application of the champion that it is compared with.
            cameras: Cameras that take part.
        """
        if rollout.id != self._rollout:
            self._begin(rollout)
        if self._round_under_way is None and time.monotonic() >= self._due:
            self._due = time.monotonic() + _ROUND_EVERY_S
            self._round_under_way = self._thread.submit(self._score_round, champion_application, cameras)
        if self._round_under_way is None or not self._round_under_way.done():
            return Evidence()
        work, self._round_under_way = self._round_under_way, None
        return work.result()

    def _begin(self, rollout: Rollout) -> None:
        """After a restart, what was counted before is not counted again."""
        self._rollout, self._seen, self._round_under_way = rollout.id, set(), None
        self._since = rollout.started_at if rollout.evidence is None else rollout.updated_at

    def _score_round(self, champion_application: str, cameras: Collection[str]) -> Evidence:
        found = Evidence()
        try:
            for review in self._unscored(cameras):
                try:
                    found += self._score(review, champion_application)
                except StoreError as error:
                    _log.info("a labeled frame is skipped for now: %s", error)
                else:
                    self._seen.add(review.digest)
        except StreetloopError as error:
            _log.info("labeled frames are scored later: %s", error)
        return found

    def _unscored(self, cameras: Collection[str]) -> list[FrameRecord]:
        return [
            review
            for review in list_labeled(self._ledger, SelectionReason.RANDOM)
            if review.camera_id in cameras
            and review.digest not in self._seen
            and "uri" not in review.origin
            and review.answered_at is not None
            and review.answered_at >= self._since
        ][:_MAX_FRAMES]

    def _score(self, review: FrameRecord, champion_application: str) -> Evidence:
        data = self._store.get(review.image_key)
        try:
            image = decode_image(data)
        except ImageUnreadable:
            return Evidence()
        truth, nothing = self._truth(review), Detections.empty()
        ours, theirs = (
            count_detections(truth, nothing, self._detect(application, image, review), self._names)
            for application in (champion_application, CHALLENGER)
        )
        if ours[EVERYTHING].is_empty:
            return Evidence()
        groups = ours.keys() & theirs.keys() | {EVERYTHING}
        scores = {g: Scores(ours[g], theirs[g]) for g in groups}
        city = self._cities.get(review.camera_id)
        if city is not None:
            scores[f"city:{city}"] = scores[EVERYTHING]
        gains = {g: Moments.of(s.gain) for g, s in scores.items()}
        return Evidence(gains=gains, scores=scores)

    def _truth(self, review: FrameRecord) -> Detections:
        """The label with the models' class ids."""
        ids = ids_by_name(review.classes, self._names)
        numbered = ((ids[box.class_id], box) for box in review.of_asked(review.label or ()))
        return to_detections(replace(box, class_id=k) for k, box in numbered if k is not None)

    def _detect(self, application: str, image: Image, review: FrameRecord) -> Detections:
        """A model's boxes of the classes that whoever labeled the frame could choose from."""
        found = self._applications.detect(application, image)
        known = {k for k in ids_by_name(review.asked_names, self._names) if k is not None}
        return found.take(np.isin(found.class_id, list(known)))
