"""What a training starts from: the champion, the labels, and the older data against forgetting."""

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.class_names import class_names
from flows.models import find_model, open_registry
from flows.replay import replay_of_baseline
from streetloop.errors import DatasetError, TrainingError
from streetloop.ledger import Ledger
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import Review, State, list_reviews, mark_in_dataset
from streetloop.settings import BASELINE, Settings
from streetloop.stores import open_store
from train.dataset import Dataset, load_dataset, merged, save_dataset
from train.labels import USUAL, dataset_of, renumbered
from train.model import ModelFile, open_model
from train.purity import require_pure
from train.registry import CHAMPION, Papers, Registry, Version

_MOST_FINDINGS = 10

_registering = threading.Lock()


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be learned.

    Attributes:
        dataset: All of it, saved.
        slices: Those of the frames that are new in it, but for the usual one.
        findings: The drift that made people label them, plain values.
    """

    dataset: Dataset
    slices: tuple[str, ...]
    findings: tuple[dict[str, Any], ...]


def champion_of(settings: Settings, say: Callable[[str], None]) -> tuple[Version, ModelFile]:
    """The champion of the registry; the model of the settings becomes it if there is none.

    Who asks while another thread registers it waits for that.

    Raises:
        RegistryError: The registry does not answer.
        ModelError: The model cannot be used.
    """
    with _registering:
        registry = open_registry(settings)
        known = [version for version in registry.versions() if CHAMPION in version.aliases]
        if not known:
            known = [_register_first(settings, registry, say)]
    return known[0], find_model(CHAMPION, settings)


def _register_first(settings: Settings, registry: Registry, say: Callable[[str], None]) -> Version:
    model = open_model(settings.model, settings.models)
    if model.checkpoint is None:
        raise TrainingError(f"{settings.model}: an .onnx file cannot be trained; give the .pt file")
    say(f"registering {model.version} as the first champion")
    dataset = replay_of_baseline(settings) if settings.model == BASELINE else None
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
    return registry.find(CHAMPION)


def build_dataset(
    settings: Settings,
    ledger: Ledger,
    champion: Version,
    purpose: str,
    mapping: Mapping[str, str],
) -> Material:
    """The dataset of all labelled frames, and what the champion was trained on, against forgetting.

    Args:
        settings: As given at the roof.
        ledger: Knows the labels.
        champion: What is to be fine-tuned.
        purpose: What the dataset is for.
        mapping: Which class of the labels is which of the champion, where names do not say it.

    Raises:
        DatasetError: There are no labels, or their classes are not those of the champion.
        DatasetImpure: It is not fit to learn from.
    """
    store = open_store(settings)
    labeled = list_reviews(ledger, [State.LABELED, State.IN_DATASET])
    if not any(review.state is State.LABELED for review in labeled):
        raise DatasetError("there are no new labels: `streetloop label pull` brings them home")
    names = _names_by_model(settings, labeled)
    own = renumbered(labeled, names, champion.papers.classes, mapping)
    parts = [dataset_of(own, champion.papers.classes, purpose)]
    used = {example.image for example in parts[0].examples}
    fresh = [r for r in labeled if r.state is State.LABELED and r.digest in used]
    if champion.papers.dataset:
        parts.insert(0, load_dataset(store, champion.papers.dataset))
    dataset = merged(parts, purpose)
    require_pure(dataset, store, known=champion.papers.classes)
    save_dataset(store, dataset)
    slices = {review.drift or USUAL for review in fresh} - {USUAL}
    return Material(dataset, tuple(sorted(slices)), _findings(ledger, fresh))


def mark_learned(ledger: Ledger, dataset: Dataset) -> None:
    """Note that the labels of a dataset have been learned from."""
    known = {example.image for example in dataset.examples}
    waiting = [r.digest for r in list_reviews(ledger, [State.LABELED])]
    mark_in_dataset(ledger, [digest for digest in waiting if digest in known], dataset.digest)


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


def _names_by_model(settings: Settings, labeled: Sequence[Review]) -> dict[str, tuple[str, ...]]:
    """Class names by version stamp: a label's class ids are those of the model that asked."""
    names = class_names(settings, {review.model_version for review in labeled})
    if any(review.model_version not in names for review in labeled):
        model = open_model(settings.model, settings.models)
        names[model.version] = model.names
    return names


def _findings(ledger: Ledger, fresh: Sequence[Review]) -> tuple[dict[str, Any], ...]:
    """The drift that the new frames were asked about for."""
    asked = {(review.camera_id, review.drift) for review in fresh if review.drift}
    return tuple(
        {"id": f.id, "camera": f.camera_id, "since": f.since.isoformat(), "causes": f.causes}
        for f in list_findings(ledger)
        if f.asks_for_labels and any((f.camera_id, cause) in asked for cause in f.causes)
    )[:_MOST_FINDINGS]
