"""Finds a model by name: a file, a published checkpoint, or a version of the registry."""

from dataclasses import replace

from streetloop.settings import Settings
from streetloop.sqlite_url import sqlite_path
from train.model.model_file import ModelFile, open_model
from train.model_registry import ALIASES, CHAMPION, Registry


def open_registry(settings: Settings) -> Registry:
    """Open the registry that the settings name.

    Raises:
        RegistryError: It cannot be opened.
    """
    return Registry(settings.tracking, settings.home.absolute() / "mlflow", settings.registry_name)


def find_model(name: str, settings: Settings) -> ModelFile:
    """Find a model by name.

    Args:
        name: A path, a ``file://`` URI, a published name, ``baseline``, a version of the registry
            such as ``3``, or one of its aliases.
        settings: Folder of models, and the registry.

    Raises:
        ModelError: It cannot be found or used.
        RegistryError: The registry does not know it.
    """
    if name.isdecimal() or name in ALIASES or name.startswith(f"{CHAMPION}-"):
        path = open_registry(settings).download(name, settings.models / "registry")
        model = open_model(str(path), settings.models)
        checkpoint = path.with_suffix(".pt")
        return replace(model, checkpoint=checkpoint if checkpoint.is_file() else None)
    return open_model(name, settings.models)


def has_registry(settings: Settings) -> bool:
    """False if nothing was ever registered; answers without MLflow, whose import takes seconds."""
    local = sqlite_path(settings.tracking)
    return local is None or local.is_file()
