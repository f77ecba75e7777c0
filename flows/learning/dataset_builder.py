"""What a training starts from: the champion, the labels, and the older data against forgetting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streetloop.errors import DatasetError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import FrameRecord, ReviewState, list_reviews, mark_in_dataset
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import Dataset, load_dataset, merged, save_dataset
from train.data.from_labels import USUAL, dataset_of, renumbered
from train.data.validation import require_valid
from train.model.class_names import class_names
from train.model.model_file import open_model
from train.model_registry import Version

_MOST_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class TrainingMaterial:
    """What is to be learned.

    Attributes:
        dataset: All of it, saved.
        slices: Those of the frames that are new in it, but for the usual one.
        findings: The drift that made people label them, plain values.
    """

    dataset: Dataset
    slices: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]


def build_dataset(
    settings: Settings, ledger: Ledger, champion: Version, purpose: str, mapping: Mapping[str, str]
) -> TrainingMaterial:
    """The dataset of all labelled frames, and what the champion was trained on, against forgetting.

    Args:
        settings: As given at the roof.
        ledger: Knows the labels.
        champion: What is to be fine-tuned.
        purpose: What the dataset is for.
        mapping: Which class of the labels is which of the champion, where names do not say it.

    Raises:
        DatasetError: There are no labels, or their classes are not those of the champion.
        DatasetInvalid: It is not fit to learn from.
    """
    store = open_store(settings)
    labeled = list_reviews(ledger, [ReviewState.LABELED, ReviewState.IN_DATASET])
    if not any(review.state is ReviewState.LABELED for review in labeled):
        raise DatasetError("there are no new labels: `streetloop label pull` brings them home")
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
    slices = {review.drift or USUAL for review in fresh} - {USUAL}
    return TrainingMaterial(dataset, tuple(sorted(slices)), _findings(ledger, fresh))


def mark_learned(ledger: Ledger, dataset: Dataset) -> None:
    """Note that the labels of a dataset have been learned from."""
    known = {example.image for example in dataset.examples}
    waiting = [r.digest for r in list_reviews(ledger, [ReviewState.LABELED])]
    mark_in_dataset(ledger, [digest for digest in waiting if digest in known], dataset.digest)


def _names_by_model(settings: Settings, labeled: Sequence[FrameRecord]) -> dict[str, tuple[str, ...]]:
    """Class names by version stamp: a label's class ids are those of the model that asked."""
    names = class_names(settings, {review.model_version for review in labeled})
    if any(review.model_version not in names for review in labeled):
        model = open_model(settings.model, settings.models)
        names[model.version] = model.names
    return names


def _findings(ledger: Ledger, fresh: Sequence[FrameRecord]) -> tuple[dict[str, Any], ...]:
    """The drift that the new frames were asked about for."""
    asked = {(review.camera_id, review.drift) for review in fresh if review.drift}
    return tuple(
        {"id": f.id, "camera": f.camera_id, "since": f.since.isoformat(), "causes": f.causes}
        for f in list_findings(ledger)
        if f.asks_for_labels and any((f.camera_id, cause) in asked for cause in f.causes)
    )[:_MOST_FINDINGS]
