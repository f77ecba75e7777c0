"""What a rollout needs round it: the streams, the applications, and the models."""

from typing import Any, Protocol

from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.types import Detections, Image
from train.model.model_file import ModelFile


class Fleet(Protocol):
    """The running streams."""

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says."""

    def collect_evidence(self) -> Evidence:
        """What was found about a challenger since the last call."""


class Applications(Protocol):
    """The applications that serve models; every method may take long."""

    def deploy(self, application: str, model: ModelFile) -> None:
        """Start an application and wait until it answers."""

    def load(self, application: str, model: ModelFile) -> None:
        """Put another model in an application without a break; starts one that is not there."""

    def describe(self, application: str) -> dict[str, Any]:
        """What an application says of itself."""

    def detect(self, application: str, image: Image) -> Detections:
        """What it shows in one picture."""

    def delete(self, application: str) -> None:
        """End an application if it is there."""


class Models(Protocol):
    """Where models come from, and who is told which one is the champion."""

    def find(self, name: str) -> ModelFile:
        """A model by name."""

    def set_champion(self, name: str, application: str) -> None:
        """It is the champion of an application from now on, after a restart, too."""

    def clear_champion(self, application: str) -> None:
        """The application has no champion of its own any more."""
