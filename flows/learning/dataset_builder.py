"""Builds a training's dataset: new labels, and the champion's dataset for replay."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flows.learning.training_plan import CityCameras
from streetloop.counted_classes import ClassGroups
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
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example, load_dataset, merged, save_dataset
from train.data.from_labels import USUAL, dataset_of, mended, relabeled, renumbered, separated
from train.data.joined_classes import join_classes
from train.data.mending import Notes
from train.data.other_classes import of_people
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


def save_material(
    settings: Settings,
    material: TrainingMaterial,
    champion: Version,
    wanted: tuple[str, ...] = (),
    groups: ClassGroups | None = None,
) -> None:
    """Refuse a training's material if nothing good can come of it, else save its dataset.

    Args:
        settings: Give the object store.
        material: What the training would learn from and be judged by.
        champion: The version to fine-tune.
        wanted: Slices in which the candidate must gain; empty for those of the material.
        groups: Classes that are judged, see `judged_classes`; None for all.

    Raises:
        TooFewToJudge: There are too few frames to judge by.
        DatasetInvalid: The dataset has faults.
    """
    store = open_store(settings)
    require_valid(material.dataset, store, known=champion.record.classes)
    gaps = gaps_to_judge(material, wanted, groups)
    if gaps:
        raise TooFewToJudge(f"the training could not be accepted: {'; '.join(gaps)}; {_HINT}", gaps)
    save_dataset(store, material.dataset)


def gaps_to_judge(
    material: TrainingMaterial, wanted: tuple[str, ...] = (), groups: ClassGroups | None = None
) -> list[str]:
    """What the judge lacks to accept any candidate, one sentence each."""
    judged = judged_classes(material.dataset, groups)
    return _gaps(judged, wanted or material.slices)


def judged_classes(dataset: Dataset, groups: ClassGroups | None) -> Dataset:
    """The frames to judge by, with the classes that are judged.

    Args:
        dataset: A training's dataset.
        groups: Names that are judged, each with the classes that it stands for; None for all.

    Raises:
        DatasetError: The dataset lacks a class.
    """
    return join_classes(replace(dataset, examples=tuple(held_out(dataset))), groups).dataset


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


def require_new_labels(ledger: Ledger, place: CityCameras | None = None) -> None:
    """Refuse a training without labels that no dataset has.

    Args:
        ledger: Holds the labels.
        place: The city whose cameras count; None for all cameras.

    Raises:
        DatasetError: There are none.
    """
    if not count_labeled(ledger, cameras=None if place is None else place.cameras):
        where = "" if place is None else f" of {place.city}'s {len(place.cameras)} cameras"
        raise DatasetError(f"there are no new labels{where}{_where_labels_are(count_doubted(ledger))}")


def gather_material(
    settings: Settings,
    ledger: Ledger,
    champion: Version,
    purpose: str,
    mapping: Mapping[str, str],
    place: CityCameras | None = None,
) -> TrainingMaterial:
    """Gather all labeled frames, and the champion's dataset for replay; changes nothing.

    Every frame has its newest label. Labels in doubt are left out, also of the champion's dataset.

    Args:
        settings: Give the object store and the models.
        ledger: Holds the labels.
        champion: The version to fine-tune.
        purpose: What the dataset is for.
        mapping: The champion's class by class of the labels, where their names differ.
        place: The city whose labels alone are taken; None for all.

    Raises:
        DatasetError: There are no new labels, or the champion lacks one of their classes.
    """
    store = open_store(settings)
    require_new_labels(ledger, place)
    labeled, notes = list_labeled(ledger), Notes()
    if place is not None:
        labeled = [frame for frame in labeled if frame.camera_id in place.cameras]
    own = mended(renumbered(labeled, champion.record.classes, mapping), notes)
    parts = [dataset_of(own, champion.record.classes, purpose)]
    if champion.record.dataset:
        parts.insert(0, judged_by(load_dataset(store, champion.record.dataset), place))
        _note_relabeled(parts[0], parts[1], notes)
    dataset = separated(relabeled(merged(parts, purpose), own, list_unreliable(ledger)))
    used = {example.image for example in dataset.examples}
    fresh = [r for r in labeled if r.state is ReviewState.LABELED and r.digest in used]
    slices = slices_to_gain([frame.drift or USUAL for frame in fresh], dataset)
    return TrainingMaterial(dataset, slices, _findings(ledger, fresh), notes.sentences())


def judged_by(dataset: Dataset, place: CityCameras | None) -> Dataset:
    """A dataset without the frames to judge by of other cameras than the city's.

    A model of one city serves there alone, so it is judged there alone. It still learns from all
    training frames, against forgetting.

    Args:
        dataset: The champion's dataset.
        place: The city; None leaves all frames.
    """
    if place is None:
        return dataset
    kept = (e for e in dataset.examples if e.split == TRAIN or e.camera_id in place.cameras)
    return replace(dataset, examples=tuple(kept))


def _note_relabeled(old: Dataset, new: Dataset, notes: Notes) -> None:
    """Note images of both datasets whose labels differ; the new ones count."""
    before = {example.image: of_people(example) for example in old.examples}
    for example in new.examples:
        if before.get(example.image, of_people(example)) != of_people(example):
            notes.add(
                "frames with newer labels than in the champion's dataset", f"image {example.image[:12]}"
            )


def mark_learned(ledger: Ledger, dataset: Dataset, mapping: Mapping[str, str] = {}) -> None:
    """Note that a model has learned from the labels in a dataset.

    A label that was changed since the dataset was built remains new.

    Args:
        ledger: Holds the labels.
        dataset: What the model has learned from.
        mapping: As the training got it.
    """
    examples = {example.image: example for example in dataset.examples}
    found = [frame for frame in find_reviews(ledger, examples) if frame.state is ReviewState.LABELED]
    trusted = [frame for frame in found if frame.doubt is None and frame.classes]
    learned = mended(renumbered(trusted, dataset.classes, mapping), Notes())
    same = [f.digest for f in learned if _is_label_of(f, examples[f.digest])]
    mark_in_dataset(ledger, same, dataset.digest)


def _is_label_of(frame: FrameRecord, example: Example) -> bool:
    """True if an example has a frame's label; boxes that a model added to it do not count."""
    return of_people(replace(example, boxes=frame.label or ())) == of_people(example)


def _where_labels_are(doubted: int) -> str:
    if not doubted:
        return "; `streetloop label pull` fetches them"
    return f"; {doubted} are in doubt: see `streetloop label status --suspect`"


def _findings(ledger: Ledger, fresh: Sequence[FrameRecord]) -> tuple[dict[str, Any], ...]:
    """The findings for which the new frames were labeled."""
    asked = {(frame.camera_id, frame.drift) for frame in fresh if frame.drift}
    return tuple(
        {"id": f.id, "camera": f.camera_id, "since": f.since.isoformat(), "causes": f.cause_names}
        for f in list_findings(ledger)
        if f.asks_for_labels and any((f.camera_id, cause) in asked for cause in f.cause_names)
    )[:_MAX_FINDINGS]
