"""What works beside running streams: rollouts, replicas, the learning flow, evaluations."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from flows.archive.replay_evidence import replay_evidence
from flows.learning.learning_flow import Learned, LearningFlow
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest, finished_version
from flows.reports.evaluation_queue import EvaluationQueue
from flows.runtime.progress_note import ProgressNote
from flows.runtime.replica_scaler import ReplicaScaler, ScaledApplications, ScaledFleet
from serve.detector.scaling import ReplicaLimits
from serve.rollout.control.champions import Champions
from serve.rollout.control.controller import RolloutController
from serve.rollout.control.ports import Applications, Fleet
from serve.rollout.policy import Policy
from serve.rollout.statistics.evidence import Evidence
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.fine_tuning.recipe import Progress
from train.model.find_model import open_registry
from train.model.model_file import ModelFile
from train.model_registry import CHALLENGER


class ArchiveReplayer:
    """A `serve.rollout.control.ports.Replayer` over the archive, on one thread of this process.

    Args:
        settings: Those of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.model_copy(update={"threads": 1})  # live detection has the others

    def replay(self, model: ModelFile, cameras: Sequence[str], minutes: float) -> Evidence:
        """See `Replayer.replay`."""
        ledger = open_ledger(self._settings.ledger)
        try:
            store, now = open_store(self._settings), datetime.now(UTC)
            return replay_evidence(ledger, store, cameras, model, minutes, self._settings, now)
        finally:
            ledger.close()


class RunFleet(Fleet, ScaledFleet, Protocol):
    """The running streams."""


class RunApplications(Applications, ScaledApplications, Protocol):
    """The applications that serve models."""


class Controllers:
    """Rollout controller, replica scaler, learning flow, and the queue of evaluations.

    Args:
        cameras: Called for the cameras that are to run now.
        settings: The settings of the run; ``learn`` turns the learning flow on.
        names: Class names of the models.
        fleet: The running streams.
        applications: The applications that serve models.
        champion_applications: Application of a city's own champion by city, where it has one.
        policy: What a rollout that the learning flow starts must show.
        tell: Called with a sentence for people.
        progress: Called with how far a training is.

    Raises:
        LedgerError: The ledger cannot be opened.
    """

    def __init__(
        self,
        cameras: Callable[[], Sequence[Camera]],
        settings: Settings,
        names: Sequence[str],
        fleet: RunFleet,
        applications: RunApplications,
        champion_applications: Mapping[str, str],
        policy: Policy,
        tell: Callable[[str], None],
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        ledger, clock = open_ledger(settings.ledger), SystemClock()
        self._rollout = RolloutController(
            ledger,
            fleet,
            applications,
            Champions(settings),
            open_store(settings),
            names,
            cameras,
            clock,
            tell,
            champion_applications,
            ArchiveReplayer(settings),
        )

        def train(request: TrainingRequest) -> Learned:
            number = finished_version(settings, request.name)
            if number is not None:
                version = open_registry(settings).find(str(number))
                return Learned(number, CHALLENGER in version.aliases, version.record.verdict)
            noted = ProgressNote(ledger, request.name)

            def note(now: Progress) -> None:
                noted(now)
                progress(now)

            done = train_model(settings, ledger, request, tell, note)
            return Learned(done.version.number, done.verdict.accepted, done.verdict.reasons)

        self._learning = (
            LearningFlow(settings, ledger, train, policy, clock, tell, cameras) if settings.learn else None
        )
        limits = ReplicaLimits(settings.replicas_min, settings.most_replicas)
        self._scaler = ReplicaScaler(applications, fleet, limits, clock, tell)
        self._evaluations = EvaluationQueue(settings, tell)

    def start(self) -> None:
        """Start all."""
        self._rollout.start()
        self._scaler.start()
        self._evaluations.start()
        if self._learning is not None:
            self._learning.start()

    def replicas(self) -> dict[str, int]:
        """How many replicas each application in use is to have; any thread may ask."""
        return self._scaler.wanted()

    def close(self) -> None:
        """Stop all; what is unfinished continues after the next start, but for an evaluation."""
        self._evaluations.close()
        if self._learning is not None:
            self._learning.close()
        self._scaler.close()
        self._rollout.close()
