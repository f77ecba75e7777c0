"""A stream pipeline in this process, with the applications of `applications`."""

import threading
from collections.abc import Sequence

from flows.stream.inference.shadow_comparison import ShadowComparison
from flows.stream.ingest.accounting import Account
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.triage import Triage
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from tests.support.stream_flow.applications import NAMES, Applications, well
from tests.support.stream_flow.build import camera
from tests.support.stream_flow.fakes import PATIENCE_S, CollectingSink, FakeClock, ScriptedSource, Step

SETTINGS = Settings(image_size=320, max_batch=4, gate=False, staleness_s=0.5)


class Street:
    """Cameras, applications and a sink.

    Attributes:
        applications: The applications.
        clock: Time.
        sink: Collects the results.
        table: The route table at the start.
    """

    def __init__(self, triage: Triage | None = None) -> None:
        self._triage = triage
        self.applications, self.clock, self.sink = Applications(), FakeClock(), CollectingSink()
        self.table = RouteTable()
        self.sources: list[ScriptedSource] = []
        self._gates: list[threading.Event] = []
        self._evidence = Evidence()
        self._pipeline: StreamPipeline | None = None

    @property
    def pipeline(self) -> StreamPipeline:
        """The pipeline that runs."""
        assert self._pipeline is not None
        return self._pipeline

    def run(self, cameras: str, scripts: Sequence[Sequence[Step]], *, live: bool = False) -> CollectingSink:
        """Start cameras of one letter each, in the cities of their letters."""
        self.sources = [ScriptedSource(script, live=live) for script in scripts]
        named = [camera(camera_id).model_copy(update={"city": f"city-{camera_id}"}) for camera_id in cameras]
        triage = self._triage
        self._pipeline = StreamPipeline(
            list(zip(named, self.sources, strict=True)),
            self.applications.open,
            SETTINGS,
            self.clock,
            [self.sink, *([] if triage is None else [triage])],
            names=NAMES,
            on_compared=None if triage is None else triage.add_disagreement,
        )
        self.pipeline.follow(self.table)
        self.pipeline.start()
        return self.sink

    def gate(self, application: str) -> threading.Event:
        """Make an application answer only once the returned event is set."""
        opened = threading.Event()
        self._gates.append(opened)

        def ask(images: Image, timeout_s: float) -> list[Detections]:
            assert opened.wait(PATIENCE_S)
            return well(images, timeout_s)

        self.applications.does[application] = ask
        return opened

    def account(self, camera_id: str) -> Account:
        """The account of one camera so far."""
        return self.pipeline.snapshot()[camera_id].account

    def evidence(self) -> Evidence:
        """All evidence so far."""
        self._evidence += self.pipeline.evidence()
        return self._evidence

    def is_compared(self) -> bool:
        """True if every sample so far was compared, so the next one is not shed."""
        comparison = self.pipeline._comparison
        assert isinstance(comparison, ShadowComparison)
        if comparison._busy.locked():  # for a little longer than the count of calls says
            return False
        return self.evidence().challenger.asked >= len(self.applications.seen["challenger"])

    def close(self) -> None:
        """Close the pipeline; fails if that hangs."""
        for gate in self._gates:
            gate.set()
        if self._pipeline is None:
            return
        closing = threading.Thread(target=self.pipeline.close, daemon=True)
        closing.start()
        closing.join(PATIENCE_S)
        assert not closing.is_alive()
