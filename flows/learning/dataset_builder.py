"""Builds a training's dataset: new labels, and the champion's dataset for replay."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streetloop.errors import DatasetError, TooFewToJudge
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.review_moves import mark_in_dataset
from streetloop.ledger.reviews import (
    FrameRecord,
    ReviewState,
    count_doubted,
    count_labeled,
    find_reviews,
    list_labeled,
    list_unreliable,
)
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import TEST, VALIDATION, Dataset, Example, load_dataset, merged, save_dataset
from train.data.from_labels import USUAL, dataset_of, mended, relabeled, renumbered, separated
from train.data.mending import Notes
from train.data.validation import require_valid
from train.evaluation.judge import JudgePolicy, judging_gaps
from train.model_registry import Version

_MAX_FINDINGS = 10
_HINT = "label more frames: of each camera a fifth is held back to judge by"


@dataclass(frozen=True, slots=True)
class TrainingMaterial:
    """The dataset of a training, and what is new in it.

    Attributes:
        dataset: All frames; saved in the object store.
        slices: Slices in which a candidate must gain, as `slices_to_gain` chooses them.
        findings: The drift findings for which the new frames were labeled, as JSON.
        notes: What was mended in the labels, one sentence each.
    """

    dataset: Dataset
    slices: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


def build_dataset(
    settings: Settings,
    ledger: Ledger,
    champion: Version,
    purpose: str,
    mapping: Mapping[str, str],
    wanted: tuple[str, ...] = (),
) -> TrainingMaterial:
    """Gather a training's material, refuse it if nothing good can come of it, and save the dataset.

    Args:
        settings: As of `gather_material`.
        ledger: As of `gather_material`.
        champion: As of `gather_material`.
        purpose: As of `gather_material`.
        mapping: As of `gather_material`.
        wanted: Slices in which the candidate must gain; empty for `slices_to_gain`.

    Raises:
        DatasetError: As of `gather_material`.
        TooFewToJudge: There are too few frames to judge by.
        DatasetInvalid: The dataset has faults.
    """
    material = gather_material(settings, ledger, champion, purpose, mapping)
    store = open_store(settings)
    require_valid(material.dataset, store, known=champion.record.classes)
    gaps = gaps_to_judge(material, wanted)
    if gaps:
        raise TooFewToJudge(f"the training could not be accepted: {'; '.join(gaps)}; {_HINT}", gaps)
    save_dataset(store, material.dataset)
    return material


def gaps_to_judge(material: TrainingMaterial, wanted: tuple[str, ...] = ()) -> list[str]:
    """What the judge lacks to accept any candidate, one sentence each."""
    return _gaps(material.dataset, wanted or material.slices)


def slices_to_gain(drifts: Sequence[str], dataset: Dataset) -> tuple[str, ...]:
    """The slices of new frames in which a candidate must gain: those with enough judge frames.

    Few frames with another cause so block no training. If no slice has enough, it is the one with
    most new frames, of which more labels are then asked for.

    Args:
        drifts: The slice of each new frame.
        dataset: What a training would learn from and be judged by.
    """
    counts = Counter(drift for drift in drifts if drift != USUAL)
    judged = [name for name in sorted(counts) if not _gaps(dataset, (name,))]
    return tuple(judged or sorted(counts, key=lambda name: (-counts[name], name))[:1])


def _gaps(dataset: Dataset, wanted: tuple[str, ...]) -> list[str]:
    return judging_gaps([(e.slices, len(e.truth())) for e in held_out(dataset)], JudgePolicy(wanted=wanted))


def held_out(dataset: Dataset) -> list[Example]:
    """The frames to judge by: validation and test."""
    return [e for e in dataset.examples if e.split in {VALIDATION, TEST}]


def require_new_labels(ledger: Ledger) -> None:
    """Refuse a training without labels that no dataset has.

    Raises:
        DatasetError: There are none.
    """
    if not count_labeled(ledger, False):
        raise DatasetError(_nothing_new(count_doubted(ledger)))


def gather_material(
    settings: Settings, ledger: Ledger, champion: Version, purpose: str, mapping: Mapping[str, str]
) -> TrainingMaterial:
    """Gather all labeled frames, and the champion's dataset for replay; changes nothing.

    Every frame has its newest label. Labels in doubt are left out, also of the champion's dataset.

    Args:
        settings: Give the object store and the models.
        ledger: Holds the labels.
        champion: The version to fine-tune.
        purpose: What the dataset is for.
        mapping: The champion's class by class of the labels, where their names differ.

    Raises:
        DatasetError: There are no new labels, or the champion lacks one of their classes.
    """
    store = open_store(settings)
    require_new_labels(ledger)
    labeled, notes = list_labeled(ledger), Notes()
    own = mended(renumbered(labeled, champion.record.classes, mapping), notes)
    parts = [dataset_of(own, champion.record.classes, purpose)]
    if champion.record.dataset:
        parts.insert(0, load_dataset(store, champion.record.dataset))
        _note_relabeled(parts[0], parts[1], notes)
    dataset = separated(relabeled(merged(parts, purpose), own, list_unreliable(ledger)))
    used = {example.image for example in dataset.examples}
    fresh = [r for r in labeled if r.state is ReviewState.LABELED and r.digest in used]
    slices = slices_to_gain([frame.drift or USUAL for frame in fresh], dataset)
    return TrainingMaterial(dataset, slices, _findings(ledger, fresh), notes.sentences())


def _note_relabeled(old: Dataset, new: Dataset, notes: Notes) -> None:
    """Note images of both datasets whose labels differ; the new ones count."""
    before = {example.image: example.boxes for example in old.examples}
    for example in new.examples:
        if before.get(example.image, example.boxes) != example.boxes:
            notes.add(
                "frames with newer labels than in the champion's dataset", f"image {example.image[:12]}"
            )


def mark_learned(ledger: Ledger, dataset: Dataset, mapping: Mapping[str, str] = {}) -> None:
    """Note that a model has learned from the labels in a dataset.

    A label that was changed since the dataset was built remains new.

    Args:
        ledger: Holds the labels.
        dataset: What the model has learned from.
        mapping: As `build_dataset` got it.
    """
    boxes = {example.image: example.boxes for example in dataset.examples}
    found = [frame for frame in find_reviews(ledger, boxes) if frame.state is ReviewState.LABELED]
    trusted = [frame for frame in found if frame.doubt is None and frame.classes]
    learned = mended(renumbered(trusted, dataset.classes, mapping), Notes())
    mark_in_dataset(ledger, [f.digest for f in learned if f.label == boxes[f.digest]], dataset.digest)


def _nothing_new(doubted: int) -> str:
    if not doubted:
        return "there are no new labels; `streetloop label pull` fetches them"
    return f"there are no new labels; {doubted} are in doubt: see `streetloop label status --suspect`"


def _findings(ledger: Ledger, fresh: Sequence[FrameRecord]) -> tuple[dict[str, Any], ...]:
    """The findings for which the new frames were labeled."""
    asked = {(frame.camera_id, frame.drift) for frame in fresh if frame.drift}
    return tuple(
        {"id": f.id, "camera": f.camera_id, "since": f.since.isoformat(), "causes": f.cause_names}
        for f in list_findings(ledger)
        if f.asks_for_labels and any((f.camera_id, cause) in asked for cause in f.cause_names)
    )[:_MAX_FINDINGS]
