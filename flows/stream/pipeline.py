"""The stream pipeline of one worker: several cameras, from their sources to the sinks."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.analysis.faults import FLOW_FAILED, Fault
from flows.stream.analysis.results import Sink
from flows.stream.analysis.status import CameraStatus
from flows.stream.inference.batch import Batch, DetectorProcess, SourceAnswer
from flows.stream.inference.batching import Batcher
from flows.stream.inference.calls import CallContext, ChallengerCalls, ModelCalls
from flows.stream.inference.clients import ClientPool
from flows.stream.inference.comparison import Comparison
from flows.stream.inference.dispatcher import Callbacks, Dispatcher
from flows.stream.inference.router import Router
from flows.stream.inference.shadow_comparison import OnCompared, ShadowComparison
from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount, SettledFrame
from flows.stream.ingest.camera_reader import CameraReader, join_all
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.recording.recording import NoRecording, Recording
from flows.stream.sinks.isolated import IsolatedSinks
from flows.stream.sources.source import Source
from serve.detector.client import DetectorClient
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.errors import DetectorError
from streetloop.settings import Settings
from streetloop.types import Detections, Frame
from train.model.contract import ANY_SIZE, ModelInput

_log = logging.getLogger(__name__)

_JOIN_S = 5.0
_LATE_S = 5.0  # of a second attempt to write
FRAME_IDS_PER_GENERATION = 1_000_000_000
"""Frames of a camera that one worker may read: a year at 30 a second."""


class StreamPipeline:
    """Runs cameras from their sources to the sinks.

    Threads: one per camera reads and decodes; two per application send batches and receive
    answers. Everything after an answer is done by one thread at a time and camera by camera in
    order of time, so trackers, line counters and sinks need no locks.

    Args:
        cameras: The cameras with their sources.
        client: Opens the client of an application by its name.
        settings: The settings of the run.
        clock: Time.
        sinks: Called with every result; an error of one is shown as a fault and stops nothing.
        generation: How many workers that hosted these cameras have died; keeps track ids
            and frame ids unique.
        names: Class names of the models by class id. Without them no two models are compared, and
            classes are counted by number.
        on_compared: Called for each frame that two models answered, see `ShadowComparison`.
        model_input: The images that the models take; one that takes others letterboxes them again.
        on_still: Called, on the thread of its camera, with each frame that was not detected because
            nothing moves.
        on_settled: Called with each frame that has its fate, on any thread.
        on_batch: Called with each answer of a model, also of one in shadow, on any thread.
        recording: Records the cameras; None records nothing.

    Attributes:
        readers: The cameras' readers, without those that were dropped.
        router: Holds the route table.
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
        on_compared: OnCompared | None = None,
        model_input: ModelInput = ANY_SIZE,
        on_still: Callable[[Frame], None] = lambda _: None,
        on_settled: Callable[[SettledFrame], None] = lambda _: None,
        on_batch: Callable[[SourceAnswer], None] = lambda _: None,
        recording: Recording | None = None,
    ) -> None:
        self._on_still, self._on_settled, self._on_batch = on_still, on_settled, on_batch
        self._recording = recording or NoRecording()
        self._first_frame_id = generation * FRAME_IDS_PER_GENERATION
        self._ready, self._stop = threading.Condition(), threading.Event()
        self._settings, self._clock, self._model_input = settings, clock, model_input
        # A write that fails is tried again after `log_flush_s`.
        self._sinks = IsolatedSinks(sinks, clock, 2 * settings.log_flush_s + _LATE_S)
        self.readers: Sequence[CameraReader] = [self._reader(camera, source) for camera, source in cameras]
        self.router = Router([camera.id for camera, _ in cameras], self._ready)
        self._by_id = {reader.camera.id: reader for reader in self.readers}
        self._analyses = {c.id: CameraAnalysis(c, settings, generation, names) for c, _ in cameras}
        self._clients = ClientPool(client)
        cities = {camera.id: camera.city for camera, _ in cameras}
        self._comparison = self._compared(names, cities, on_compared) if names else Comparison()
        self._calls = CallContext(
            self._clients, self._comparison, clock, self._stop, settings.detector_timeout_s
        )
        self._results = threading.Lock()
        self._failure: Fault | None = None
        self._detector_errors: dict[str, str] = {}
        self._started = self._finishing = False
        self._ended = threading.Event()
        self._detectors: dict[str, DetectorProcess] = {}
        self._batchers: dict[str, Batcher] = {}
        self._dispatchers = 0  # that run; also those whose batcher was retired, until they are empty

    def _reader(self, camera: Camera, source: Source) -> CameraReader:
        account = FrameAccount(self._on_settled)
        mailbox = Mailbox(account, self._settings.staleness_s, self._ready, lossless=not source.live)
        gate = MotionGate(self._settings.keyframe_s) if self._settings.gate else None
        return CameraReader(
            camera,
            source,
            mailbox,
            account,
            self._clock,
            gate,
            on_still=self._skip,
            first_frame_id=self._first_frame_id,
            recorder=self._recording.recorder(camera, live=source.live),
        )

    def _compared(
        self, names: Sequence[str], cities: Mapping[str, str | None], on_compared: OnCompared | None
    ) -> Comparison:
        return ShadowComparison(
            self._clients.get,
            lambda: self.router.table,
            names,
            cities,
            self._settings.confidence,
            on_compared,
            self._on_batch,
        )

    def _skip(self, frame: Frame) -> None:
        self._analyses[frame.camera_id].anomalies.skip(frame)
        self._on_still(frame)

    def start(self) -> None:
        """Start the cameras and the dispatchers of their applications."""
        self._started = True
        self._recording.start()
        self._comparison.start()
        self.follow(self.router.table)
        for reader in self.readers:
            reader.start()

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says, from their next batch on.

        Applications that the table no longer names answer what they were sent. Champions of
        challenged cameras keep their dispatchers: they are the fallback.
        """
        self.router.follow(table)
        if not table.compared:
            self._comparison.reset()
        with self._ready:
            if not self._started or self._finishing:
                return
            if not table.compared:  # the next challenger is another application
                self._clients.release(CHALLENGER)
            self._match_dispatchers()
            self._ready.notify_all()

    def detectors(self) -> dict[str, DetectorProcess]:
        """The process that answered last, by application."""
        return dict(self._detectors)

    def evidence(self) -> Evidence:
        """The evidence about a challenger since the last call."""
        return self._comparison.collect()

    def close(self) -> None:
        """Stop the cameras, wait for the answers in flight and close the sinks."""
        for reader in self.readers:
            reader.close()
        self._stop.set()
        with self._ready:
            self._ready.notify_all()
        if self._started:
            self._ended.wait()

    def drop(self, cameras: Collection[str]) -> dict[str, CameraStatus]:
        """Stop some cameras for good.

        Blocks until none of their frames is in flight, for ``detector_timeout_s`` at most.

        Returns:
            The last status of each, by id; frames that are still in flight count as pending.
        """
        dropped = [reader for reader in self.readers if reader.camera.id in cameras]
        for reader in dropped:
            reader.close()
        join_all(dropped, _JOIN_S)
        with self._ready:
            self._ready.notify_all()
            self._ready.wait_for(
                lambda: not any(reader.account.snapshot().pending for reader in dropped),
                self._settings.detector_timeout_s,
            )
            self.readers = [reader for reader in self.readers if reader not in dropped]
        return {reader.camera.id: self._status(reader) for reader in dropped}

    def wait(self, timeout_s: float) -> bool:
        """Wait until every camera has ended by itself and every frame is settled; True if so."""
        return self._ended.wait(timeout_s)

    def snapshot(self) -> dict[str, CameraStatus]:
        """The status of every camera now, by id."""
        return {reader.camera.id: self._status(reader) for reader in self.readers}

    def _status(self, reader: CameraReader) -> CameraStatus:
        analysis = self._analyses[reader.camera.id]
        lag_p50_s, lag_p95_s = analysis.lags.quantiles_s()
        return CameraStatus(
            camera_id=reader.camera.id,
            state=reader.state,
            error=reader.error,
            waiting_for=reader.waiting_for,
            account=reader.account.snapshot(),
            reconnects=reader.reconnects,
            gaps=reader.gaps,
            lag_p95_s=lag_p95_s,
            lag_p50_s=lag_p50_s,
            objects_by_class=analysis.objects_by_class,
            lines=analysis.line_totals(),
            first_at=analysis.first_at,
            last_at=reader.newest.captured_at if reader.newest is not None else None,
            faults=(*analysis.faults, *reader.recorder.faults(), *self._faults()),
            model=analysis.model,
            detector_error=self._detector_errors.get(reader.camera.id),
        )

    def _faults(self) -> list[Fault]:
        """What fails for all cameras."""
        failure = [] if self._failure is None else [self._failure]
        return [*self._sinks.faults(), *self._recording.faults(), *failure]

    # Dispatchers

    def _match_dispatchers(self) -> None:
        wanted = self.router.applications(reader.camera.id for reader in self.readers)
        for application in self._batchers.keys() - wanted:
            self._batchers.pop(application).retire()
            self._clients.release(application)
        # The challenger comes last: it needs the champion's pace.
        for application in sorted(wanted - self._batchers.keys(), key=lambda name: name == CHALLENGER):
            self._start_dispatcher(application)

    def _start_dispatcher(self, application: str) -> None:
        batcher = self._batchers[application] = Batcher(
            application,
            self._mailboxes,
            self._is_over,
            self.router,
            self._ready,
            self._settings,
            self._clock,
            self._model_input,
        )
        calls = (
            ChallengerCalls(application, self._calls, self.router, self._batchers[CHAMPION].pace)
            if application == CHALLENGER
            else ModelCalls(application, self._calls)
        )
        callbacks = Callbacks(self._on_answer, self._on_failure, self._on_error, self._on_end)
        self._dispatchers += 1
        Dispatcher(
            application,
            batcher.take_batch,
            calls.send,
            batcher.pace,
            self._clock,
            callbacks,
            in_flight=1 + self._settings.most_replicas,
        ).start()

    def _mailboxes(self) -> Mapping[str, Mailbox]:
        return {reader.camera.id: reader.mailbox for reader in self.readers}

    def _is_over(self) -> bool:
        return self._stop.is_set() or all(
            reader.finished and not len(reader.mailbox) for reader in self.readers
        )

    # Called by dispatchers

    def _on_answer(self, batch: Batch, answer: SourceAnswer) -> None:
        self._on_batch(answer)
        self._detectors[answer.application] = DetectorProcess(answer.model_version, answer.process)
        with self._results:
            for frame, detections in zip(batch.frames, answer.detections, strict=True):
                self._deliver(frame, detections, answer)
        self.router.settled(batch.frames)

    def _deliver(self, frame: Frame, detections: Detections, answer: SourceAnswer) -> None:
        reader, analysis = self._by_id[frame.camera_id], self._analyses[frame.camera_id]
        result = analysis.update(frame, detections, answer.model_version)
        self._detector_errors.pop(frame.camera_id, None)
        analysis.lags.add(self._clock.monotonic() - frame.arrived_s)
        if reader.gate is not None and analysis.moving:
            reader.gate.keep_open(frame.pts)
        reader.account.settle([frame], Fate.DETECTED, None, answer.model_version, answer.backend)
        self._comparison.served(frame, result.tracked, challenger=answer.application == CHALLENGER)
        self._sinks.take(result)

    def _on_failure(self, batch: Batch, error: DetectorError) -> None:
        for frame in batch.frames:
            self._by_id[frame.camera_id].account.settle([frame], Fate.FAILED, DropReason.DETECTOR)
            self._detector_errors[frame.camera_id] = str(error)
        self.router.settled(batch.frames)

    def _on_error(self, error: Exception) -> None:
        """End all cameras: without a dispatcher, frames of some would wait for ever."""
        _log.error("the stream flow failed", exc_info=error)
        text, now = f"the stream flow failed: {type(error).__name__}: {error}", self._clock.now()
        self._failure = Fault(FLOW_FAILED, text, now, now)
        self._stop.set()
        for reader in self.readers:
            reader.close()

    def _on_end(self) -> None:
        with self._ready:
            self._dispatchers -= 1
            if self._dispatchers:
                return
            self._finishing = True
        # A reader that hangs in its time-out may end by itself. Others may be about to settle their
        # last frame, which a sink is told of.
        join_all(self.readers, _JOIN_S)
        self._close_accounts()
        self._comparison.close()  # before the sinks: one may be told of what is compared
        self._sinks.close()
        self._recording.close()
        self._ended.set()

    def _close_accounts(self) -> None:
        """Settle the frames that an error left in flight, or that a slow reader still holds."""
        is_sound = self._failure is None
        fate = (Fate.DROPPED, DropReason.STOPPED) if is_sound else (Fate.FAILED, DropReason.WORKER)
        for reader in self.readers:
            reader.account.close(*fate)
