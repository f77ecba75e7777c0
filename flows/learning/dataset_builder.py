"""Builds a training's dataset: new labels, and the champion's dataset for replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streetloop.errors import DatasetError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import FrameRecord, ReviewState, list_digests, list_reviews, mark_in_dataset
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import Dataset, load_dataset, merged, save_dataset
from train.data.from_labels import USUAL, dataset_of, renumbered
from train.data.validation import require_valid
from train.model.class_names import class_names
from train.model.model_file import open_model
from train.model_registry import Version

_MAX_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class TrainingMaterial:
    """The dataset of a training, and what is new in it.

    Attributes:
        dataset: All frames; saved in the object store.
        slices: Slices of the new frames, except the usual one.
        findings: The drift findings for which the new frames were labeled, as JSON.
    """

    dataset: Dataset
    slices: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]


def build_dataset(
    settings: Settings, ledger: Ledger, champion: Version, purpose: str, mapping: Mapping[str, str]
) -> TrainingMaterial:
    """Build the dataset of all labeled frames, merged with the champion's dataset for replay.

    Args:
        settings: Give the object store and the models.
        ledger: Holds the labels.
        champion: The version to fine-tune.
        purpose: What the dataset is for.
        mapping: The champion's class by class of the labels, where their names differ.

    Raises:
        DatasetError: There are no new labels, or the champion lacks one of their classes.
        DatasetInvalid: The dataset cannot be trained on or judged by.
    """
    store = open_store(settings)
    labeled = list_reviews(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET])
    if not any(frame.state is ReviewState.LABELED for frame in labeled):
        raise DatasetError("there are no new labels; `streetloop label pull` fetches them")
    names = _names_by_model(settings, labeled)
    own = renumbered(labeled, names, champion.record.classes, mapping)
    parts = [dataset_of(own, champion.record.classes, purpose)]
    used = {example.image for example in parts[0].examples}
    fresh = [r for r in labeled if r.state is ReviewState.LABELED and r.digest in used]
    if champion.record.dataset:
        parts.insert(0, load_dataset(store, champion.record.dataset))
    dataset = merged(parts, purpose)
    require_valid(dataset, store, known=champion.record.classes)
    save_dataset(store, dataset)
    slices = {frame.drift or USUAL for frame in fresh} - {USUAL}
    return TrainingMaterial(dataset, tuple(sorted(slices)), _findings(ledger, fresh))


def mark_learned(ledger: Ledger, dataset: Dataset) -> None:
    """Note that a model has learned from the labels in a dataset."""
    images = {example.image for example in dataset.examples}
    labeled = list_digests(ledger, [ReviewState.LABELED])
    mark_in_dataset(ledger, images & labeled.keys(), dataset.digest)


def _names_by_model(settings: Settings, labeled: Sequence[FrameRecord]) -> dict[str, tuple[str, ...]]:
    """Class names by model version: a label has the class ids of the model that found the frame."""
    names = class_names(settings, {frame.model_version for frame in labeled})
    if any(frame.model_version not in names for frame in labeled):
        model = open_model(settings.model, settings.models)
        names[model.version] = model.names
    return names


def _findings(ledger: Ledger, fresh: Sequence[FrameRecord]) -> tuple[dict[str, Any], ...]:
    """The findings for which the new frames were labeled."""
    asked = {(frame.camera_id, frame.drift) for frame in fresh if frame.drift}
    return tuple(
        {"id": f.id, "camera": f.camera_id, "since": f.since.isoformat(), "causes": f.causes}
        for f in list_findings(ledger)
        if f.asks_for_labels and any((f.camera_id, cause) in asked for cause in f.causes)
    )[:_MAX_FINDINGS]
