"""Versions of the registry, and learning runs."""

from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import BaseModel

from streetloop.control import views
from streetloop.control.versions.comparison import VersionComparisonView, VersionForm
from streetloop.control.versions.comparison_details import ComparisonDetailsView


class TrainingCheckView(BaseModel):
    """What a training would learn from, be judged by, and take; as ``streetloop train --dry-run``.

    Attributes:
        ready: Whether nothing is missing.
        missing: What it lacks to be accepted, one sentence each.
        train: Images to learn from.
        judge_frames: Frames to judge by.
        champion: Number of the version that it would start from; None if the model of the settings
            would become the first.
        eta_s: Seconds that it takes, estimated; None if nothing can be learned from.
        notes: What was mended in the labels, one sentence each.
    """

    ready: bool
    missing: list[str]
    train: int
    judge_frames: int
    champion: int | None
    eta_s: int | None
    notes: list[str]

    def in_words(self) -> list[str]:
        """What it takes, and what is missing, a line each."""
        champion = "the first champion" if self.champion is None else f"version {self.champion}"
        lines = [
            f"starts from {champion}",
            f"learns from {self.train} images",
            f"is judged by {self.judge_frames} frames",
        ]
        if self.eta_s is not None:
            lines.append(f"takes about {max(1, round(self.eta_s / 60))} minutes")
        return [*lines, *(f"missing: {one}" for one in self.missing)]


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

    def compare_details(self, first: str, second: str) -> ComparisonDetailsView:
        """Curves of two versions, and frames on which they differ, from evaluations on one dataset.

        Args:
            first: Number or alias.
            second: Number or alias.

        Raises:
            NotFound: There is no such version, or no dataset on which both were evaluated.
        """

    def compared_image(self, first: str, second: str, image: str) -> bytes:
        """A frame of `compare_details` as JPEG, at most 1280 pixels wide.

        Args:
            first: Number or alias.
            second: Number or alias.
            image: SHA-256 of its image.

        Raises:
            NotFound: There is no such version or frame, or its image is none.
            StoreError: It is not in the store any more.
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

    def register_model(self, file: BinaryIO, name: str, classes: str | None) -> views.ModelView:
        """Register a detector that was sent as ONNX; one that is registered already is found again.

        Args:
            file: The model.
            name: Name of the file.
            classes: Names of its classes with commas, in the order of their ids; None for its own.

        Raises:
            InputRejected: It is no ``.onnx`` file; a ``.pt`` is a pickle, and is not opened.
            InputTooLarge: It is too large.
            ConfigError: It is no detector that runs here, or the names do not fit.
            QueueFull: Another model is being registered.
        """

    def learning(self, offset: int, limit: int) -> views.Page[views.LearningView]:
        """Learning runs, the newest first."""

    def check_learning(self, city: str | None = None) -> TrainingCheckView:
        """What a learning run would take if it began now; changes nothing.

        Args:
            city: For its cameras alone; None for all.

        Raises:
            LearningError: No camera is in the city.
            ModelError: The champion cannot be used.
            QueueFull: Another training is being checked.
        """

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
