"""Rollouts, and the commands to the open one."""

from flows.service.parts.models import ModelService
from flows.service.parts.state import page_of
from flows.service.views import rollout_view
from serve.rollout.control.request import request_rollout
from streetloop.control.views import Page, RolloutView
from streetloop.errors import NotFound
from streetloop.ledger.history.rollout_gains import list_gains
from streetloop.ledger.rollouts import RolloutCommand, list_decisions, list_rollouts, request_command

_MAX_ROLLOUTS = 10_000


class RolloutService(ModelService):
    """See `streetloop.control.port.Control`."""

    def rollouts(self, offset: int, limit: int) -> Page[RolloutView]:
        """See `Control.rollouts`."""
        found = list_rollouts(self._ledger, offset + limit + 1)[offset:]
        return page_of(found, rollout_view, offset, limit)

    def rollout(self, number: int | None = None) -> RolloutView:
        """See `Control.rollout`."""
        for rollout in list_rollouts(self._ledger, 1 if number is None else _MAX_ROLLOUTS):
            if number in {None, rollout.id}:
                decisions = list_decisions(self._ledger, rollout.id)
                return rollout_view(rollout, decisions, list_gains(self._ledger, rollout.id))
        if number is None:
            raise NotFound("no rollout yet: `streetloop rollout start VERSION` begins one")
        raise NotFound(f"there is no rollout {number}")

    def start_rollout(
        self, version: str, city: str | None, author: str, *, despite_verdict: bool = False
    ) -> RolloutView:
        """See `Control.start_rollout`."""
        self._require_version(version)
        started = request_rollout(
            self._settings,
            self._ledger,
            version,
            self._policy,
            author,
            city,
            self._tell,
            despite_verdict=despite_verdict,
        )
        return rollout_view(started)

    def steer_rollout(self, wanted: str, author: str) -> RolloutView:
        """See `Control.steer_rollout`."""
        return rollout_view(request_command(self._ledger, RolloutCommand(wanted), author))
