"""Evaluations beside running streams: what is asked, what is answered, and by whom."""

from datetime import datetime
from typing import Annotated, Any, BinaryIO, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from streetloop.control.views import Page
from streetloop.counted_classes import ClassGroups

ClassName = Annotated[str, Field(min_length=1, max_length=200)]
DatasetForm = Literal["coco", "yolo"]
"""Layout of a dataset that is fetched."""


class EvaluationOptions(BaseModel):
    """The options of ``streetloop evaluate``; what is left out is as it is there."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    split: Literal["train", "val", "test"] | None = Field(
        default=None, description="by default val and test, else all"
    )
    classes: ClassGroups | None = Field(
        default=None, description="classes of the dataset to score, or names with the classes that each joins"
    )
    mapping: dict[ClassName, ClassName] = Field(
        default={}, alias="map", max_length=1000, description="the dataset's class by class of the model"
    )
    image_size: int | None = Field(
        default=None, ge=32, le=4096, description="longest side of the model's input, in pixels"
    )


class NewEvaluation(EvaluationOptions):
    """Which model is to be measured, on which dataset, and how."""

    model: str = Field(
        min_length=1,
        max_length=300,
        description="number, alias or model of a version; `baseline`; or the model of the settings",
    )
    dataset: str = Field(pattern="^[0-9a-f]{6,64}$", description="digest of a dataset, or the start of it")

    def options(self) -> EvaluationOptions:
        """The options alone."""
        return EvaluationOptions(**{name: getattr(self, name) for name in EvaluationOptions.model_fields})


class EvaluationView(BaseModel):
    """An evaluation, without its report.

    Attributes:
        id: Its number.
        state: Where it is.
        progress: The share of the images that are done.
        model: The version's number, or the name of a model that is no version.
        dataset: Digest of the dataset.
        options: How it is measured.
        author: Who asked.
        asked_at: When.
        started_at: When it began to run.
        ended_at: When it was done, or failed.
        error: Why it failed.
    """

    id: int
    state: Literal["queued", "running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    model: str
    dataset: str
    options: EvaluationOptions
    author: str
    asked_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None


class EvaluationResultView(EvaluationView):
    """An evaluation with its report.

    Attributes:
        result: What ``streetloop evaluate --json`` prints; None until it is done.
    """

    result: dict[str, Any] | None = None


class DatasetView(BaseModel):
    """A dataset that was imported.

    Attributes:
        digest: Its digest.
        images: Number of its images.
        classes: Boxes by class.
        splits: Images by split.
        notes: What was mended in the labels, one sentence each.
        stored: Number of images that were not there before.
    """

    digest: str
    images: int
    classes: dict[str, int]
    splits: dict[str, int]
    notes: list[str]
    stored: int


class EvaluationControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def start_evaluation(self, wanted: NewEvaluation, author: str) -> EvaluationView:
        """Queue an evaluation; running streams begin it once none runs.

        Raises:
            NotFound: There is no such model or dataset.
            ConfigError: The dataset has no such split or class.
            QueueFull: Too many wait already.
        """

    def evaluation(self, number: int) -> EvaluationResultView:
        """One evaluation, with its report once it is done.

        Raises:
            NotFound: There is no such evaluation.
        """

    def evaluations(self, offset: int, limit: int) -> Page[EvaluationView]:
        """Evaluations without their reports, the newest first."""

    def import_archive(self, archive: BinaryIO, images: str | None, split: str | None) -> DatasetView:
        """Store a dataset of YOLO or COCO that comes as a zip.

        Args:
            archive: The zip; it can seek.
            images: Folder of the images within it, for a COCO JSON that does not say it.
            split: Split of all images of a COCO JSON; None for what its name says, else ``val``.

        Raises:
            InputRejected: It is no zip, or one that is not accepted.
            InputTooLarge: It has too many members, or unpacks to too much.
            ConfigError: There is no dataset in it, or not one that can be read.
            QueueFull: Another one is being imported.
        """

    def dataset_archive(self, digest: str, form: DatasetForm) -> BinaryIO:
        """A dataset as a zip in the layout of another tool.

        Args:
            digest: Of the dataset, or the start of it.
            form: ``coco`` for COCO's JSON, one for each split; ``yolo`` for a ``data.yaml`` and
                text files.

        Returns:
            The zip, at its start; the caller closes it.

        Raises:
            NotFound: No dataset, or several, begin like that.
            InputTooLarge: It has too many images to send.
            QueueFull: Another one is being written.
        """
