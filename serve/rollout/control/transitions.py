"""The slow steps of a rollout on threads of their own: models are loaded, swapped and ended."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from serve.rollout.control.ports import Applications, Models, Replayer
from serve.rollout.control.rollout_session import RolloutSession
from serve.rollout.route_table import CHALLENGER, target_application
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import DetectorError
from streetloop.ledger.rollouts import Rollout

_log = logging.getLogger(__name__)


class Transitions:
    """Begins the slow steps; every public method returns at once, most with a future.

    Args:
        applications: The applications that serve models.
        models: Finds models, and is told who the champion is.
        route_to_champion: Sends every camera to its champion.
        replayer: Shows recorded traffic to the challenger.
    """

    def __init__(
        self,
        applications: Applications,
        models: Models,
        route_to_champion: Callable[[], None],
        replayer: Replayer,
    ) -> None:
        self._replayer = replayer
        self._applications, self._models, self._route_to_champion = (applications, models, route_to_champion)
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="rollout-work")
        self.ending: Future[None] | None = None

    def close(self) -> None:
        """Begin no further step; what waits for a thread is cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def load_challenger(self, name: str) -> "Future[None]":
        """Deploy a model as the challenger, once the last one has ended."""
        return self._threads.submit(self._load_challenger, name, self.ending)

    def _load_challenger(self, name: str, ending: "Future[None] | None") -> None:
        model = self._models.find(name)
        if ending is not None:
            wait([ending])  # it would end the new one, too
        self._applications.deploy(CHALLENGER, model)

    def replay(self, name: str, cameras: Sequence[str], minutes: float) -> "Future[Evidence]":
        """Show recorded traffic to a model."""
        return self._threads.submit(lambda: self._replayer.replay(self._models.find(name), cameras, minutes))

    def describe_challenger(self) -> "Future[dict[str, object]]":
        """Ask the challenger for its process and memory."""
        return self._threads.submit(self._applications.describe, CHALLENGER)

    def end_challenger(self, loading: "Future[None] | None") -> None:
        """End the challenger; if it is still being loaded, once more after that."""
        self.ending = self._threads.submit(self._end_challenger, loading)

    def _end_challenger(self, loading: "Future[None] | None") -> None:
        self._delete_challenger()
        if loading is not None and not loading.done():
            wait([loading])  # it may come up after all
            self._delete_challenger()

    def _delete_challenger(self) -> None:
        try:
            self._applications.delete(CHALLENGER)
        except DetectorError as error:
            _log.warning("%s", error)

    def take_over(self, rollout: Rollout) -> "Future[None]":
        """Load the model into the champion's application while the challenger serves."""
        return self._threads.submit(self._take_over, rollout.model, target_application(rollout.city))

    def _take_over(self, name: str, champion_application: str) -> None:
        self._applications.load(champion_application, self._models.find(name))
        self._models.set_champion(name, champion_application)

    def give_back(
        self, rollout: Rollout, session: RolloutSession, *, keeps_own_champion: bool
    ) -> "Future[None]":
        """Load the old model into the champion's application, then route every camera to it.

        Args:
            rollout: The rollout whose promotion is undone.
            session: Its session; a takeover under way is waited for.
            keeps_own_champion: False if the promotion would have given a city its first champion.
        """
        work = self._give_back if keeps_own_champion else self._clear_own_champion
        return self._threads.submit(work, rollout, session)

    def _give_back(self, rollout: Rollout, session: RolloutSession) -> None:
        champion_application = target_application(rollout.city)
        model = self._models.find(rollout.champion)
        self._applications.load(champion_application, model)
        self._route_to_champion()
        if session.taking_over.future is not None:
            wait([session.taking_over.future])  # it may still be naming the new champion
            self._applications.load(champion_application, model)  # ... or have loaded it after all
        self._models.set_champion(rollout.champion, champion_application)

    def _clear_own_champion(self, rollout: Rollout, session: RolloutSession) -> None:
        """A city that had no champion of its own gets none."""
        self._route_to_champion()
        if session.taking_over.future is not None:
            wait([session.taking_over.future])
        self._models.clear_champion(target_application(rollout.city))
        self._applications.delete(target_application(rollout.city))
