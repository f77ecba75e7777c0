"""Registers a model file of one's own, and hands versions out as files."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx
from onnx import helper

from streetloop.errors import ConfigError
from streetloop.host.files import copy_whole
from streetloop.settings import Settings
from train.code_commit import code_commit
from train.model.find_model import find_model, has_registry, open_registry
from train.model.model_file import ModelFile, open_model
from train.model_registry import ALIASES, Registry, Version, VersionRecord
from train.other_exports import export_other

_CARD = """# {stamp}

| | |
|---|---|
| file | `{file}`, sha256 `{sha}` |
| classes | {classes} |
| can be fine-tuned | {trainable} |
| measured on | {dataset} |

{scores}
"""


@dataclass(frozen=True, slots=True)
class FirstScores:
    """A first evaluation of a model.

    Attributes:
        dataset: What it was measured on, for people.
        scores: mAP50 by name, such as ``map50/all``, each in [0, 1].
        classes: mAP50 by class name.
    """

    dataset: str = "nothing yet"
    scores: Mapping[str, float] = field(default_factory=dict)
    classes: Mapping[str, float] = field(default_factory=dict)


def refuse_bad_alias(alias: str | None) -> None:
    """Refuse an alias that means nothing here.

    Raises:
        ConfigError: It is neither champion nor challenger.
    """
    if alias is not None and alias not in ALIASES:
        raise ConfigError(f"alias {alias!r}: an alias is {' or '.join(ALIASES)}")


def named_model(file: str, classes: Sequence[str] | None, settings: Settings, folder: Path) -> ModelFile:
    """Open a model file, with other class names if they are given.

    Args:
        file: A ``.pt`` or ``.onnx`` file.
        classes: Names by class id; None keeps those of the file.
        settings: Folder of models.
        folder: Receives a copy that bears other names.

    Raises:
        ConfigError: There are more or fewer names than classes, or a name is there twice.
        ModelError: The file cannot be used.
    """
    model = open_model(file, settings.models)
    if classes is None or tuple(classes) == model.names:
        return model
    if len(classes) != len(model.names) or len(set(classes)) < len(classes):
        raise ConfigError(f"--classes: {file} has {len(model.names)} classes; give each a name of its own")
    content = onnx.load(str(model.onnx))
    meta = {one.key: one.value for one in content.metadata_props}
    helper.set_model_props(content, {**meta, "names": repr(dict(enumerate(classes)))})
    renamed = folder / model.onnx.name
    onnx.save(content, renamed)
    return replace(model, onnx=renamed, contract=replace(model.contract, names=tuple(classes)))


def register_file(settings: Settings, file: str, model: ModelFile, first: FirstScores) -> Version:
    """Register a model file as a version; one that is registered already is found again.

    Args:
        settings: The registry.
        file: The path as the user gave it, for the card.
        model: From `named_model`.
        first: Its first evaluation.

    Raises:
        RegistryError: The registry does not answer.
    """
    registry = open_registry(settings)
    if has_registry(settings) and (known := _known(registry, model)) is not None:
        return known
    record = VersionRecord(
        "",
        None,
        model.names,
        code_commit(),
        scores=first.scores,
        trigger={"kind": "registered by hand", "file": Path(file).name},
        model_version=model.version,
        class_scores=first.classes,
    )
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card.md"
        card.write_text(_card(file, model, first))
        files = [card, *([model.checkpoint] if model.checkpoint else [])]
        run_id = registry.start(model.version, {"kind": "registered by hand"})
        version = registry.register(run_id, model.onnx, record, files)
    registry.finish(run_id)
    return version


def _known(registry: Registry, model: ModelFile) -> Version | None:
    """The version that was registered from the same file with the same names."""
    for version in registry.versions():
        if (version.record.model_version, version.record.classes) == (model.version, model.names):
            return version
    return None


def _card(file: str, model: ModelFile, first: FirstScores) -> str:
    source = model.checkpoint or model.onnx
    return _CARD.format(
        stamp=model.version,
        file=Path(file).name,
        sha=hashlib.sha256(source.read_bytes()).hexdigest(),
        classes=", ".join(model.names),
        trainable="yes" if model.checkpoint else "no: it has no .pt checkpoint",
        dataset=first.dataset,
        scores="\n".join(f"- {name}: {score:.4f}" for name, score in first.scores.items()),
    )


def export_version(settings: Settings, version: str, target: Path, kind: str | None = None) -> str:
    """Write a version as a file, or a folder where the format is one.

    Args:
        settings: The registry.
        version: Number or alias.
        target: Where; without ``kind`` it ends in ``.onnx`` for the model that serves, or ``.pt``
            for the checkpoint.
        kind: A format of `yolo export`; None for what the name ends in.

    Returns:
        A remark about it, empty if there is nothing to say.

    Raises:
        ConfigError: It ends otherwise, is there, cannot be written, or the version has no
            checkpoint.
        RegistryError: There is no such version.
        ModelUnsupported: The version cannot be exported so.
    """
    if kind not in {None, "onnx"}:
        return _export_other(settings, version, target, str(kind))
    if target.suffix not in ({".onnx", ".pt"} if kind is None else {".onnx"}):
        raise ConfigError(f"{target}: give a name that ends in .onnx or .pt, or --format")
    model = find_model(version, settings)
    source = model.onnx if target.suffix == ".onnx" else model.checkpoint
    if source is None:
        raise ConfigError(f"version {version} has no .pt checkpoint; export it as .onnx")
    try:
        copy_whole(source, target)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from error
    return ""


def _export_other(settings: Settings, version: str, target: Path, kind: str) -> str:
    if target.exists():
        raise ConfigError(f"{target}: is there already")
    model = find_model(version, settings)
    if model.checkpoint is None:
        raise ConfigError(f"version {version} has no .pt checkpoint; export it as .onnx")
    try:
        checked = export_other(model.checkpoint, kind, target, settings.image_size)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from error
    return "" if checked else f"unchecked: nothing here runs {kind}"
