"""Protocols of what a rollout acts on: the streams, the applications, and the models."""

from collections.abc import Sequence
from typing import Any, Protocol

from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import NotFound
from streetloop.types import Detections, Image
from train.model.model_file import ModelFile


class Fleet(Protocol):
    """The running streams."""

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames to the application in the table; returns at once."""

    def collect_evidence(self) -> Evidence:
        """Evidence on the challenger since the last call."""


class Applications(Protocol):
    """The applications that serve models. Every method blocks, up to minutes.

    An ``application`` is its name in Ray Serve.

    Raises:
        DetectorError: An application does not answer, or cannot do it.
    """

    def deploy(self, application: str, model: ModelFile) -> None:
        """Start an application and wait until it answers."""

    def load(self, application: str, model: ModelFile) -> None:
        """Replace the model of an application without a gap; starts one that is not there."""

    def describe(self, application: str) -> dict[str, Any]:
        """State of an application: ``processes`` (their ids) and ``memory_mb`` at least."""

    def detect(self, application: str, image: Image) -> Detections:
        """Boxes that it shows in one image (H, W, 3), in pixels of the image."""

    def delete(self, application: str) -> None:
        """End an application if it is there."""


class Replayer(Protocol):
    """Shows recorded traffic to a challenger."""

    def replay(self, model: ModelFile, cameras: Sequence[str], minutes: float) -> Evidence:
        """Replay traffic of the last day; blocks for minutes.

        Args:
            model: The challenger.
            cameras: Ids of the cameras.
            minutes: Video that is looked at, of all cameras together.

        Raises:
            NotFound: Nothing was recorded.
            StreetloopError: Something that it needs does not answer.
        """


class NoReplayer:
    """A `Replayer` where nothing is recorded."""

    def replay(self, model: ModelFile, cameras: Sequence[str], minutes: float) -> Evidence:  # noqa: ARG002
        """See `Replayer.replay`."""
        raise NotFound("recorded traffic cannot be replayed here")


class Models(Protocol):
    """Where models come from, and where the champion is on record.

    A ``name`` is the number or an alias of a version; an ``application``, its name in Ray Serve.

    Raises:
        RegistryError: The registry does not answer.
    """

    def find(self, name: str) -> ModelFile:
        """Find a model; may download it."""

    def set_champion(self, name: str, application: str) -> None:
        """Make a model the champion of an application, which outlasts a restart."""

    def clear_champion(self, application: str) -> None:
        """Remove the champion of an application, if it has one."""
