"""Versions of the registry, and learning runs."""

from pathlib import Path
from typing import Protocol

from streetloop.control import views
from streetloop.control.versions.comparison import VersionComparisonView, VersionForm


class LearningControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def models(self) -> list[views.ModelView]:
        """Versions of the registry, the newest first; empty without a registry."""

    def lineage(self, version: str) -> list[views.LineageView]:
        """A version and its ancestors, back to the first.

        Args:
            version: Number or alias.

        Raises:
            NotFound: There is no such version.
        """

    def compare_versions(self, first: str, second: str) -> VersionComparisonView:
        """Two versions by slice and by class, from what is on record of both.

        Args:
            first: Number or alias.
            second: Number or alias of the version that the differences speak of.

        Raises:
            NotFound: There is no such version.
        """

    def version_forms(self, version: str) -> list[VersionForm]:
        """In which forms a version can be downloaded; none if other software registered it.

        Raises:
            NotFound: There is no such version.
        """

    def version_file(self, version: str, form: VersionForm) -> Path:
        """A version as a file, which is fetched and never opened.

        Args:
            version: Number or alias.
            form: ``onnx`` for what serves, ``pt`` for the checkpoint.

        Raises:
            NotFound: There is no such version, or it has no such file.
            InputTooLarge: The file is larger than is handed out.
        """

    def learning(self, offset: int, limit: int) -> views.Page[views.LearningView]:
        """Learning runs, the newest first."""

    def learn(self, author: str, city: str | None = None) -> views.LearningView:
        """Start a learning run now, whatever the limits say.

        Args:
            author: Who asks.
            city: Learn from the labels of its cameras, for them alone; None for all.

        Raises:
            LearningError: Another one is open, there are no new labels, or no camera is in
                the city.
        """

    def resume_learning(self, author: str) -> views.LearningView:
        """Continue the learning run that is parked.

        Raises:
            LearningError: No run is open, or it is not parked.
        """

    def drop_learning(self, author: str) -> views.LearningView:
        """End the open learning run without a new model; its labels stay.

        Raises:
            LearningError: No run is open.
        """
