"""Shows a share of the batches to the other model, too, and compares; never in anybody's way."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from flows.stream.inference.batching import Batch
from flows.stream.sources.simulated import SimulatedPicture
from serve.detector.client import Answer, DetectorClient, Pending
from serve.rollout.route_table import CHALLENGER, RouteTable
from serve.rollout.statistics.evidence import Evidence
from serve.rollout.statistics.paired_comparison import Pair, PairedComparison, is_sane
from serve.rollout.statistics.track_stability import FleetStability
from streetloop.city.render.shapes import CLASSES
from streetloop.errors import AnswerInvalid, AnswerLate, DetectorError
from streetloop.types import Detections, Frame, Tracked
from train.model.preprocess import Letterbox

_log = logging.getLogger(__name__)

_PATIENCE_S = 2.0

Contradict: TypeAlias = Callable[[Frame, Detections, Detections, str], None]
"""Told of a frame what the champion and the challenger show, and the champion's version."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A batch that the other model was shown, too.

    Attributes:
        batch: The batch.
        of_challenger: True if the other model is the challenger.
        pending: Its answer.
    """

    batch: Batch
    of_challenger: bool
    pending: Pending


class ShadowComparison:
    """Evidence for or against a challenger.

    One sample is under way at a time; while it is, others are shed: the streams come first.

    Args:
        client: Opens the client of an application.
        names: Class names that both models share.
        cities: City by camera, where it has one.
        confidence: Least confidence of a box that is shown.
        contradict: Told of each frame that both answered, on the thread that compares; the
            evidence is noted before.
    """

    def __init__(
        self,
        client: Callable[[str], DetectorClient],
        names: Sequence[str],
        cities: Mapping[str, str | None],
        confidence: float,
        contradict: Contradict | None = None,
    ) -> None:
        self._client = client
        self._contradict = contradict
        self._names = names
        self._cities = cities
        self._confidence = confidence
        self._pairing, self._stability = PairedComparison(names, cities), FleetStability()
        self._table = RouteTable()
        self._due = 0.0
        self._busy = threading.Lock()
        self._answers: queue.Queue[tuple[Sample, Answer | None] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._compare_until_end, name="compare", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop, once what is under way has been compared."""
        self._answers.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=2 * _PATIENCE_S)

    def follow(self, table: RouteTable) -> None:
        """A new table is in force; where a rollout begins or ends, evidence begins anew."""
        if not table.compared:
            self._pairing, self._stability = (PairedComparison(self._names, self._cities), FleetStability())
        self._pairing.block_s = table.block_s
        self._table = table

    def collect(self) -> Evidence:
        """What was found since the last call."""
        return self._pairing.collect()

    def sample(self, application: str, batch: Batch) -> Sample | None:
        """Show a batch to the other model if one is due and nothing is under way.

        All of it, so that computing times compare; only cameras that take part are compared.
        """
        table = self._table
        cameras = {frame.camera_id for frame in batch.frames}
        if not table.sample or not cameras & table.compared:
            return None
        self._due += table.sample
        if self._due < 1:
            return None
        self._due -= 1
        if not self._busy.acquire(blocking=False):
            self._pairing.note_shed()
            return None
        champion_application = table.champion_application(batch.frames[0].camera_id)
        other = champion_application if application == CHALLENGER else CHALLENGER
        try:
            return Sample(batch, other == CHALLENGER, self._client(other).submit(batch.images))
        except DetectorError as error:
            self._busy.release()
            self.note_call(len(batch.frames), error, challenger=other == CHALLENGER)
            return None

    def answered(self, sample: Sample, answer: Answer | None) -> None:
        """The model in charge answered a sampled batch; None if it did not."""
        self._answers.put((sample, answer))

    def note_call(self, frames: int, error: DetectorError | None, *, challenger: bool) -> None:
        """A model was asked."""
        if self._table.compared:
            self._pairing.note_call(
                challenger=challenger,
                frames=frames,
                error=error is not None,
                invalid=isinstance(error, AnswerInvalid),
                late=isinstance(error, AnswerLate),
            )

    def served(self, frame: Frame, tracked: Tracked, *, challenger: bool) -> None:
        """A model's answer was served; called by one thread at a time, in order of time."""
        if frame.camera_id in self._table.compared:
            found = self._stability.take(frame.camera_id, frame.pts, tracked, challenger=challenger)
            self._pairing.note_served(found)

    def require_sane(self, answer: Answer, batch: Batch) -> None:
        """Look at an answer as somebody who trusts nobody.

        Raises:
            AnswerInvalid: It cannot be right.
        """
        height, width = batch.images.shape[1:3]
        if len(answer.detections) != len(batch.frames) or not all(
            is_sane(found, width, height, len(self._names)) for found in answer.detections
        ):
            raise AnswerInvalid(f"{answer.model_version} gave boxes that cannot be right")

    def _compare_until_end(self) -> None:
        while (item := self._answers.get()) is not None:
            try:
                self._compare(*item)
            except Exception:  # noqa: BLE001
                # The boundary of the thread: a comparison must not end all that follow.
                _log.exception("two answers could not be compared")
            finally:
                self._busy.release()

    def _compare(self, sample: Sample, answer: Answer | None) -> None:
        frames = len(sample.batch.frames)
        try:
            other = sample.pending.result(_PATIENCE_S)
            self.require_sane(other, sample.batch)
        except DetectorError as error:
            self.note_call(frames, error, challenger=sample.of_challenger)
            return
        self.note_call(frames, None, challenger=sample.of_challenger)
        if answer is None:
            return
        champion, challenger = (answer, other) if sample.of_challenger else (other, answer)
        compared = self._table.compared
        both = [
            (frame, self._pair(frame, box, ours, theirs))
            for frame, box, ours, theirs in zip(
                sample.batch.frames,
                sample.batch.boxes,
                champion.detections,
                challenger.detections,
                strict=True,
            )
            if frame.camera_id in compared
        ]
        self._pairing.take([pair for _, pair in both], champion.seconds, challenger.seconds)
        if self._contradict is not None:
            for frame, pair in both:
                self._contradict(frame, pair.champion, pair.challenger, champion.model_version)

    def _pair(self, frame: Frame, box: Letterbox, ours: Detections, theirs: Detections) -> Pair:
        champion, challenger = self._shown(ours, box), self._shown(theirs, box)
        return Pair(frame.camera_id, frame.pts, champion, challenger, self._truth(frame))

    def _shown(self, found: Detections, box: Letterbox) -> Detections:
        """In pixels of the frame, without the boxes that only help to track."""
        placed = Detections(box.to_source(found.xyxy), found.confidence, found.class_id)
        return placed.take(placed.confidence >= self._confidence)

    def _truth(self, frame: Frame) -> tuple[Detections, Detections] | None:
        """Of a frame of the simulated city; elsewhere labels tell, later."""
        if not isinstance(frame.picture, SimulatedPicture):
            return None
        truth = frame.picture.truth()
        return self._known(truth.detections()), truth.unclear()

    def _known(self, truth: Detections) -> Detections:
        """With the class ids of the model; what it has no name for is left out."""
        ids = np.array([self._id(CLASSES[k]) for k in truth.class_id], np.int64)
        known = ids >= 0
        return Detections(truth.xyxy[known], truth.confidence[known], ids[known])

    def _id(self, name: str) -> int:
        with contextlib.suppress(ValueError):
            return list(self._names).index(name)
        return -1
