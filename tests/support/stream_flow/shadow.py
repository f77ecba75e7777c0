"""A shadow comparison in this process, with scripted applications and no stream around it."""

from flows.stream.inference.batch import Batch, SourceAnswer
from flows.stream.inference.batching import pack
from flows.stream.inference.comparison import Sample
from flows.stream.inference.shadow_comparison import OnCompared, ShadowComparison
from serve.detector.client import Answer
from serve.rollout.route_table import CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.types import Detections, Frame
from tests.support.stream_flow.applications import NAMES, Applications, marked
from tests.support.stream_flow.build import NOON, found
from tests.support.stream_flow.fakes import eventually

ALL = frozenset("ab")
SHADOW = RouteTable(1, {}, ALL, frozenset(), 1.0)
"""Every batch of two cameras is a sample; the champion serves both."""


class ShadowBench:
    """A shadow comparison of cameras a, b and c.

    Attributes:
        applications: The applications.
        table: The route table in force.
        shadow: The comparison under test.
        sampled: Applications and versions whose answers to samples were metered.
    """

    def __init__(self, names: tuple[str, ...] = NAMES, on_compared: OnCompared | None = None) -> None:
        self.applications = Applications()
        self.table = RouteTable()
        cities = {"a": "Oslo", "b": None}
        self.shadow = ShadowComparison(
            self.applications.open, lambda: self.table, names, cities, 0.25, on_compared, self._note
        )
        self.sampled: list[tuple[str, str]] = []
        self.shadow.start()
        self._evidence = Evidence()

    def _note(self, answer: SourceAnswer) -> None:
        self.sampled.append((answer.application, answer.model_version))

    def follow(self, table: RouteTable) -> None:
        """Put a table in force, as `StreamPipeline.follow` does."""
        self.table = table
        if not table.compared:
            self.shadow.reset()

    def sample(self, batch: Batch, application: str = CHAMPION) -> Sample:
        """A batch that is sent to the other model, too."""
        sample = self.shadow.sample(application, batch)
        assert sample is not None
        return sample

    def answer(
        self, sample: Sample, boxes: list[Detections], application: str = CHAMPION, seconds: float = 0.01
    ) -> None:
        """The serving model answers a sample, with boxes in input pixels."""
        answer = Answer(application, boxes, seconds, "fake/fp32")
        self.shadow.answered(sample, sample.batch.to_source(answer, application))

    def show(
        self,
        batch: Batch,
        application: str = CHAMPION,
        boxes: Detections | None = None,
        seconds: float = 0.01,
    ) -> bool:
        """Answer a batch and wait for the comparison; False if no sample was due."""
        sample = self.shadow.sample(application, batch)
        if sample is None:
            return False
        own = [found((100, 60, 140, 90)) if boxes is None else boxes] * len(batch.frames)
        self.answer(sample, own, application, seconds)
        self.settle()
        return True

    def settle(self) -> None:
        """Wait until no sample is in flight."""
        busy = self.shadow._busy
        eventually(lambda: not busy.locked())

    def evidence(self) -> Evidence:
        """All evidence so far."""
        self._evidence += self.shadow.collect()
        return self._evidence


def batch_of(cameras: str = "ab", number: int = 0) -> Batch:
    """Frame ``number`` of each camera."""
    frames = []
    for camera_id in cameras:
        (source_frame,) = marked("abc".index(camera_id), 1, number)
        frames.append(Frame(camera_id, number, number / 25, NOON, 0.0, source_frame.picture))
    return pack(frames, 320)
