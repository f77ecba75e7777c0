"""``streetloop train``: labels to dataset, fine-tuning, judgement, registry."""

import contextlib
import json
import logging
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.models import find_model, open_registry
from streetloop.city.shapes import CLASSES
from streetloop.errors import DatasetError, RegistryError, TrainingError
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import State, list_reviews, mark_in_dataset
from streetloop.settings import BASELINE, Settings
from streetloop.store import FolderStore, ObjectStore
from train.dataset import (
    TEST,
    TRAIN,
    VALIDATION,
    Dataset,
    Example,
    load_dataset,
    merged,
    save_dataset,
)
from train.evaluation import class_map
from train.exchange import write_yolo
from train.judge import Frame, JudgePolicy, Verdict, judge
from train.labels import USUAL, dataset_of
from train.model import ModelFile, open_model
from train.predictions import predict_examples
from train.purity import require_pure
from train.recipe import RECIPE, Progress, Training
from train.registry import CHALLENGER, CHAMPION, Papers, Registry, Version, stamp
from train.simulated import TRAIN_CAMERAS, VALIDATION_SEEDS, Split, gather_split
from train.ultralytics_adapter import publish_checkpoint

_log = logging.getLogger(__name__)

_REPLAY_A_CAMERA, _REPLAY_VALIDATION = 12, 3


@dataclass(frozen=True, slots=True)
class Request:
    """What a training is asked for.

    Attributes:
        name: Names it; the same name goes on where it was stopped.
        wanted: Slices in which the candidate must gain; empty for those of the new labels.
        trigger: What asked for it.
        recipe: Options other than the usual ones.
        workers: How many train together.
        gpu: Whether each has a GPU.
    """

    name: str = field(default_factory=lambda: f"train-{stamp()}")
    wanted: tuple[str, ...] = ()
    trigger: Mapping[str, Any] = field(default_factory=lambda: {"kind": "a person"})
    recipe: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training came to.

    Attributes:
        version: The registered candidate.
        verdict: Whether it may go on to a rollout.
        dataset: What it learned from.
    """

    version: Version
    verdict: Verdict
    dataset: Dataset

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "version": self.version.number,
            "accepted": self.verdict.accepted,
            "reasons": list(self.verdict.reasons),
            "dataset": self.dataset.digest,
            "images": len(self.dataset),
            "gains": {
                name: {"champion": round(g.champion, 4), "candidate": round(g.candidate, 4),
                       "low": round(g.low, 4), "high": round(g.high, 4), "frames": g.frames}
                for name, g in self.verdict.gains.items()
            },
        }  # fmt: skip


def champion_of(settings: Settings, say: Callable[[str], None]) -> tuple[Version, ModelFile]:
    """The champion of the registry; the model of the settings becomes it if there is none.

    Raises:
        RegistryError: The registry does not answer.
        ModelError: The model cannot be used.
    """
    registry = open_registry(settings)
    known = [version for version in registry.versions() if CHAMPION in version.aliases]
    if known:
        return known[0], find_model(CHAMPION, settings)
    model = open_model(settings.model, settings.models)
    if model.checkpoint is None:
        raise TrainingError(f"{settings.model}: an .onnx file cannot be trained; give the .pt file")
    say(f"registering {model.version} as the first champion")
    dataset = _replay_of_baseline(settings) if settings.model == BASELINE else None
    papers = Papers(
        dataset.digest if dataset else "", None, model.names, commit(),
        trigger={"kind": "first champion"}, model_version=model.version,
    )  # fmt: skip
    run_id = registry.start(model.version, {"kind": "first champion"})
    reference = model.checkpoint.with_name(model.checkpoint.stem + ".reference.npz")
    files = [model.checkpoint, *([reference] if reference.is_file() else [])]
    version = registry.register(run_id, model.onnx, papers, files)
    registry.finish(run_id)
    registry.set_alias(CHAMPION, version.number)
    return registry.find(CHAMPION), find_model(CHAMPION, settings)


def build_dataset(
    settings: Settings, ledger: Ledger, champion: Version, purpose: str
) -> tuple[Dataset, tuple[str, ...]]:
    """The dataset of all labelled frames, and what the champion was trained on, against forgetting.

    Returns:
        The dataset, saved, and the slices of the frames that are new in it.

    Raises:
        DatasetError: There are no labels.
        DatasetImpure: It is not fit to learn from.
    """
    store = FolderStore(settings.store)
    labeled = list_reviews(ledger, [State.LABELED, State.IN_DATASET])
    fresh = [review for review in labeled if review.state is State.LABELED]
    if not fresh:
        raise DatasetError("there are no new labels: `streetloop label pull` brings them home")
    new = dataset_of(labeled, champion.papers.classes, purpose)
    parts = [new]
    if champion.papers.dataset:
        parts.insert(0, load_dataset(store, champion.papers.dataset))
    dataset = merged(parts, purpose)
    require_pure(dataset, store)
    save_dataset(store, dataset)
    slices = {review.drift or USUAL for review in fresh}
    return dataset, tuple(sorted(slices - {USUAL}))


def train_model(
    settings: Settings,
    ledger: Ledger,
    request: Request,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Outcome:
    """Train, judge and register a candidate. Needs a running Ray.

    Raises:
        StreetloopError: Whatever of it failed; nothing half-made is registered.
    """
    champion, _ = champion_of(settings, say)
    dataset, slices = build_dataset(settings, ledger, champion, f"labels for {request.name}")
    outcome = learn(settings, champion, dataset, request, slices, say, progress)
    digests = [r.digest for r in list_reviews(ledger, [State.LABELED])]
    known = {example.image for example in dataset.examples}
    mark_in_dataset(ledger, [d for d in digests if d in known], dataset.digest)
    return outcome


def learn(
    settings: Settings,
    champion: Version,
    dataset: Dataset,
    request: Request,
    slices: Sequence[str],
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Outcome:
    """Fine-tune a champion on a dataset, judge the candidate and register it."""
    registry = open_registry(settings)
    recipe = {**RECIPE, **request.recipe}
    say(f"training on {len(dataset.split(TRAIN))} images, dataset {dataset.digest[:12]}")
    run_id = registry.start(request.name, {"dataset": dataset.digest, **recipe})

    def note(now: Progress) -> None:
        if now.epoch_over:
            with _unless_away():
                registry.log(run_id, now.epoch, now.numbers)
        progress(now)

    try:
        model = _train(settings, champion, dataset, request, recipe, note)
        say("judging the candidate against the champion on the same frames")
        verdict = judge_candidate(
            settings, champion, model, dataset, request.wanted or tuple(slices)
        )
        papers = Papers(
            dataset.digest, champion.number, model.names, commit(), recipe, _scores(verdict),
            request.trigger, verdict.reasons, model.version,
        )  # fmt: skip
        version = _registered(registry, run_id, model, papers, settings)
        registry.finish(run_id)
    except BaseException:
        # Also when it is stopped by hand: the run must not look as if it went on.
        with _unless_away():
            registry.finish(run_id, "FAILED")
        raise
    if verdict.accepted:
        registry.set_alias(CHALLENGER, version.number)
    return Outcome(version, verdict, dataset)


@contextlib.contextmanager
def _unless_away() -> Iterator[None]:
    """A registry that is away for a moment neither ends a training nor hides why it ended."""
    try:
        yield
    except RegistryError as error:
        _log.warning("%s", error)


def _train(
    settings: Settings,
    champion: Version,
    dataset: Dataset,
    request: Request,
    recipe: Mapping[str, Any],
    note: Callable[[Progress], None],
) -> ModelFile:
    from train.run import fine_tune  # needs Ray, whose settings are made before it is imported

    home = settings.home.absolute() / "training"
    store = FolderStore(settings.store)
    data = write_yolo(dataset, store, home / f"{request.name}-data")
    start = find_model(str(champion.number), settings)
    weights = start.onnx.with_suffix(".pt")
    if not weights.is_file():
        raise TrainingError(f"version {champion.number} has no checkpoint to start from")
    best = fine_tune(
        Training(request.name, weights, data, home, recipe, request.workers,
                 max(1, settings.threads // request.workers), request.gpu),
        note,
    )  # fmt: skip
    published = home / f"{request.name}.pt"
    publish_checkpoint(best, published, f"streetloop, {request.name}")
    return open_model(str(published), settings.models)


def judge_candidate(
    settings: Settings,
    champion: Version,
    candidate: ModelFile,
    dataset: Dataset,
    wanted: tuple[str, ...],
) -> Verdict:
    """The exported candidate against the champion on frames that neither was trained on."""
    store: ObjectStore = FolderStore(settings.store)
    examples = [e for e in dataset.examples if e.split in {VALIDATION, TEST}]
    if not examples:
        raise DatasetError("no frame is for validation or test, so nothing can be judged")
    answers = [
        predict_examples(
            model, examples, store, class_map(model.names, dataset.classes), settings.image_size
        )
        for model in (find_model(str(champion.number), settings), candidate)
    ]
    frames = [
        Frame(e.truth(), e.ignored(), ours, theirs, e.slices)
        for e, ours, theirs in zip(examples, *answers, strict=True)
    ]
    return judge(frames, JudgePolicy(wanted=wanted))


def _registered(
    registry: Registry, run_id: str, model: ModelFile, papers: Papers, settings: Settings
) -> Version:
    """A training is not lost if the registry is away: its files stay, and it says where."""
    assert model.checkpoint is not None
    try:
        return registry.register(run_id, model.onnx, papers, [model.checkpoint])
    except RegistryError as error:
        waiting = settings.home.absolute() / "training" / f"{model.checkpoint.stem}.papers.json"
        plain = {name: getattr(papers, name) for name in Papers.__dataclass_fields__}
        waiting.write_text(json.dumps({"run_id": run_id, "onnx": str(model.onnx), "papers": plain}))
        raise RegistryError(
            f"{error}; the trained model is kept: `streetloop train --register {waiting}` "
            "registers it once the registry answers"
        ) from error


def register_kept(settings: Settings, file: Path) -> Version:
    """Register a model that was trained while the registry was away.

    Raises:
        RegistryError: It is still away.
        TrainingError: The file is not what a training left.
    """
    try:
        content = json.loads(file.read_text())
        plain = content["papers"]
        papers = Papers(**{**plain, "classes": tuple(plain["classes"]),
                           "verdict": tuple(plain["verdict"])})  # fmt: skip
        onnx, run_id = Path(content["onnx"]), str(content["run_id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{file}: is not what a training left ({error!r})") from error
    weights = file.with_name(file.name.removesuffix(".papers.json") + ".pt")
    registry = open_registry(settings)
    version = registry.register(run_id, onnx, papers, [weights])
    file.unlink()
    return version


def _scores(verdict: Verdict) -> dict[str, float]:
    return {f"map50/{name}": round(gain.candidate, 4) for name, gain in verdict.gains.items()}


def _replay_of_baseline(settings: Settings) -> Dataset:
    """Pictures of day like those that the baseline was trained on, so that it does not forget."""
    store = FolderStore(settings.store)
    learned = Split("replay", TRAIN_CAMERAS, 0, _REPLAY_A_CAMERA)
    held = Split("replay-val", TRAIN_CAMERAS, VALIDATION_SEEDS, _REPLAY_VALIDATION)
    examples: list[Example] = []
    for split, part in ((learned, TRAIN), (held, VALIDATION)):
        examples += [
            replace(example, slices=(USUAL,)) for example in gather_split(split, store, part)
        ]
    dataset = Dataset(tuple(CLASSES), tuple(examples), purpose="replay of the baseline's day")
    save_dataset(store, dataset)
    return dataset


def commit() -> str:
    """The state of the code, where it is known."""
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return "unknown"
    return asked.stdout.strip() or "unknown"
