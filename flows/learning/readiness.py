"""Whether a training can be accepted, known before it starts: ``streetloop train --dry-run``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flows.learning.dataset_builder import gaps_to_judge, held_out, judged_by
from flows.learning.training_material import material_of, start_of
from flows.learning.training_plan import CityCameras, TrainingRequest, read_plan
from flows.learning.training_time import training_seconds
from streetloop.boxes import Box
from streetloop.errors import DatasetError, ModelError, TrainingError
from streetloop.ledger import Ledger
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.baseline_replay import REPLAY_SIZES
from train.data.dataset import TRAIN, Dataset, Example, load_dataset
from train.data.from_labels import USUAL
from train.data.validation import faults_of, image_faults
from train.fine_tuning.recipe_check import refuse_bad_options
from train.model.find_model import find_model, has_registry, open_registry
from train.model.model_file import ModelFile, open_model
from train.model_registry import CHAMPION, Version, VersionRecord


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a training would learn from and be judged by.

    Attributes:
        missing: What it lacks to be accepted, one sentence each; empty if it may start.
        train: Images to learn from.
        judge_frames: Frames to judge by.
        champion: Number of the version that it would start from; None if the model of the settings
            would become the first.
        eta_s: Seconds that it takes, estimated; None if nothing can be learned from.
        notes: What was mended in the labels.
    """

    missing: tuple[str, ...]
    train: int
    judge_frames: int
    champion: int | None
    eta_s: float | None
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """True if nothing is missing."""
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ready": self.ready,
            "missing": list(self.missing),
            "train": self.train,
            "judge_frames": self.judge_frames,
            "champion": self.champion,
            "eta_s": None if self.eta_s is None else round(self.eta_s),
            "notes": list(self.notes),
        }


def check_training(settings: Settings, ledger: Ledger, request: TrainingRequest) -> Readiness:
    """Check a training without starting it; changes nothing, and needs no Ray.

    Raises:
        ConfigError: The name cannot be one, or a training option is unknown or of a bad value.
        TrainingError: The training is over.
        RegistryError: The registry does not answer.
        ModelError: The champion cannot be used.
    """
    refuse_bad_options(request.recipe)
    plan = read_plan(settings, request.name)
    champion, model = _champion(settings, None if plan is None else plan.champion)
    if plan is not None:  # its dataset was checked when it began
        request = plan.resumed_as(request)
        dataset = load_dataset(open_store(settings), plan.dataset)
        return _readiness(settings, champion, dataset, request, _no_start(settings, model, request), ())
    missing = _no_start(settings, model, request)
    if not missing and not champion.number and model.checkpoint is None:
        missing.append(f"{model.version} has no .pt checkpoint, and so cannot be the first champion")
    try:
        material = material_of(settings, ledger, champion, model, request)
    except DatasetError as error:
        empty = Dataset(champion.record.classes, ())
        return _readiness(settings, champion, empty, request, [*missing, str(error)], ())
    material = replace(material, dataset=_with_replay(material.dataset, settings, champion, request.place))
    missing += _faults(material.dataset, open_store(settings), champion.record.classes)
    try:
        missing += gaps_to_judge(material, request.wanted, request.classes)
    except DatasetError as error:  # a class that is judged is none
        missing.append(str(error))
    return _readiness(settings, champion, material.dataset, request, missing, material.notes)


def _no_start(settings: Settings, champion: ModelFile, request: TrainingRequest) -> list[str]:
    """Why a training has nothing to start from, in a sentence; empty if it has."""
    try:
        start_of(settings, champion, request)
    except (ModelError, TrainingError) as error:
        return [str(error)]
    return []


def _readiness(
    settings: Settings,
    champion: Version,
    dataset: Dataset,
    request: TrainingRequest,
    missing: Sequence[str],
    notes: tuple[str, ...],
) -> Readiness:
    learned, judged = len(dataset.split(TRAIN)), len(held_out(dataset))
    seconds = training_seconds(settings, request.recipe, learned, judged) if learned else None
    return Readiness(tuple(missing), learned, judged, champion.number or None, seconds, notes)


def _champion(settings: Settings, number: int | None) -> tuple[Version, ModelFile]:
    """The version to start from; version 0 stands for the model that would become the first."""
    wanted = CHAMPION if number is None else str(number)
    known = open_registry(settings).look_up(wanted) if has_registry(settings) else None
    if known is not None:
        return known, find_model(str(known.number), settings)
    model = open_model(settings.model, settings.models)
    record = VersionRecord("", None, model.names, "", model_version=model.version)
    return Version(0, datetime.now(UTC), "", (), record), model


def _faults(dataset: Dataset, store: ObjectStore, known: Sequence[str]) -> list[str]:
    """As `faults_of`; placeholders, which have no key, count, and only images are opened."""
    opened = [fault for e in dataset.examples if e.key for fault in image_faults(e, store)]
    return faults_of(dataset, known=known) + opened


def _with_replay(
    dataset: Dataset, settings: Settings, champion: Version, place: CityCameras | None = None
) -> Dataset:
    """With placeholders for the images that the baseline's registration would draw."""
    if champion.number or settings.model != BASELINE:
        return dataset
    boxes = tuple(Box(k, (0.0, 0.0, 1.0, 1.0)) for k in range(len(dataset.classes)))  # it has all
    drawn = [
        Example(f"replay {split} {k}", "", 1, 1, boxes, split, slices=(USUAL,))
        for split, count in REPLAY_SIZES.items()
        for k in range(count)
    ]
    replay = judged_by(replace(dataset, examples=tuple(drawn)), place)
    return replace(dataset, examples=(*dataset.examples, *replay.examples))
