"""Registers a trained candidate, now or once the registry answers again."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.learning.dataset_builder import mark_learned
from flows.learning.training_plan import finish_plan, read_plan, training_folder
from streetloop.errors import RegistryError, TrainingError
from streetloop.ledger import Ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import load_dataset
from train.model.find_model import open_registry
from train.model_registry import CHALLENGER, Version, VersionRecord

_KEPT_SUFFIX = ".papers.json"


@dataclass(frozen=True, slots=True)
class TrainedCandidate:
    """A trained and judged model.

    Attributes:
        name: Of the training.
        run_id: Of the training in MLflow.
        onnx: The exported model.
        files: Checkpoint and drift reference.
        record: Its provenance and scores.
        accepted: Whether it becomes the challenger.
    """

    name: str
    run_id: str
    onnx: Path
    files: tuple[Path, ...]
    record: VersionRecord
    accepted: bool


def register_candidate(settings: Settings, candidate: TrainedCandidate) -> Version:
    """Register a candidate.

    Raises:
        RegistryError: The registry cannot be reached. The candidate is kept in a file, and the
            message names the command that registers it later.
    """
    try:
        return _register(settings, candidate)
    except RegistryError as error:
        waiting = training_folder(settings) / f"{candidate.name}{_KEPT_SUFFIX}"
        waiting.write_text(json.dumps(_plain(candidate)))
        raise RegistryError(
            f"{error}; the trained model is kept: `streetloop train --register {waiting}` "
            "registers it once the registry answers"
        ) from error


def register_kept(settings: Settings, ledger: Ledger, file: Path) -> Version:
    """Register a candidate that `register_candidate` has kept in a file.

    Raises:
        RegistryError: The registry still cannot be reached.
        TrainingError: The file is not a kept candidate, or it was registered meanwhile.
    """
    try:
        candidate = _candidate(json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{file}: is not what a training left ({error!r})") from error
    plan = read_plan(settings, candidate.name)  # raises if it is over
    with disk_told(settings):
        version = _register(settings, candidate)
    dataset = load_dataset(open_store(settings), candidate.record.dataset)
    mark_learned(ledger, dataset, {} if plan is None else plan.request.mapping)
    file.unlink()
    return version


@contextlib.contextmanager
def disk_told(settings: Settings) -> Iterator[None]:
    """Turn a full or read-only disk into a `TrainingError` that names the path."""
    try:
        yield
    except OSError as error:
        where = error.filename or settings.home.absolute()
        raise TrainingError(f"{where}: cannot be written: {error.strerror or error}") from error


def _register(settings: Settings, candidate: TrainedCandidate) -> Version:
    registry = open_registry(settings)
    version = registry.register(candidate.run_id, candidate.onnx, candidate.record, candidate.files)
    if candidate.accepted:
        registry.set_alias(CHALLENGER, version.number)
    registry.finish(candidate.run_id)
    finish_plan(settings, candidate.name, version.number)
    return registry.find(str(version.number))


def _plain(candidate: TrainedCandidate) -> dict[str, Any]:
    content = asdict(candidate)
    content["papers"] = content.pop("record")  # the key that files on disk have
    return {**content, "onnx": str(candidate.onnx), "files": [str(path) for path in candidate.files]}


def _candidate(content: dict[str, Any]) -> TrainedCandidate:
    plain = content["papers"]
    lists = {key: tuple(plain[key]) for key in ("classes", "verdict")}
    return TrainedCandidate(
        content["name"],
        content["run_id"],
        Path(content["onnx"]),
        tuple(Path(path) for path in content["files"]),
        VersionRecord(**{**plain, **lists}),
        bool(content["accepted"]),
    )
