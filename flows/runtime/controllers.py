"""What acts on running streams: the rollout controller, and the learning flow."""

from collections.abc import Callable, Mapping, Sequence

from flows.learning.learning_flow import Learned, LearningFlow
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest, finished_version
from serve.rollout.control.champions import Champions
from serve.rollout.control.controller import RolloutController
from serve.rollout.control.ports import Applications, Fleet
from serve.rollout.policy import Policy
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.fine_tuning.recipe import Progress
from train.model.find_model import open_registry
from train.model_registry import CHALLENGER


class Controllers:
    """The rollout controller and, if the settings want it, the learning flow that gives it work.

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
        fleet: Fleet,
        applications: Applications,
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
        )

        def train(request: TrainingRequest) -> Learned:
            number = finished_version(settings, request.name)
            if number is not None:
                version = open_registry(settings).find(str(number))
                return Learned(number, CHALLENGER in version.aliases, version.record.verdict)
            done = train_model(settings, ledger, request, tell, progress)
            return Learned(done.version.number, done.verdict.accepted, done.verdict.reasons)

        self._learning = (
            LearningFlow(settings, ledger, train, policy, clock, tell) if settings.learn else None
        )

    def start(self) -> None:
        """Start both."""
        self._rollout.start()
        if self._learning is not None:
            self._learning.start()

    def close(self) -> None:
        """Stop both; unfinished work continues after the next start."""
        if self._learning is not None:
            self._learning.close()
        self._rollout.close()
