"""Rollouts, and the commands to the open one."""

from typing import Protocol

from streetloop.control import views


class RolloutControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def rollouts(self, offset: int, limit: int) -> views.Page[views.RolloutView]:
        """Rollouts without their decisions, the newest first."""

    def rollout(self, number: int | None = None) -> views.RolloutView:
        """One rollout with its decisions; None takes the newest.

        Raises:
            NotFound: There is no such rollout, or none at all.
        """

    def start_rollout(
        self, version: str, city: str | None, author: str, *, despite_verdict: bool = False
    ) -> views.RolloutView:
        """Start a rollout; running streams take it up within seconds.

        Args:
            version: Number or alias of the challenger.
            city: Restrict the rollout to the cameras of this city; None takes all.
            author: Who asks.
            despite_verdict: Start even if the judge refused the version.

        Raises:
            NotFound: There is no such version.
            RolloutError: Another rollout is open, the judge refused the version, or it cannot
                replace the champion.
        """

    def steer_rollout(self, wanted: str, author: str) -> views.RolloutView:
        """Give the open rollout a command: ``pause``, ``resume``, ``promote`` or ``roll back``.

        Raises:
            RolloutError: No rollout is open.
        """
