"""What takes long in a rollout: models are loaded, swapped and ended, away from the looks."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from serve.rollout.route_table import CHALLENGER
from serve.rollout.session import Models, Slots, Trial, home_slot
from streetloop.errors import DetectorError
from streetloop.ledger.rollouts import Rollout

_log = logging.getLogger(__name__)


class RolloutWork:
    """Every method returns at once.

    Args:
        slots: The applications.
        models: Finds models, and is told who the champion is.
        go_home: Sends every camera to its champion.
    """

    def __init__(self, slots: Slots, models: Models, go_home: Callable[[], None]) -> None:
        self._slots, self._models, self._go_home = slots, models, go_home
        self._hands = ThreadPoolExecutor(8, thread_name_prefix="rollout-work")
        self.ending: Future[None] | None = None

    def close(self) -> None:
        """Begin nothing more."""
        self._hands.shutdown(wait=False, cancel_futures=True)

    def load_challenger(self, name: str) -> "Future[None]":
        """Bring a model up as the challenger, once the last one has ended."""
        return self._hands.submit(self._load_challenger, name, self.ending)

    def _load_challenger(self, name: str, ending: "Future[None] | None") -> None:
        model = self._models.find(name)
        if ending is not None:
            wait([ending])  # or it would end the new one
        self._slots.deploy(CHALLENGER, model)

    def describe_challenger(self) -> "Future[dict[str, object]]":
        """What the challenger says of itself."""
        return self._hands.submit(self._slots.describe, CHALLENGER)

    def end_challenger(self, loading: "Future[None] | None") -> None:
        """End it; if it is still being loaded, then, too."""
        self.ending = self._hands.submit(self._end_challenger, loading)

    def _end_challenger(self, loading: "Future[None] | None") -> None:
        self._delete_challenger()
        if loading is not None and not loading.done():
            wait([loading])  # it may come up after all
            self._delete_challenger()

    def _delete_challenger(self) -> None:
        try:
            self._slots.delete(CHALLENGER)
        except DetectorError as error:
            _log.warning("%s", error)

    def take_over(self, rollout: Rollout) -> "Future[None]":
        """The champion's application takes the model over while the challenger serves."""
        return self._hands.submit(self._take_over, rollout.model, home_slot(rollout))

    def _take_over(self, name: str, home: str) -> None:
        self._slots.load(home, self._models.find(name))
        self._models.crown(name, home)

    def give_back(self, rollout: Rollout, trial: Trial, *, keeps_own: bool) -> "Future[None]":
        """The old model goes back in its place, then every camera goes there.

        Args:
            rollout: That is undone.
            trial: What was begun for it.
            keeps_own: False if it would have given a city its first champion.
        """
        work = self._give_back if keeps_own else self._give_up_own
        return self._hands.submit(work, rollout, trial)

    def _give_back(self, rollout: Rollout, trial: Trial) -> None:
        home = home_slot(rollout)
        model = self._models.find(rollout.champion)
        self._slots.load(home, model)
        self._go_home()
        if trial.taking_over is not None:
            wait([trial.taking_over])  # it may still be naming the new champion
            self._slots.load(home, model)  # ... or have loaded it after all
        self._models.crown(rollout.champion, home)

    def _give_up_own(self, rollout: Rollout, trial: Trial) -> None:
        """A city that had no champion of its own gets none."""
        self._go_home()
        if trial.taking_over is not None:
            wait([trial.taking_over])
        self._models.dethrone(home_slot(rollout))
        self._slots.delete(home_slot(rollout))
