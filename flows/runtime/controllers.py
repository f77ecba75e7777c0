"""What acts on running streams from outside the workers: rollouts, and the learning flow."""

from collections.abc import Callable, Mapping, Sequence

from flows.learning.learning_flow import Learned, LearningFlow
from flows.learning.training_job import Request, train_model
from flows.learning.training_plan import finished_version
from serve.rollout.champions import Champions
from serve.rollout.controller import RolloutControl
from serve.rollout.policy import Policy
from serve.rollout.ports import Applications, Fleet
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.fine_tuning.recipe import Progress
from train.model.find_model import open_registry
from train.registry import CHALLENGER


class Controllers:
    """The rollout of whatever is asked for, and, if the settings want it, what asks by itself.

    Args:
        cameras: Called for the cameras that are to run now.
        settings: As given at the roof.
        names: Class names of the models.
        fleet: The streams.
        applications: The applications.
        champion_applications: Champion's application by city, where a city has one of its own.
        policy: What a rollout that nobody asked for by hand must show.
        tell: Called with a sentence for people.
        progress: Told how far a training is.
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
        self._rollout = RolloutControl(
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

        def train(request: Request) -> Learned:
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
        """Begin."""
        self._rollout.start()
        if self._learning is not None:
            self._learning.start()

    def close(self) -> None:
        """Stop; what is under way goes on after the next start."""
        if self._learning is not None:
            self._learning.close()
        self._rollout.close()
