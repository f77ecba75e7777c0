"""The stream flow of one worker: several cameras, from their sources to the taps."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence

from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.analysis.results import Result, Sink
from flows.stream.analysis.status import CameraStatus
from flows.stream.inference.batching import Batch
from flows.stream.inference.dispatcher import Dispatcher
from flows.stream.inference.router import Router
from flows.stream.inference.shadow_comparison import Contradict, ShadowComparison
from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.ingest.reader import CameraReader
from flows.stream.sources.source import Source
from serve.detector.client import Answer, DetectorClient, Pending
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import DetectorError, StreetloopError
from streetloop.settings import Settings
from streetloop.types import Image

_log = logging.getLogger(__name__)

_MOST_FAULTS = 5
_JOIN_S = 5.0


class StreamPipeline:
    """Runs cameras from their sources to the taps.

    Threads: one a camera reads and decodes; each application that answers has a lane
    (`flows.stream.inference.dispatcher`) of two. What comes after the answers is done by one thread
    at a time and camera by camera in order of time, so that trackers, rules and taps need no locks.

    Args:
        cameras: The cameras with their sources.
        client: Opens the client of an application by its name.
        settings: As given at the roof.
        clock: Time.
        sinks: Who listens to the results.
        generation: How many times these cameras were taken over after a crash; keeps track ids
            apart.
        names: Class names of the models; without them no two models are compared.
        contradict: Told of the frames that two models answered, see `ShadowComparison`.
    """

    def __init__(
        self,
        cameras: Sequence[tuple[Camera, Source]],
        client: Callable[[str], DetectorClient],
        settings: Settings,
        clock: Clock,
        sinks: Sequence[Sink] = (),
        generation: int = 0,
        names: Sequence[str] = (),
        contradict: Contradict | None = None,
    ) -> None:
        self.ready = threading.Condition()
        self.stop = threading.Event()
        self._open = client
        self._clients: dict[str, DetectorClient] = {}
        self._settings, self._clock, self._sinks = settings, clock, sinks
        self.readers: Sequence[CameraReader] = [self._reader(camera, source) for camera, source in cameras]
        self.router = Router([camera.id for camera, _ in cameras], self.ready)
        self._analyses = {c.id: CameraAnalysis(c, settings, generation) for c, _ in cameras}
        self._by_id = {reader.camera.id: reader for reader in self.readers}
        cities = {camera.id: camera.city for camera, _ in cameras}
        self._shadow = (
            ShadowComparison(self.client, names, cities, settings.confidence, contradict) if names else None
        )
        self._results = threading.Lock()
        self._faults: list[str] = []
        self._gave_up = False
        self._started = False
        self._done = threading.Event()
        self._ended = False
        self._dispatchers: dict[str, Dispatcher] = {}
        self._running: set[Dispatcher] = set()  # those that were retired, too, until they are empty

    def _reader(self, camera: Camera, source: Source) -> CameraReader:
        account = FrameAccount()
        mailbox = Mailbox(account, self._settings.staleness_s, self.ready, lossless=not source.live)
        gate = MotionGate(self._settings.keyframe_s) if self._settings.gate else None
        return CameraReader(camera, source, mailbox, account, self._clock, gate)

    def start(self) -> None:
        """Begin."""
        self._started = True
        if self._shadow is not None:
            self._shadow.start()
        self.follow(self.router.table)
        for reader in self.readers:
            reader.start()

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says, from their next batch on.

        The applications that are its cameras' homes keep their lanes: they jump in.
        """
        if self._shadow is not None:
            self._shadow.follow(table)
        self.router.follow(table)
        with self.ready:
            if not self._started or self._ended:
                return
            cameras = [reader.camera.id for reader in self.readers]
            wanted = {
                way(camera) for camera in cameras for way in (table.application, table.champion_application)
            }
            wanted |= {CHAMPION}
            if not table.compared:  # the next challenger is another application
                self._clients.pop(CHALLENGER, None)
            for application, dispatcher in list(self._dispatchers.items()):
                if application not in wanted:
                    dispatcher.retire()
                    del self._dispatchers[application]
                    self._clients.pop(application, None)
            for application in sorted(
                wanted - self._dispatchers.keys(), key=lambda application: application == CHALLENGER
            ):
                dispatcher = self._dispatchers[application] = self._dispatcher(application)
                self._running.add(dispatcher)
                dispatcher.start()
            self.ready.notify_all()

    def _dispatcher(self, application: str) -> Dispatcher:
        usual = self._dispatchers[CHAMPION].pace if application == CHALLENGER else None
        return Dispatcher(application, self, self._settings, self._clock, self._shadow, usual)

    def evidence(self) -> Evidence:
        """What was found about a challenger since the last call."""
        return Evidence() if self._shadow is None else self._shadow.collect()

    def close(self) -> None:
        """Stop the cameras, wait for the answers under way and close the taps."""
        for reader in self.readers:
            reader.close()
        self.stop.set()
        with self.ready:
            self.ready.notify_all()
        if self._started:
            self._done.wait()
        for reader in self.readers:
            # A reader that hangs in its time-out holds no frame; it may end by itself.
            reader.join(timeout_s=_JOIN_S)
        self._settle_what_is_left()

    def drop(self, cameras: Collection[str]) -> dict[str, CameraStatus]:
        """Stop some cameras for good; the last word on each, once nothing of it is under way."""
        going = [reader for reader in self.readers if reader.camera.id in cameras]
        for reader in going:
            reader.close()
        for reader in going:
            reader.join(timeout_s=_JOIN_S)
        with self.ready:
            self.ready.notify_all()
            self.ready.wait_for(
                lambda: not any(reader.account.snapshot().pending for reader in going),
                self._settings.detector_timeout_s,
            )
            self.readers = [reader for reader in self.readers if reader not in going]
        return {reader.camera.id: self._status(reader) for reader in going}

    def wait(self, timeout_s: float) -> bool:
        """Wait until every camera has ended by itself and all is detected; True if so."""
        return self._done.wait(timeout_s)

    def snapshot(self) -> dict[str, CameraStatus]:
        """Every camera now, by id."""
        return {reader.camera.id: self._status(reader) for reader in self.readers}

    def _status(self, reader: CameraReader) -> CameraStatus:
        analysis = self._analyses[reader.camera.id]
        return CameraStatus(
            camera_id=reader.camera.id,
            state=reader.state,
            error=reader.error,
            account=reader.account.snapshot(),
            reconnects=reader.reconnects,
            lag_p95_s=analysis.lags.p95_s(),
            objects=analysis.objects,
            lines=analysis.line_counts(),
            faults=tuple(self._faults),
            model=analysis.model,
        )

    # Called by lanes

    def client(self, application: str) -> DetectorClient:
        """See `flows.stream.inference.dispatcher.Flow`."""
        found = self._clients.get(application)
        if found is None:
            try:
                found = self._clients[application] = self._open(application)
            except DetectorError as error:
                return _Absent(error)
        return found

    def give(self, batch: Batch, answer: Answer, application: str) -> None:
        """See `flows.stream.inference.dispatcher.Flow`."""
        with self._results:
            for frame, box, found in zip(batch.frames, batch.boxes, answer.detections, strict=True):
                reader = self._by_id[frame.camera_id]
                analysis = self._analyses[frame.camera_id]
                result = analysis.update(frame, box, found, answer.model_version)
                analysis.lags.add(self._clock.monotonic() - frame.arrived_s)
                if reader.gate is not None and analysis.moving:
                    reader.gate.keep_open(frame.pts)
                reader.account.settle(Fate.DETECTED)
                if self._shadow is not None:
                    self._shadow.served(frame, result.tracked, challenger=application == CHALLENGER)
                for sink in self._sinks:
                    self._tap(sink.take, result)
        with self.ready:
            self.router.settled(batch.frames)

    def fail(self, batch: Batch) -> None:
        """See `flows.stream.inference.dispatcher.Flow`."""
        for frame in batch.frames:
            self._by_id[frame.camera_id].account.settle(Fate.FAILED, DropReason.DETECTOR)
        with self.ready:
            self.router.settled(batch.frames)

    def give_up(self, error: Exception) -> None:
        """See `flows.stream.inference.dispatcher.Flow`: without a lane all cameras end."""
        _log.error("the stream flow failed", exc_info=error)
        self._gave_up = True
        self._faults.append(f"the stream flow failed: {type(error).__name__}: {error}")
        self.stop.set()
        for reader in self.readers:
            reader.close()

    def dispatcher_ended(self, dispatcher: Dispatcher) -> None:
        """See `flows.stream.inference.dispatcher.Flow`: the last one closes the door."""
        with self.ready:
            self._running.discard(dispatcher)
            if self._running:
                return
            self._ended = True
        if self._shadow is not None:
            self._shadow.close()  # first: a tap may hear of what is compared
        for sink in self._sinks:
            self._tap(sink.close)
        self._done.set()

    def _settle_what_is_left(self) -> None:
        """After giving up, frames that nobody works on any more have failed.

        Only once the readers have ended: one may stand between counting a frame and settling it.
        """
        if self._gave_up:
            for reader in self.readers:
                lost = reader.account.snapshot().pending
                reader.account.settle(Fate.FAILED, DropReason.WORKER, lost)

    def _tap(self, call: Callable[..., None], *args: Result) -> None:
        try:
            call(*args)
        except StreetloopError as error:
            self._note_fault(str(error), error)
        except Exception as error:  # noqa: BLE001
            # The boundary of a tap: whatever fails in one must not take the streams along.
            self._note_fault(f"{type(error).__name__}: {error}", error)

    def _note_fault(self, fault: str, error: Exception) -> None:
        """Once each: a tap may fail at every frame."""
        if len(self._faults) < _MOST_FAULTS and fault not in self._faults:
            self._faults.append(fault)
            _log.error("a tap failed: %s", fault, exc_info=error)


class _Absent:
    """Stands for an application that is not there: every question fails, and the stream goes on."""

    def __init__(self, error: DetectorError) -> None:
        self._error = error

    def submit(self, images: Image) -> Pending:  # noqa: ARG002 - as `DetectorClient` has it
        raise self._error
