"""One training: builds a dataset of the labels, fine-tunes, judges and registers a candidate."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from flows.learning.dataset_builder import (
    held_out,
    judged_classes,
    mark_learned,
    require_new_labels,
    save_material,
)
from flows.learning.register_version import TrainedCandidate, disk_told, register_candidate
from flows.learning.training_material import material_of, start_of, with_own_boxes
from flows.learning.training_plan import Plan, TrainingRequest, read_plan, training_folder, write_plan
from streetloop.counted_classes import CountedClasses
from streetloop.errors import DatasetError, RegistryError
from streetloop.ledger import Ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections
from train.code_commit import code_commit
from train.data.dataset import TRAIN, Dataset, Example, load_dataset
from train.data.formats import write_yolo
from train.data.validation import missing_classes
from train.evaluation.joined_boxes import of_classes
from train.evaluation.judge import JudgedFrame, JudgePolicy, Verdict, judge
from train.evaluation.metrics import class_map
from train.fine_tuning.recipe import BLEND, THREADS, Progress, Training, default_recipe
from train.fine_tuning.recipe_check import refuse_bad_options
from train.first_champion import ensure_champion
from train.model.drift_reference import write_training_past
from train.model.find_model import find_model, open_registry
from train.model.model_file import ModelFile, open_model
from train.model.predictions import read_image
from train.model_registry import Version, VersionRecord
from train.ultralytics_adapter import publish_checkpoint

_log = logging.getLogger(__name__)

_MAX_REFERENCE_IMAGES = 2000  # of the drift reference


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a training.

    Attributes:
        version: The registered candidate.
        verdict: The judge's comparison with the champion.
        dataset: What the candidate was trained on and judged by.
    """

    version: Version
    verdict: Verdict
    dataset: Dataset

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": self.version.number,
            "accepted": self.verdict.accepted,
            "reasons": list(self.verdict.reasons),
            "dataset": self.dataset.digest,
            "images": len(self.dataset),
            "gains": {
                name: {key: round(value, 4) for key, value in asdict(gain).items()}
                for name, gain in self.verdict.gains.items()
            },
        }


@dataclass(frozen=True, slots=True)
class BegunTraining:
    """A training that may be accepted, and whose plan is stored.

    Attributes:
        champion: The version that it starts from.
        dataset: What it learns from and is judged by.
        request: With everything resolved.
    """

    champion: Version
    dataset: Dataset
    request: TrainingRequest


def train_model(
    settings: Settings,
    ledger: Ledger,
    request: TrainingRequest,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Outcome:
    """Train, judge and register a candidate: `begin_training`, then `finish_training`."""
    return finish_training(settings, ledger, begin_training(settings, ledger, request, say), say, progress)


def begin_training(
    settings: Settings, ledger: Ledger, request: TrainingRequest, say: Callable[[str], None]
) -> BegunTraining:
    """Gather what a training learns from, and store its plan. Needs no Ray.

    A training that was stopped is resumed by name, with the dataset of its first start.

    Raises:
        ConfigError: The name cannot be one, or a training option is unknown.
        DatasetError: There are no new labels, no such dataset, or the champion lacks a class.
        DatasetInvalid: The labels have faults, or there are too few frames to judge by.
        TrainingError: The training of that name is over.
    """
    with disk_told(settings):
        plan = read_plan(settings, request.name)
        if plan is None:
            return _begin(settings, ledger, request, say)
        champion = open_registry(settings).find(str(plan.champion))
        dataset = load_dataset(open_store(settings), plan.dataset)
        return BegunTraining(champion, dataset, plan.resumed_as(request))


def finish_training(
    settings: Settings,
    ledger: Ledger,
    begun: BegunTraining,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Outcome:
    """Train, judge and register. Needs a running Ray.

    Raises:
        StreetloopError: A step failed; nothing incomplete is registered.
    """
    with disk_told(settings):
        outcome = learn(settings, begun.champion, begun.dataset, begun.request, say, progress)
        mark_learned(ledger, begun.dataset, begun.request.mapping)
    return outcome


def _begin(
    settings: Settings, ledger: Ledger, request: TrainingRequest, say: Callable[[str], None]
) -> BegunTraining:
    """Resolve what a request leaves open, and store the plan."""
    refuse_bad_options(request.recipe)
    if request.dataset is None:
        require_new_labels(
            ledger, request.place
        )  # before a first champion is registered, which takes a while
    else:
        load_dataset(open_store(settings), request.dataset)
    champion, model = ensure_champion(settings, say)
    start = start_of(settings, model, request)
    material = with_own_boxes(
        settings, material_of(settings, ledger, champion, model, request, say), model, say
    )
    save_material(settings, material, champion, request.wanted, request.classes)
    for note in material.notes:
        say(note)
    wanted = request.wanted or material.slices
    threads = max(1, settings.threads // request.workers)  # those of the detector, shared
    trigger = {**request.trigger, "slices": list(wanted), "findings": list(material.findings)}
    if request.dataset is not None:
        trigger["dataset"] = request.dataset
    if request.classes is not None:
        trigger["classes"] = {name: list(members) for name, members in request.classes.items()}
    if request.start is not None:
        trigger["start"] = start.version
    if request.place is not None:
        trigger["city"] = request.place.city
    usual = default_recipe(replays=_replays(settings, champion))
    resolved = replace(
        request, wanted=wanted, trigger=trigger, recipe={**usual, THREADS: threads, **request.recipe}
    )
    write_plan(settings, Plan(resolved, material.dataset.digest, champion.number))
    return BegunTraining(champion, material.dataset, resolved)


def _replays(settings: Settings, champion: Version) -> bool:
    """True if the first ancestor of a champion has a dataset, which all its descendants replay."""
    known = {version.number: version for version in open_registry(settings).versions()}
    first = champion
    while first.record.parent is not None and first.record.parent in known:
        first = known[first.record.parent]
    return bool(first.record.dataset)


def learn(
    settings: Settings,
    champion: Version,
    dataset: Dataset,
    request: TrainingRequest,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Outcome:
    """Fine-tune a champion, or another start, on a dataset, judge the candidate and register it.

    During the epochs the registry may be unreachable; registering needs it again.
    """
    registry = open_registry(settings)
    ours = find_model(str(champion.number), settings)
    say(f"training on {len(dataset.split(TRAIN))} images, dataset {dataset.digest[:12]}")
    if unseen := missing_classes(dataset):
        shown = ", ".join(unseen[:5]) + (f" and {len(unseen) - 5} more" if len(unseen) > 5 else "")
        say(f"not in the labels, and so neither learned nor judged: {shown}")
    run_id = registry.start(request.name, {"dataset": dataset.digest, **request.recipe})

    def note(now: Progress) -> None:
        if now.epoch_over:
            with _unless_away():
                registry.log(run_id, now.epoch, now.numbers)
        progress(now)

    try:
        started = time.monotonic()
        model = _train(settings, start_of(settings, ours, request), dataset, request, note)
        seconds = time.monotonic() - started
        say("judging the candidate against the champion on the same frames")
        examples, answers = ask_both(settings, ours, model, dataset)
        verdict = verdict_on(dataset, answers, request)
        record = _record(champion, dataset, model, request, verdict, seconds)
        assert model.checkpoint is not None
        reference = write_reference(settings, model, dataset, examples, answers[1])
        files = (model.checkpoint, reference)
        candidate = TrainedCandidate(
            request.name, run_id, model.onnx, files, record, verdict.accepted and request.challenges
        )
        version = register_candidate(settings, candidate)
    except BaseException:
        # Also on Ctrl+C: the run must not look as if it went on.
        with _unless_away():
            registry.finish(run_id, "FAILED")
        raise
    return Outcome(version, verdict, dataset)


@contextlib.contextmanager
def _unless_away() -> Iterator[None]:
    """Log a registry that is unreachable: it neither ends a training nor hides why one ended."""
    try:
        yield
    except RegistryError as error:
        _log.warning("%s", error)


def _train(
    settings: Settings,
    start: ModelFile,
    dataset: Dataset,
    request: TrainingRequest,
    note: Callable[[Progress], None],
) -> ModelFile:
    from train.fine_tuning.ray_train import (
        fine_tune,  # needs Ray, whose settings are made before it is imported
    )

    assert start.checkpoint is not None
    home = training_folder(settings)
    data = write_yolo(dataset, open_store(settings), home / f"{request.name}-data")
    training = Training(
        request.name,
        start.checkpoint,
        data,
        home,
        request.recipe,
        request.workers,
        request.gpu,
        judged=_judged_ids(dataset, request),
    )
    best = fine_tune(training, note)
    published = home / f"{request.name}.pt"
    publish_checkpoint(
        best,
        published,
        f"streetloop, {request.name}",
        start.checkpoint,
        float(request.recipe.get(BLEND, 1.0)),
    )
    return open_model(str(published), settings.models)


def _judged_ids(dataset: Dataset, request: TrainingRequest) -> tuple[int, ...] | None:
    """Ids of the classes that are judged; None for all."""
    if request.classes is None:
        return None
    counted = CountedClasses(dataset.classes, request.classes)
    return tuple(int(k) for k in np.flatnonzero(counted.of_class >= 0))


def ask_both(
    settings: Settings, champion: ModelFile, candidate: ModelFile, dataset: Dataset
) -> tuple[list[Example], list[list[Detections]]]:
    """Run both exported models on the validation and test frames; returns frames and answers."""
    from train.model.ray_predictions import predict_on_ray  # as above

    examples = held_out(dataset)
    if not examples:
        raise DatasetError("no frame is for validation or test, so nothing can be judged")
    answers = []
    for model in (champion, candidate):
        # The judge compares what will serve, by each model's own confidences.
        exported = replace(model, checkpoint=None, thresholds={})
        classes = class_map(model.names, dataset.classes)
        answers.append(
            predict_on_ray(
                exported,
                examples,
                open_store(settings),
                classes,
                settings.image_size,
                threads=settings.threads,
            )
        )
    return examples, answers


def verdict_on(
    dataset: Dataset, answers: Sequence[Sequence[Detections]], request: TrainingRequest
) -> Verdict:
    """Compare the candidate's answers with the champion's.

    Args:
        dataset: Its held-out frames are judged.
        answers: The champion's and the candidate's of each of these frames.
        request: Says which slices must gain, and which classes count.
    """
    judged = judged_classes(dataset, request.classes)
    champion, candidate = (
        [of_classes(found, dataset.classes, request.classes) for found in one] for one in answers
    )
    frames = [
        JudgedFrame(e.truth(), e.ignored(), theirs, ours, e.slices)
        for e, theirs, ours in zip(judged.examples, champion, candidate, strict=True)
    ]
    return judge(frames, JudgePolicy(wanted=request.wanted))


def _record(
    champion: Version,
    dataset: Dataset,
    model: ModelFile,
    request: TrainingRequest,
    verdict: Verdict,
    seconds: float,
) -> VersionRecord:
    """What describes a candidate: its provenance, and both models' scores on the same frames."""
    names = judged_classes(dataset, request.classes).classes
    ours = {names[k]: round(score, 4) for k, (_, score) in verdict.classes.items()}
    theirs = {names[k]: round(score, 4) for k, (score, _) in verdict.classes.items()}
    return VersionRecord(
        dataset.digest,
        champion.number,
        model.names,
        code_commit(),
        request.recipe,
        {f"map50/{name}": round(gain.candidate, 4) for name, gain in verdict.gains.items()},
        request.trigger,
        verdict.reasons,
        model.version,
        verdict.accepted,
        {f"map50/{name}": round(gain.champion, 4) for name, gain in verdict.gains.items()},
        round(seconds, 1),
        class_scores=ours,
        champion_class_scores=theirs,
    )


def write_reference(
    settings: Settings,
    model: ModelFile,
    dataset: Dataset,
    examples: Sequence[Example],
    answers: Sequence[Detections],
) -> Path:
    """Write the drift reference of cameras without a history of their own; returns its path.

    Args:
        settings: Give the object store and the confidence threshold.
        model: The candidate.
        dataset: Its images.
        examples: The images that it was judged by.
        answers: What it found in `examples`. On training images its answers would be too good.
    """
    assert model.checkpoint is not None
    store = open_store(settings)
    found = {e.image: d for e, d in zip(examples, answers, strict=True)}
    ordered = sorted(dataset.examples, key=lambda e: e.camera_id)
    some = ordered[:: max(1, len(ordered) // _MAX_REFERENCE_IMAGES)]
    shown = [
        d.take(d.confidence >= settings.confidence) if d is not None else None
        for d in (found.get(e.image) for e in some)
    ]
    pictures = (read_image(e, store) for e in some)
    return write_training_past(pictures, model.checkpoint, shown)
