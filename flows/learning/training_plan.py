"""What a training was asked for, stored so that the same name resumes the same training."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streetloop.counted_classes import ClassGroups
from streetloop.errors import ConfigError, TrainingError
from streetloop.host.files import write_whole
from streetloop.settings import Settings

_SUFFIX = ".plan.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class CityCameras:
    """A city that learns by itself.

    Attributes:
        city: Its name, as cameras have it.
        cameras: Ids of its cameras: the training learns from their labels, and is judged by them.
    """

    city: str
    cameras: frozenset[str]


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What a training is asked for.

    Attributes:
        name: Identifies it; a training of the same name is resumed where it stopped.
        wanted: Slices in which the candidate must gain; empty for those of the new labels.
        trigger: What asked for it.
        recipe: Training options other than the default ones.
        workers: Number of training workers.
        gpu: Whether each worker has a GPU.
        mapping: The champion's class by class of the labels, where their names differ.
        challenges: Whether an accepted candidate becomes the challenger.
        dataset: Digest of the dataset to learn from; None for the labels of the queue.
        start: Model file to start from, such as a larger one; None for the champion.
        classes: Names that are judged, each with the classes that it stands for; None for all.
        place: The city that learns by itself; None for all cameras together.
    """

    name: str
    wanted: tuple[str, ...] = ()
    trigger: Mapping[str, Any] = field(default_factory=lambda: {"kind": "a person"})
    recipe: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    gpu: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    challenges: bool = True
    dataset: str | None = None
    start: str | None = None
    classes: ClassGroups | None = None
    place: CityCameras | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that has begun, as it is stored.

    Attributes:
        request: What was asked for, with all slices and options resolved. How many workers it has,
            whether they have GPUs and what becomes of the candidate is asked for anew when it is
            resumed; the rest is stored.
        dataset: Digest of the dataset that it learns from.
        champion: Version that it starts from.
        version: The version that it became; None while it is not over.
    """

    request: TrainingRequest
    dataset: str
    champion: int
    version: int | None = None

    def resumed_as(self, request: TrainingRequest) -> TrainingRequest:
        """A new request for the same training: what is stored of the first stays as it was."""
        begun = self.request
        return replace(
            request,
            wanted=begun.wanted,
            trigger=begun.trigger,
            recipe=begun.recipe,
            mapping=begun.mapping or request.mapping,  # plans of older versions have none
            start=begun.start,
            classes=begun.classes,
        )


def training_folder(settings: Settings) -> Path:
    """The folder of all trainings."""
    return settings.home.absolute() / "training"


def read_plan(settings: Settings, name: str) -> Plan | None:
    """The plan of a training; None if none of that name has begun.

    Raises:
        ConfigError: The name cannot be a file name.
        TrainingError: The plan is damaged, or the training is over.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"training {name[:70]!r}: a name is letters, digits, '.', '_' and '-'")
    path = _path(settings, name)
    if not path.is_file():
        return None
    plan = _read(path, name)
    if plan.version is not None:
        raise TrainingError(f"training {name} is over: it became version {plan.version}")
    return plan


def finished_version(settings: Settings, name: str) -> int | None:
    """The version that a training became; None if it is not over."""
    path = _path(settings, name)
    return _read(path, name).version if path.is_file() else None


def used_datasets(settings: Settings) -> set[str]:
    """Digests of the datasets of all trainings, also of stopped ones.

    Raises:
        TrainingError: A plan is damaged.
    """
    plans = training_folder(settings).glob(f"*{_SUFFIX}")
    return {_read(path, path.name.removesuffix(_SUFFIX)).dataset for path in plans}


def write_plan(settings: Settings, plan: Plan) -> None:
    """Write a plan, whole or not at all."""
    request = plan.request
    content = {
        "dataset": plan.dataset,
        "champion": plan.champion,
        "wanted": request.wanted,
        "trigger": request.trigger,
        "recipe": request.recipe,
        "mapping": dict(request.mapping),
        "start": request.start,
        "classes": request.classes,
        "version": plan.version,
    }
    write_whole(_path(settings, request.name), json.dumps(content))


def finish_plan(settings: Settings, name: str, version: int) -> None:
    """Note the version that a training became, if the training has a plan."""
    plan = read_plan(settings, name)
    if plan is not None:
        write_plan(settings, replace(plan, version=version))


def _read(path: Path, name: str) -> Plan:
    try:
        content = json.loads(path.read_text())
        wanted = tuple(content["wanted"])
        mapping = content.get("mapping", {})
        request = TrainingRequest(
            name,
            wanted,
            content["trigger"],
            content["recipe"],
            mapping=mapping,
            start=content.get("start"),
            classes=content.get("classes"),
        )
        return Plan(request, content["dataset"], content["champion"], content["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: is no plan of a training ({error!r})") from error


def _path(settings: Settings, name: str) -> Path:
    return training_folder(settings) / f"{name}{_SUFFIX}"
