"""The review queue, and what goes to the labeler and back."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flows.service.app_answers import answer_of, find_frame
from flows.service.label_exchange import LabelExchange
from flows.service.parts.state import ServiceState, page_of
from flows.service.views import review_view
from labeling.local_server.server import LocalServer
from streetloop.control.label_views import (
    AnswerIn,
    ExchangeView,
    LabelProblemView,
    LabelReportView,
    QueueView,
    ReviewView,
    TeacherPrecisionView,
)
from streetloop.control.views import Page
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.history.app_answers import put_app_answer
from streetloop.ledger.reviews import (
    ReviewState,
    count_chosen,
    count_doubted,
    count_reviews,
    find_reviews,
    newest_reviews,
)
from streetloop.secrets import redact


class LabelService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering = threading.Lock()

    def queue(self) -> QueueView:
        """See `Control.queue`."""
        counts = {str(state): count for state, count in count_reviews(self._ledger).items()}
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return QueueView(
            people=self._settings.people,
            budget=self._settings.label_budget,
            chosen_today=count_chosen(self._ledger, midnight),
            counts=counts,
            suspect=count_doubted(self._ledger),
            labeler=self._settings.labeler,
            url=self._labeling_url(),
        )

    def _labeling_url(self) -> str | None:
        if self._settings.people != "label-studio":
            return None
        if self._settings.label_studio_url:
            return redact(self._settings.label_studio_url)
        access = LocalServer(self._settings.home).status()
        return None if access is None else access.url

    def reviews(
        self, state: str | None, offset: int, limit: int, camera_id: str | None = None
    ) -> Page[ReviewView]:
        """See `Control.reviews`."""
        states = set(ReviewState) - {ReviewState.CANDIDATE} if state is None else {_state(state)}
        found = newest_reviews(self._ledger, states, limit + 1, offset, camera_id)
        return page_of(found, review_view, offset, limit)

    def review(self, digest: str) -> ReviewView:
        """See `Control.review`."""
        return review_view(find_frame(self._ledger, digest))

    def answer_review(self, digest: str, answer: AnswerIn) -> ReviewView:
        """See `Control.answer_review`."""
        if self._settings.people != "app":
            raise ConfigError(
                f"frames are labelled by {self._settings.people}; set labeler: app to label them here"
            )
        frame = find_frame(self._ledger, digest)
        with self._answering:
            if frame.state is ReviewState.PENDING:
                self._label_exchange().push(0)
                frame = find_frame(self._ledger, frame.digest)
            put_app_answer(self._ledger, answer_of(frame, answer, datetime.now(UTC)))
            self._label_exchange().pull()
        return self.review(frame.digest)

    def review_image(self, digest: str) -> bytes:
        """See `Control.review_image`."""
        found = find_reviews(self._ledger, [digest])
        if not found:
            raise NotFound(f"there is no frame {digest[:64]!r}")
        if found[0].state is ReviewState.EXPIRED:
            raise NotFound("the frame has expired, and its image is gone")
        return self._store.get(found[0].image_key)

    def push_labels(self, choose: int = 0) -> ExchangeView:
        """See `Control.push_labels`."""
        return self._label_exchange().push(choose)

    def pull_labels(self) -> ExchangeView:
        """See `Control.pull_labels`."""
        return self._label_exchange().pull()

    def label_report(self, *, only_random: bool = True) -> LabelReportView:
        """See `Control.label_report`."""
        return self._label_exchange().report(only_random=only_random)

    def teacher_precision(self) -> list[TeacherPrecisionView]:
        """See `Control.teacher_precision`."""
        return self._label_exchange().teacher_precision()

    def label_problems(self, *, rejected: bool, suspect: bool) -> list[LabelProblemView]:
        """See `Control.label_problems`."""
        return self._label_exchange().problems(rejected=rejected, suspect=suspect)

    def reopen_labels(
        self, digests: Sequence[str] = (), *, rejected: bool = False, suspect: bool = False
    ) -> int:
        """See `Control.reopen_labels`."""
        return self._label_exchange().reopen(digests, rejected=rejected, suspect=suspect)

    def confirm_labels(self, digests: Sequence[str] = (), *, suspect: bool = False) -> int:
        """See `Control.confirm_labels`."""
        return self._label_exchange().confirm(digests, suspect=suspect)

    def _label_exchange(self) -> LabelExchange:
        return LabelExchange(self._settings, self._ledger, self._store, self._default_model)


def _state(name: str) -> ReviewState:
    try:
        return ReviewState(name)
    except ValueError:
        known = ", ".join(ReviewState)
        raise NotFound(f"there is no state {name[:40]!r}; frames are {known}") from None
