"""Who is told of events: sinks, mutes, and the stream of changes."""

from typing import Protocol

from streetloop.alerting.mute import Mute
from streetloop.control import alert_views


class AlertControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def sinks(self) -> list[alert_views.SinkView]:
        """Every event sink of the newest start, by name."""

    def test_sink(self, name: str) -> alert_views.SinkTestView:
        """Send a message to one sink, and wait some seconds for its arrival.

        Raises:
            NotFound: There is no sink of that name.
        """

    def mutes(self) -> list[alert_views.MuteView]:
        """Mutes that are not over, the oldest first."""

    def mute(self, mute: Mute, author: str) -> alert_views.MuteView:
        """Send no events of some camera, kind or time that begin from now on; they are logged."""

    def unmute(self, number: int) -> None:
        """Lift a mute.

        Raises:
            NotFound: There is none of that number.
        """

    def event_changes(
        self, after: int | None, limit: int, camera_id: str | None = None
    ) -> list[alert_views.ChangeView]:
        """Changes of events, the oldest first.

        Args:
            after: Only those with a higher number; None for the newest alone, to begin with.
            limit: Largest number of changes.
            camera_id: Only of this camera; None for all.
        """
