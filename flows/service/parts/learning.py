"""Learning runs."""

import threading
from datetime import UTC, datetime
from typing import Any

from flows.learning.dataset_builder import require_new_labels
from flows.learning.training_plan import CityCameras, TrainingRequest
from flows.learning.triggers import place_of
from flows.service.parts.state import ServiceState, page_of
from flows.service.views import learning_view
from streetloop.cameras.camera_set import merged
from streetloop.control.learning_control import TrainingCheckView
from streetloop.control.views import LearningView, Page
from streetloop.errors import DatasetError, LearningError, QueueFull
from streetloop.ledger.cameras import newest_changes
from streetloop.ledger.learning import Step, begin_learning, go_on, list_learning, open_learning

_RETRY_AFTER_S = 5


class LearningService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._checking = threading.Lock()

    def learning(self, offset: int, limit: int) -> Page[LearningView]:
        """See `Control.learning`."""
        found = list_learning(self._ledger, most=offset + limit + 1)[offset:]
        return page_of(found, learning_view, offset, limit)

    def check_learning(self, city: str | None = None) -> TrainingCheckView:
        """See `Control.check_learning`."""
        # Not at the top: it loads what reads and decodes images.
        from flows.learning.readiness import check_training

        request = TrainingRequest(
            f"learn-{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            recipe=self._settings.learn_recipe,
            classes=self._settings.classes,
            place=self._place(city),
        )
        if not self._checking.acquire(blocking=False):  # it opens every labeled image
            raise QueueFull("another training is being checked; ask again in a moment", _RETRY_AFTER_S)
        try:
            found = check_training(self._settings, self._ledger, request)
        finally:
            self._checking.release()
        return TrainingCheckView(**found.as_json())

    def learn(self, author: str, city: str | None = None) -> LearningView:
        """See `Control.learn`."""
        place = self._place(city)
        if open_learning(self._ledger) is None:
            self._require_labels(place)
        now = datetime.now(UTC)
        trigger = {"kind": "a person", "because": f"{author} asked for it"}
        if city is not None:
            trigger["city"] = city
        run = begin_learning(self._ledger, f"learn-{now:%Y%m%dT%H%M%SZ}", trigger, now)
        return learning_view(run)

    def resume_learning(self, author: str) -> LearningView:
        """See `Control.resume_learning`."""
        run = open_learning(self._ledger)
        if run is None:
            raise LearningError("no learning run is open")
        if run.step is not Step.PARKED:
            raise LearningError(f"learning run {run.id} is not parked: it is at {run.step}")
        step, now = Step(str(run.detail["parked"])), datetime.now(UTC)
        return learning_view(go_on(self._ledger, run, step, now, {"resumed by": author}))

    def drop_learning(self, author: str) -> LearningView:
        """See `Control.drop_learning`."""
        run = open_learning(self._ledger)
        if run is None:
            raise LearningError("no learning run is open")
        now, why = datetime.now(UTC), f"by hand ({author})"
        return learning_view(go_on(self._ledger, run, Step.DROPPED, now, reason=why))

    def parked_run(self) -> LearningView | None:
        """The open learning run, if it is parked."""
        run = open_learning(self._ledger)
        return learning_view(run) if run is not None and run.step is Step.PARKED else None

    def _place(self, city: str | None) -> CityCameras | None:
        return place_of(merged(self._file, newest_changes(self._ledger)), city)

    def _require_labels(self, place: CityCameras | None) -> None:
        try:
            require_new_labels(self._ledger, place)
        except DatasetError as error:
            raise LearningError(f"nothing to learn from: {error}") from error
