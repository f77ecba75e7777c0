"""The registry's champion; the model of the settings becomes the first one."""

import threading
from collections.abc import Callable

from streetloop.errors import TrainingError
from streetloop.settings import BASELINE, Settings
from train.baseline_replay import replay_of_baseline
from train.code_commit import code_commit
from train.model.find_model import find_model, open_registry
from train.model.model_file import ModelFile, open_model
from train.model_registry import CHAMPION, Registry, Version, VersionRecord

_registering = threading.Lock()


def ensure_champion(settings: Settings, say: Callable[[str], None]) -> tuple[Version, ModelFile]:
    """The registry's champion; registers the model of the settings as the first one if needed.

    A call during another thread's registration waits for it.

    Args:
        settings: Model, folder of models, and the registry.
        say: Called with a sentence for people when a model is registered.

    Raises:
        RegistryError: The registry does not answer.
        ModelError: The model cannot be used.
    """
    with _registering:
        registry = open_registry(settings)
        # Not one of `versions`: a champion that is hidden there must not be replaced.
        champion = registry.look_up(CHAMPION) or _register_first(settings, registry, say)
    return champion, find_model(CHAMPION, settings)


def _register_first(settings: Settings, registry: Registry, say: Callable[[str], None]) -> Version:
    model = open_model(settings.model, settings.models)
    if model.checkpoint is None:
        raise TrainingError(f"{settings.model}: an .onnx file cannot be trained; give the .pt file")
    say(f"registering {model.version} as the first champion")
    dataset = replay_of_baseline(settings) if settings.model == BASELINE else None
    record = VersionRecord(
        dataset.digest if dataset else "",
        None,
        model.names,
        code_commit(),
        trigger={"kind": "first champion"},
        model_version=model.version,
    )
    run_id = registry.start(model.version, {"kind": "first champion"})
    reference = model.checkpoint.with_name(model.checkpoint.stem + ".reference.npz")
    files = [model.checkpoint, *([reference] if reference.is_file() else [])]
    version = registry.register(run_id, model.onnx, record, files)
    registry.finish(run_id)
    registry.set_alias(CHAMPION, version.number)
    return registry.find(CHAMPION)
