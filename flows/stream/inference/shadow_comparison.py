"""Shadow comparison: a share of the batches goes to the other model, too, and is compared."""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from flows.stream.inference.batch import Batch, SourceAnswer
from flows.stream.inference.comparison import Comparison, Sample
from flows.stream.sources.simulated import ground_truth
from serve.detector.client import Answer, DetectorClient
from serve.rollout.route_table import CHALLENGER, RouteTable
from serve.rollout.statistics.evidence import Evidence
from serve.rollout.statistics.paired_comparison import Pair, PairedComparison, is_sane
from serve.rollout.statistics.track_stability import FleetStability
from streetloop.errors import AnswerInvalid, AnswerLate, DetectorError
from streetloop.types import Detections, Frame, Tracked

_log = logging.getLogger(__name__)

_PATIENCE_S = 2.0

OnCompared: TypeAlias = Callable[[Frame, Detections, Detections, str], None]
"""Told of a compared frame: the champion's and the challenger's boxes in source pixels, and the
champion's version."""


class ShadowComparison(Comparison):
    """Evidence for or against a challenger.

    One sample is in flight at a time; samples that are due meanwhile are shed and counted. So a
    slow or hanging challenger delays no stream.

    Args:
        client: Gives the client of an application.
        table: Gives the route table in force.
        names: Class names that both models share, by class id.
        cities: City by camera; None for a camera outside of every city.
        confidence: Boxes below it only help to track and are not compared.
        on_compared: Called for each frame that both models answered, on the comparing thread and
            after its evidence was noted; an exception is logged and stops nothing.
        on_sampled: Called with each answer to a sample, on the comparing thread.
    """

    def __init__(
        self,
        client: Callable[[str], DetectorClient],
        table: Callable[[], RouteTable],
        names: Sequence[str],
        cities: Mapping[str, str | None],
        confidence: float,
        on_compared: OnCompared | None = None,
        on_sampled: Callable[[SourceAnswer], None] = lambda _: None,
    ) -> None:
        self._client, self._table = client, table
        self._names, self._cities = names, cities
        self._confidence = confidence
        self._on_compared, self._on_sampled = on_compared, on_sampled
        self._pairing, self._stability = PairedComparison(names, cities), FleetStability()
        self._due = 0.0
        self._busy = threading.Lock()
        self._answers: queue.Queue[tuple[Sample, SourceAnswer | None] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._compare_until_end, name="compare", daemon=True)

    def start(self) -> None:
        """See `Comparison.start`."""
        self._thread.start()

    def close(self) -> None:
        """See `Comparison.close`."""
        self._answers.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=2 * _PATIENCE_S)

    def reset(self) -> None:
        """See `Comparison.reset`."""
        self._pairing, self._stability = PairedComparison(self._names, self._cities), FleetStability()

    def collect(self) -> Evidence:
        """See `Comparison.collect`."""
        return self._pairing.collect()

    def sample(self, application: str, batch: Batch) -> Sample | None:
        """See `Comparison.sample`.

        The whole batch is sent, so that computing times compare; only frames of cameras that take
        part in the rollout are compared.
        """
        table = self._table()
        if not table.sample or table.compared.isdisjoint(frame.camera_id for frame in batch.frames):
            return None
        self._due += table.sample
        if self._due < 1:
            return None
        self._due -= 1
        if not self._busy.acquire(blocking=False):
            self._pairing.note_shed()
            return None
        champion = table.champion_application(batch.frames[0].camera_id)
        other = champion if application == CHALLENGER else CHALLENGER
        try:
            return Sample(batch, other, self._client(other).submit(batch.images))
        except DetectorError as error:
            self._busy.release()
            self.note_call(len(batch.frames), error, challenger=other == CHALLENGER)
            return None

    def answered(self, sample: Sample, answer: SourceAnswer | None) -> None:
        """See `Comparison.answered`."""
        self._answers.put((sample, answer))

    def note_call(self, frames: int, error: DetectorError | None, *, challenger: bool) -> None:
        """See `Comparison.note_call`."""
        if self._table().compared:
            self._pairing.note_call(
                challenger=challenger,
                frames=frames,
                error=error is not None,
                invalid=isinstance(error, AnswerInvalid),
                late=isinstance(error, AnswerLate),
            )

    def served(self, frame: Frame, tracked: Tracked, *, challenger: bool) -> None:
        """See `Comparison.served`."""
        if frame.camera_id in self._table().compared:
            found = self._stability.take(frame.camera_id, frame.pts, tracked, challenger=challenger)
            self._pairing.note_served(found)

    def require_sane(self, answer: Answer, batch: Batch) -> None:
        """See `Comparison.require_sane`."""
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
                # The boundary of the thread: a failed comparison must not end all that follow.
                _log.exception("two answers could not be compared")
            finally:
                self._busy.release()

    def _compare(self, sample: Sample, answer: SourceAnswer | None) -> None:
        other = self._receive(sample)
        if other is not None:
            self._on_sampled(other)
        if answer is None or other is None:
            return
        champion, challenger = (other, answer) if answer.application == CHALLENGER else (answer, other)
        # In this order: evidence of a rollout that ends here goes with it.
        pairing, table = self._pairing, self._table()
        pairs = [
            (frame, self._pair(frame, ours, theirs))
            for frame, ours, theirs in zip(
                sample.batch.frames, champion.detections, challenger.detections, strict=True
            )
            if frame.camera_id in table.compared
        ]
        pairing.block_s = table.block_s
        pairing.take([pair for _, pair in pairs], champion.seconds, challenger.seconds)
        if self._on_compared is not None:
            for frame, pair in pairs:
                self._on_compared(frame, pair.champion, pair.challenger, champion.model_version)

    def _receive(self, sample: Sample) -> SourceAnswer | None:
        frames, challenger = len(sample.batch.frames), sample.application == CHALLENGER
        try:
            answer = sample.pending.result(_PATIENCE_S)
            self.require_sane(answer, sample.batch)
        except DetectorError as error:
            self.note_call(frames, error, challenger=challenger)
            return None
        self.note_call(frames, None, challenger=challenger)
        return sample.batch.to_source(answer, sample.application)

    def _pair(self, frame: Frame, champion: Detections, challenger: Detections) -> Pair:
        truth = ground_truth(frame.picture, self._names)
        return Pair(frame.camera_id, frame.pts, self._shown(champion), self._shown(challenger), truth)

    def _shown(self, found: Detections) -> Detections:
        return found.take(found.confidence >= self._confidence)
