"""Events and drift."""

import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flows.reports.drift_html import pictured_periods, report_page
from flows.reports.drift_status import DriftStatus, drift_state
from flows.service.parts.cameras import CameraService
from flows.service.parts.state import page_of
from flows.service.views import drift_view, event_view, unwatched_view
from streetloop.control.views import DriftView, EventView, Page, PrecisionView
from streetloop.errors import ConfigError, NotFound
from streetloop.images import encode_jpeg
from streetloop.ledger.events import (
    Event,
    acknowledge_event,
    comment_event,
    find_event,
    judged_rules,
    list_events,
    mark_false,
)
from streetloop.local_time import parse_moment

_DRIFT_KEPT_S = 20.0
_MAX_COMMENT = 1000


class EventService(CameraService):
    """See `streetloop.control.port.Control`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drift: dict[str | None, tuple[float, dict[str, DriftStatus]]] = {}
        self._computing_drift = threading.Lock()

    def events(
        self,
        camera_id: str | None,
        kind: str | None,
        *,
        only_open: bool,
        offset: int,
        limit: int,
        since: str | None = None,
    ) -> Page[EventView]:
        """See `Control.events`."""
        moment = None if since is None else parse_moment(since, datetime.now(UTC), self.zone)
        found = list_events(self._ledger, camera_id, kind, only_open, limit + 1, offset, moment)
        return page_of(found, event_view, offset, limit)

    def event(self, event: int) -> EventView:
        """See `Control.event`."""
        return event_view(self._event(event))

    def acknowledge(self, event: int, author: str) -> EventView:
        """See `Control.acknowledge`."""
        acknowledge_event(self._ledger, event, author, datetime.now(UTC))
        return event_view(self._event(event))

    def comment_event(self, event: int, text: str, author: str) -> EventView:
        """See `Control.comment_event`."""
        if len(text) > _MAX_COMMENT:
            raise ConfigError(f"a comment has at most {_MAX_COMMENT} characters, and this one {len(text)}")
        comment_event(self._ledger, event, text.strip(), author)
        return event_view(self._event(event))

    def mark_false(self, event: int, author: str, *, is_false: bool = True) -> EventView:
        """See `Control.mark_false`."""
        mark_false(self._ledger, event, author, datetime.now(UTC) if is_false else None)
        return event_view(self._event(event))

    def event_precision(self) -> list[PrecisionView]:
        """See `Control.event_precision`."""
        return [
            PrecisionView(**asdict(one), precision=one.confirmed / judged if judged else None)
            for one in judged_rules(self._ledger)
            for judged in [one.confirmed + one.false]
        ]

    def event_picture(self, event: int) -> bytes:
        """See `Control.event_picture`."""
        for key in self._event(event).evidence:
            return self._store.get(key)
        raise NotFound(f"event {event} has no picture")

    def _event(self, event: int) -> Event:
        found = find_event(self._ledger, event)
        if found is None:
            raise NotFound(f"there is no event {event}")
        return found

    def drift(self, camera_id: str | None = None) -> list[DriftView]:
        """See `Control.drift`; an answer is computed anew after `_DRIFT_KEPT_S`."""
        period_s = self._settings.drift_period_s
        known = self._drift_status(camera_id)
        found = [drift_view(name, status, period_s) for name, status in known.items()]
        if camera_id is not None:
            return found
        young = [camera.id for camera in self._cameras() if camera.id not in known]
        return found + [unwatched_view(name, period_s) for name in young]

    def drift_picture(self, camera_id: str, *, before: bool) -> tuple[datetime, bytes] | None:
        """See `Control.drift_picture`."""
        status = self._drift_status(None).get(camera_id)
        if status is None:
            return None
        found = pictured_periods(camera_id, status, self._store)[0 if before else 1]
        if found is None or found.picture is None:
            return None
        return found.started_at, encode_jpeg(found.picture)

    def drift_page(self, camera_id: str | None = None) -> str:
        """See `Control.drift_page`."""
        return report_page(self._drift_status(camera_id), self._store, self.zone)

    def _drift_status(self, camera_id: str | None) -> dict[str, DriftStatus]:
        with self._computing_drift:
            computed_at, found = self._drift.get(camera_id, (-_DRIFT_KEPT_S, {}))
            if time.monotonic() - computed_at > _DRIFT_KEPT_S:
                found = drift_state(self._settings, self._store, self._ledger, camera_id, self._tell)
                self._drift[camera_id] = time.monotonic(), found
            return found
