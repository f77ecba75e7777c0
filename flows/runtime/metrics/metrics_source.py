"""Puts the metrics of a session together."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version

from flows.runtime.metrics.dependencies import Dependencies
from flows.runtime.metrics.endpoint import MetricsEndpoint
from flows.runtime.metrics.exposition import expose
from flows.runtime.metrics.readings import MeteredObserver
from streetloop.settings import Settings


class MetricsSource:
    """The metrics of one session.

    Args:
        settings: The settings of the run.
        run: Name of the run.
        observer: Keeps the newest report.
        running: Called for the ids of the cameras that are to run.
        errors: Errors of this process by module; grows meanwhile.
        replicas: Called for how many replicas each application is to have.
    """

    def __init__(
        self,
        settings: Settings,
        run: str,
        observer: MeteredObserver,
        running: Callable[[], Collection[str]],
        errors: Mapping[str, int],
        replicas: Callable[[], Mapping[str, int]],
    ) -> None:
        self._observer, self._running, self._errors = observer, running, errors
        self._replicas = replicas
        self._info = {"version": version("streetloop"), "run": run}
        self._dependencies = Dependencies(settings)

    def start(self, endpoint: MetricsEndpoint) -> None:
        """Let an endpoint show them."""
        self._dependencies.start()
        endpoint.text = self.text

    def text(self) -> str:
        """The metrics now, as text."""
        read = self._observer.read(self._running(), self._errors)
        return expose(
            dataclasses.replace(self._dependencies.add_to(read), replicas=self._replicas()), self._info
        )

    def close(self) -> None:
        """Stop asking what the run depends on; the last answers stay."""
        self._dependencies.close()
