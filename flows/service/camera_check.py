"""``streetloop check``: does every camera open, what is it, and what would go wrong at a run?"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from flows.service.model_warnings import model_warnings
from flows.stream.sinks.triage import bands_of
from flows.stream.sources.registry import open_source
from serve.rollout.control.champions import serving_model
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.cameras.camera_set import merged
from streetloop.cameras.camera_warning import CameraWarning
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, LedgerError, ModelError, RegistryError, StreetloopError
from streetloop.host.home import refuse_home_in_use, require_home
from streetloop.host.paths import is_file
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import CameraChange, newest_changes
from streetloop.ledger.service.lease import refuse_held_lease
from streetloop.settings import Settings
from streetloop.sqlite_url import sqlite_path
from streetloop.video import VideoInfo
from train.model.model_file import ModelFile

_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found about a camera.

    Attributes:
        camera: The camera.
        info: Its pictures; None if it does not open.
        problem: Why it would not run; None if it would.
        warnings: What will be less than expected.
    """

    camera: Camera
    info: VideoInfo | None
    problem: str | None
    warnings: tuple[CameraWarning, ...] = ()


def check_cameras(file: Sequence[Camera], settings: Settings) -> Iterator[CheckResult]:
    """Open every camera that a run would read, several at a time, and the model meanwhile.

    Args:
        file: Cameras of the camera file; the ledger has what was changed since.
        settings: The settings of the run.

    Returns:
        Results in the order of the cameras, then those of the file that were removed since.

    Raises:
        LedgerError: The ledger cannot be read.
        ModelError: The model cannot be used; after all results.
        RegistryError: The registry does not answer; after all results.
        ConfigError: The settings do not fit the model; after all results.
    """
    changes = {change.camera_id: change for change in _changes(settings)}
    cameras = merged(file, changes.values())
    removed = [camera for camera in file if camera.id in changes and changes[camera.id].document is None]
    with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
        opened = (_noted(result, file, changes) for result in pool.map(partial(_open, settings), cameras))
        try:
            require_home(settings.home)
            model = serving_model(settings)
            bands_of(settings, model.names)
            refuse_uncountable([], settings.classes, model.names)
        except (ModelError, RegistryError, ConfigError):
            yield from opened
            raise
        yield from (_with_model(result, model, settings) for result in opened)
    for camera in removed:
        yield CheckResult(camera, None, None, (_removed(changes[camera.id]),))


def refuse_system_that_runs(settings: Settings) -> None:
    """Refuse a home in which a system runs, and a ledger on which one does.

    Raises:
        ConfigError: One does; the message names its process.
        LedgerError: The ledger cannot be read.
    """
    refuse_home_in_use(settings.home)
    with _ledger_that_is_there(settings) as ledger:
        if ledger is not None:
            refuse_held_lease(ledger)


@contextlib.contextmanager
def _ledger_that_is_there(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger; one that is not there yet is not made."""
    local = sqlite_path(settings.ledger)
    if local is not None and not is_file(local, LedgerError):
        yield None
        return
    with contextlib.closing(open_ledger(settings.ledger)) as ledger:
        yield ledger


def _changes(settings: Settings) -> Sequence[CameraChange]:
    """What the ledger says of cameras."""
    with _ledger_that_is_there(settings) as ledger:
        return [] if ledger is None else newest_changes(ledger)


def _noted(result: CheckResult, file: Sequence[Camera], changes: Mapping[str, CameraChange]) -> CheckResult:
    """The result, with a warning where another camera runs than the file has."""
    camera, change = result.camera, changes.get(result.camera.id)
    if change is None or camera in file:
        return result
    what = "changed" if any(camera.id == one.id for one in file) else "added"
    text = (
        f"{what} by {change.author} on {change.at:%Y-%m-%d}, which the file does not have; it runs with "
        f"{camera.uri}"
    )
    return replace(result, warnings=(*result.warnings, CameraWarning("not-as-in-file", text)))


def _removed(change: CameraChange) -> CameraWarning:
    text = f"removed by {change.author} on {change.at:%Y-%m-%d}; add it again with `streetloop camera add`"
    return CameraWarning("removed", text)


def _open(settings: Settings, camera: Camera) -> CheckResult:
    try:
        return CheckResult(camera, open_source(camera, SystemClock(), settings).probe(), None)
    except StreetloopError as error:
        return CheckResult(camera, None, _without_name(error, camera))


def _with_model(result: CheckResult, model: ModelFile, settings: Settings) -> CheckResult:
    if result.info is None:
        return result
    try:
        refuse_uncountable([result.camera], None, model.names)
    except ConfigError as error:
        return replace(result, problem=_without_name(error, result.camera))
    found = model_warnings(result.camera, result.info, model, settings)
    return replace(result, warnings=(*result.warnings, *found))


def _without_name(error: StreetloopError, camera: Camera) -> str:
    """Faults of a camera in a line that begins with its name already."""
    return "; ".join(line.removeprefix(f"camera {camera.id!r}: ") for line in str(error).splitlines())
