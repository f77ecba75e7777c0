"""Puts together what a bug report needs, without secrets."""

import json
import os
import platform
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from flows.runtime.doctor.doctor import examine
from flows.service.running_system import ask_running
from streetloop.control.port import Control
from streetloop.errors import ConfigError, StreetloopError
from streetloop.host.files import PRIVATE
from streetloop.secrets import redact
from streetloop.settings import Settings

_NEWEST = 200
_TAIL_BYTES = 4 * 2**20  # of each log
_SHORT = 6  # a secret of fewer characters may be a word of any text
_CONTENTS = """streetloop support bundle, made at {made_at}

about.json     this machine, and the versions of all packages
checks.json    what `streetloop doctor` found
settings.json  settings that differ from the defaults; *** in the place of secrets
cameras.json   the cameras and their last accounts
health.json    what fails now
events.json    the newest {newest} events
learning.json  the newest {newest} learning runs
rollouts.json  the newest {newest} rollouts and their decisions
queue.json     how many frames are in each state of the queue
logs/          the last {megabytes} MB of each log in the home

Look through it before you send it: camera names, addresses of hosts and paths are in it.
{missing}"""

Parts = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class SupportBundle:
    """A bundle that was written.

    Attributes:
        path: The archive; its owner alone may read it.
        files: What is in it.
        missing: What could not be had, one sentence each.
    """

    path: Path
    files: tuple[str, ...]
    missing: tuple[str, ...]


def write_support_bundle(
    settings: Settings, control: Control, path: Path, environ: Mapping[str, str]
) -> SupportBundle:
    """Write a zip archive for a bug report.

    What cannot be had is left out and named: a bundle is wanted when something is broken.

    Args:
        settings: Of the system.
        control: Its service.
        path: The archive; must not exist.
        environ: The environment of the process, whose secrets are left out, too.

    Raises:
        ConfigError: The archive is there already, or cannot be written.
    """
    scrub = _Scrubber(settings, environ)
    missing: list[str] = []
    texts = {"about.json": _as_text(_about()), "settings.json": _as_text(_settings(settings))}
    for name, read in _parts(settings, control).items():
        try:
            texts[name] = _as_text(read())
        except StreetloopError as error:
            missing.append(f"{name}: {error}")
    texts |= _logs(settings.home)
    made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    lacking = "".join(f"\nmissing: {one}" for one in missing)
    texts["README.txt"] = _CONTENTS.format(
        made_at=made_at, newest=_NEWEST, megabytes=_TAIL_BYTES // 2**20, missing=lacking
    )
    _write(path, {name: scrub(text) for name, text in sorted(texts.items())})
    return SupportBundle(path, tuple(sorted(texts)), tuple(scrub(one) for one in missing))


class _Scrubber:
    """Replaces secrets in texts: those of addresses, and those that are known."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        values = (getattr(settings, name) for name in Settings.model_fields)
        known = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
        known |= {value for name, value in environ.items() if _is_secret(name)}
        for value in list(known):
            password = urlsplit(value).password if "://" in value else None
            known |= {password, unquote(password)} if password else set()
        # The longest first: one may be part of another.
        self._known = sorted((one for one in known if len(one) >= _SHORT), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, "***")
        return redact(text)


def _is_secret(name: str) -> bool:
    return any(word in name.upper() for word in ("TOKEN", "KEY", "SECRET", "PASSWORD"))


def _parts(settings: Settings, control: Control) -> Parts:
    return {
        "checks.json": lambda: [asdict(check) for check in examine(settings, None)],
        "cameras.json": control.cameras,
        "events.json": lambda: control.events(None, None, only_open=False, offset=0, limit=_NEWEST).items,
        "health.json": lambda: ask_running(settings) or control.health(),
        "learning.json": lambda: control.learning(0, _NEWEST).items,
        "rollouts.json": lambda: control.rollouts(0, _NEWEST).items,
        "queue.json": control.queue,
    }


def _about() -> dict[str, Any]:
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _settings(settings: Settings) -> dict[str, Any]:
    made = settings.model_dump(mode="json", include=settings.model_fields_set)
    secret = {name for name in made if isinstance(getattr(settings, name), SecretStr)}
    return {name: "***" if name in secret else value for name, value in sorted(made.items())}


def _logs(home: Path) -> dict[str, str]:
    return {f"logs/{path.name}": text for path, text in _tails(home)}


def _tails(home: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(home.glob("*.log")):
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
                yield path, file.read(_TAIL_BYTES).decode(errors="replace")
        except OSError as error:
            yield path, f"it cannot be read: {error.strerror}"


def _as_text(value: Any) -> str:
    return json.dumps(value, default=_plain, indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _write(path: Path, texts: Mapping[str, str]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
