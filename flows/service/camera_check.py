"""``streetloop check``: does every camera open, what is it, and what would go wrong at a run?"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from flows.service.model_warnings import model_warnings
from flows.stream.sinks.triage import bands_of
from flows.stream.sources.registry import open_source
from serve.rollout.control.champions import serving_model
from streetloop.cameras.camera_file import Camera, refuse_uncountable
from streetloop.cameras.camera_warning import CameraWarning
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, ModelError, RegistryError, StreetloopError
from streetloop.settings import Settings
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


def check_cameras(cameras: Sequence[Camera], settings: Settings) -> Iterator[CheckResult]:
    """Open every camera, several at a time, and the model meanwhile.

    Args:
        cameras: The cameras.
        settings: The settings of the run.

    Returns:
        Results in the order of the cameras.

    Raises:
        ModelError: The model cannot be used; after all results.
        RegistryError: The registry does not answer; after all results.
        ConfigError: The settings do not fit the model; after all results.
    """
    with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
        opened = pool.map(partial(_open, settings), cameras)
        try:
            model = serving_model(settings)
            bands_of(settings, model.names)
            refuse_uncountable([], settings.classes, model.names)
        except (ModelError, RegistryError, ConfigError):
            yield from opened
            raise
        yield from (_with_model(result, model, settings) for result in opened)


def _open(settings: Settings, camera: Camera) -> CheckResult:
    try:
        return CheckResult(camera, open_source(camera, SystemClock(), settings).probe(), None)
    except StreetloopError as error:
        return CheckResult(camera, None, str(error))


def _with_model(result: CheckResult, model: ModelFile, settings: Settings) -> CheckResult:
    if result.info is None:
        return result
    try:
        refuse_uncountable([result.camera], None, model.names)
    except ConfigError as error:
        return replace(result, problem=str(error))
    found = model_warnings(result.camera, result.info, model, settings)
    return replace(result, warnings=(*result.warnings, *found))
