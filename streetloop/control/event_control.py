"""Events and drift."""

from datetime import datetime
from typing import Protocol

from streetloop.control import views


class EventControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def events(
        self,
        camera_id: str | None,
        kind: str | None,
        *,
        only_open: bool,
        offset: int,
        limit: int,
        since: str | None = None,
    ) -> views.Page[views.EventView]:
        """Events, the newest first; None takes every camera, every kind, or all times.

        Raises:
            ConfigError: ``since`` is no time, see `streetloop.local_time.parse_moment`.
        """

    def event(self, event: int) -> views.EventView:
        """One event.

        Raises:
            NotFound: There is none of that number.
        """

    def acknowledge(self, event: int, author: str) -> views.EventView:
        """Note that somebody took note of an event.

        Raises:
            NotFound: There is none of that number.
        """

    def comment_event(self, event: int, text: str, author: str) -> views.EventView:
        """Write a comment on an event in the place of the one before; an empty one removes it.

        Raises:
            NotFound: There is none of that number.
            ConfigError: The comment is longer than 1000 characters.
        """

    def mark_false(self, event: int, author: str, *, is_false: bool = True) -> views.EventView:
        """Note that an event did not happen, or take that back; it is acknowledged, too.

        Raises:
            NotFound: There is none of that number.
        """

    def event_precision(self) -> list[views.PrecisionView]:
        """How often each rule was right, by kind, camera and version, as far as people said."""

    def event_picture(self, event: int) -> bytes:
        """The JPEG that shows an event.

        Raises:
            NotFound: There is no such event, or it has no picture any more.
        """

    def drift(self, camera_id: str | None = None) -> list[views.DriftView]:
        """Drift of one camera, or of every camera that is there or was ever watched.

        Raises:
            ConfigError: The camera was never watched.
        """

    def drift_picture(self, camera_id: str, *, before: bool) -> tuple[datetime, bytes] | None:
        """When a camera looked like this (UTC), and the JPEG; None if there is no such picture yet.

        Args:
            camera_id: The camera.
            before: True for the last picture before its open drift, or before the newest minutes
                where there is none; False for the newest.
        """

    def drift_page(self, camera_id: str | None = None) -> str:
        """The same as an HTML page with plots and pictures.

        Raises:
            ConfigError: The camera was never watched.
        """
