"""Class names of the models that the registry knows, by the stamp of their detections."""

import logging
from collections.abc import Collection, Sequence

from labeling.older_frames import OlderFrames
from streetloop.city.render.shapes import CLASSES
from streetloop.errors import ModelError, RegistryError
from streetloop.ledger import Ledger
from streetloop.settings import Settings
from train.model.find_model import find_model, has_registry, open_registry
from train.model.model_file import ModelFile, version_of

_log = logging.getLogger(__name__)


def class_names(settings: Settings, versions: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Class names by model version, as far as the registry knows them.

    A version of the registry has several stamps: that of the file it was registered from, which
    its record names, and those of the ONNX file and of the checkpoint that the registry hands out,
    which name the version. A detector stamps its answers with the checkpoint's if there is one.

    Args:
        settings: Where the registry is.
        versions: Model versions that are asked about; other ones may be in the answer, too.

    Raises:
        RegistryError: The registry does not answer.
    """
    if not versions or not has_registry(settings):
        return {}
    registry = open_registry(settings)
    found: dict[str, tuple[str, ...]] = {}
    for version in registry.versions():
        if version.record.model_version:
            found[version.record.model_version] = version.record.classes
        handed_out = f"{registry.name}-{version.number}-"
        if not any(name.startswith(handed_out) for name in versions):
            continue
        try:
            # Any file may bear that name: the hash in the stamp is the proof.
            model = find_model(str(version.number), settings)
        except (ModelError, RegistryError) as error:
            _log.warning("the classes of version %d are not known: %s", version.number, error)
        else:
            found[model.version] = model.names
            if model.checkpoint is not None:
                found[version_of(model.checkpoint)] = model.names
    return found


def older_frames(
    settings: Settings, ledger: Ledger, models: Sequence[ModelFile], asked_with: Sequence[str] | None
) -> OlderFrames:
    """Names the classes of frames of older versions, by open models and the registry.

    Args:
        settings: Where the registry is.
        ledger: Holds the frames.
        models: Models that are open.
        asked_with: See `OlderFrames`.
    """
    known = {model.version: model.names for model in models}

    def find(versions: Collection[str]) -> dict[str, tuple[str, ...]]:
        unknown = set(versions) - known.keys()
        return class_names(settings, unknown) | known

    return OlderFrames(ledger, find, asked_with, CLASSES)
