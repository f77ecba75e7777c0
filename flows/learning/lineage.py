"""Lineage of a model version."""

from collections import Counter
from typing import Any

from streetloop.errors import DatasetError
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from train.data.dataset import load_dataset
from train.model.find_model import open_registry
from train.model_registry import Version


def lineage(settings: Settings, name: str) -> list[dict[str, Any]]:
    """A version and its ancestors, newest first, with dataset, cameras, labelers and trigger.

    Raises:
        RegistryError: There is no such version.
    """
    registry = open_registry(settings)
    chain = []
    version: Version | None = registry.find(name)
    while version is not None:
        chain.append(_one(settings, version))
        parent = version.record.parent
        version = None if parent is None else registry.find(str(parent))
    return chain


def _one(settings: Settings, version: Version) -> dict[str, Any]:
    record = version.record
    found: dict[str, Any] = {
        "version": version.number,
        "aliases": list(version.aliases),
        "made_at": version.made_at.isoformat(),
        "parent": record.parent,
        "model_version": record.model_version,
        "commit": record.commit,
        "trigger": dict(record.trigger),
        "verdict": list(record.verdict),
        "scores": dict(record.scores),
        "dataset": None,
    }
    if record.dataset:
        found["dataset"] = _dataset(settings, record.dataset)
    return found


def _dataset(settings: Settings, digest: str) -> dict[str, Any]:
    try:
        dataset = load_dataset(open_store(settings), digest)
    except DatasetError as error:
        return {"digest": digest, "problem": str(error)}
    examples = dataset.examples
    return {
        "digest": digest,
        "purpose": dataset.purpose,
        "parents": list(dataset.parents),
        "images": len(examples),
        "splits": dict(Counter(e.split for e in examples)),
        "cameras": dict(Counter(e.camera_id for e in examples)),
        "labelers": dict(Counter(e.labeler for e in examples)),
        "reasons": dict(Counter(e.reason for e in examples)),
        "slices": dict(Counter(name for e in examples for name in e.slices)),
    }
