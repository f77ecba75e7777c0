"""What a training was asked for, written down: the same name goes on with the same."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from streetloop.errors import ConfigError, TrainingError
from streetloop.files import write_whole
from streetloop.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that was begun.

    Attributes:
        dataset: Digest of what it learns from.
        champion: Version that it starts from.
        wanted: Slices in which the candidate must gain.
        trigger: What asked for it.
        recipe: Options, all of them.
        version: What it came to; None while it is not over.
    """

    dataset: str
    champion: int
    wanted: tuple[str, ...]
    trigger: Mapping[str, Any]
    recipe: Mapping[str, Any]
    version: int | None = None


def training_folder(settings: Settings) -> Path:
    """Where trainings keep their files."""
    return settings.home.absolute() / "training"


def read_plan(settings: Settings, name: str) -> Plan | None:
    """The plan of a training; None if there is none of that name.

    Raises:
        ConfigError: The name cannot be one of a file.
        TrainingError: The plan is damaged, or carried out already.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"training {name[:70]!r}: a name is letters, digits, '.', '_' and '-'")
    path = _path(settings, name)
    if not path.is_file():
        return None
    plan = _read(path)
    if plan.version is not None:
        raise TrainingError(f"training {name} is over: it became version {plan.version}")
    return plan


def finished_version(settings: Settings, name: str) -> int | None:
    """The version that a training came to; None if it is not over."""
    path = _path(settings, name)
    return _read(path).version if path.is_file() else None


def write_plan(settings: Settings, name: str, plan: Plan) -> None:
    """Write a plan, whole or not at all."""
    write_whole(_path(settings, name), json.dumps(asdict(plan)))


def finish_plan(settings: Settings, name: str, version: int) -> None:
    """Note what a training came to; one without a plan has nothing to note."""
    plan = read_plan(settings, name)
    if plan is not None:
        write_plan(settings, name, replace(plan, version=version))


def _read(path: Path) -> Plan:
    try:
        content = json.loads(path.read_text())
        return Plan(**{**content, "wanted": tuple(content["wanted"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: is no plan of a training ({error!r})") from error


def _path(settings: Settings, name: str) -> Path:
    return training_folder(settings) / f"{name}.plan.json"
