"""Learning runs."""

from datetime import UTC, datetime

from flows.learning.dataset_builder import require_new_labels
from flows.learning.training_plan import CityCameras
from flows.learning.triggers import place_of
from flows.service.parts.state import ServiceState, page_of
from flows.service.views import learning_view
from streetloop.cameras.camera_set import merged
from streetloop.control.views import LearningView, Page
from streetloop.errors import DatasetError, LearningError
from streetloop.ledger.cameras import newest_changes
from streetloop.ledger.learning import Step, begin_learning, go_on, list_learning, open_learning


class LearningService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def learning(self, offset: int, limit: int) -> Page[LearningView]:
        """See `Control.learning`."""
        found = list_learning(self._ledger, most=offset + limit + 1)[offset:]
        return page_of(found, learning_view, offset, limit)

    def learn(self, author: str, city: str | None = None) -> LearningView:
        """See `Control.learn`."""
        place = place_of(merged(self._file, newest_changes(self._ledger)), city)
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

    def _require_labels(self, place: CityCameras | None) -> None:
        try:
            require_new_labels(self._ledger, place)
        except DatasetError as error:
            raise LearningError(f"nothing to learn from: {error}") from error
