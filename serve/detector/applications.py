"""Serve applications: started, loaded with models, called, and deleted."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve._private.common import DeploymentID
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException

from serve.detector.deployment import DEPLOYMENT, cause_of, deploy, open_slot
from serve.detector.scaling import ReplicaState
from streetloop.errors import DetectorError, StreetloopError
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from train.model.model_file import ModelFile

_CALL_S = 5.0
_LOAD_S = 120.0
_GONE_S, _POLL_S = 60.0, 0.4


class ServeApplications:
    """`serve.rollout.control.ports.Applications` of the Ray that runs here; every method blocks.

    Args:
        settings: The settings of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deploy(self, application: str, model: ModelFile) -> None:
        """Start an application and wait until it answers; one that serves the model already stays.

        Raises:
            DetectorError: It does not come up.
        """
        if not self._serves(application, model):
            deploy(model, self._settings, application)

    def load(self, application: str, model: ModelFile) -> None:
        """Replace the model of an application without a gap; starts one that is not there.

        Every replica has the new model when this returns, and one that starts later takes it, too.

        Raises:
            DetectorError: The model cannot be loaded; the old one continues to answer.
        """
        _require_ray()
        if application not in ray.serve.status().applications:
            self.deploy(application, model)
            return
        slot = open_slot(self._settings, application)
        try:
            before = slot.model()
            slot.write(model)
        except StreetloopError as error:
            raise DetectorError(f"{application}: {error}") from error
        try:
            self.reload(application)
        except DetectorError:
            slot.restore(before)
            with contextlib.suppress(DetectorError):
                self.reload(application)  # some replicas may have the new one
            raise

    def reload(self, application: str) -> None:
        """Have every replica serve the model that the slot of the application names.

        Raises:
            DetectorError: One of them cannot load it.
        """
        self._ask_all(application, "reload", timeout_s=_LOAD_S)

    def describe(self, application: str) -> dict[str, Any]:
        """State of an application; see `serve.detector.deployment.Detector.describe`.

        Its ``processes`` are those of all replicas, its ``memory_mb`` that of the largest.

        Raises:
            DetectorError: It does not answer.
        """
        found: list[dict[str, Any]] = self._ask_all(application, "describe")
        return found[0] | {
            "processes": sorted(one["process"] for one in found),
            "memory_mb": max(one["memory_mb"] for one in found),
        }

    def replicas(self, application: str) -> list[ReplicaState]:
        """The replicas that answer.

        Raises:
            DetectorError: None does.
        """
        return list(self._ask_all(application, "look"))

    def scale(self, application: str, replicas: int) -> None:
        """Have an application run so many replicas; returns before they are up.

        Raises:
            DetectorError: Serve refuses.
        """
        _require_ray()
        try:
            # Ray has this as a request to its dashboard, which a run need not have.
            controller: Any = _get_global_client()._controller  # type: ignore[union-attr]
            name = DeploymentID(DEPLOYMENT, application)
            ray.get(controller.update_deployment_replicas.remote(name, replicas), timeout=_CALL_S)
        except (RayError, RayServeException, ValueError) as error:
            raise DetectorError(f"{application} is not scaled: {cause_of(error)}") from error

    def detect(self, application: str, image: Image) -> Detections:
        """Boxes that it shows in one image (H, W, 3), in pixels of the image.

        Raises:
            DetectorError: It does not answer.
        """
        answer: tuple[str, Detections] = self._call(application, "detect_image", image)
        found = answer[1]
        return found.take(found.confidence >= self._settings.confidence)

    def delete(self, application: str) -> None:
        """End an application if it is there.

        Raises:
            DetectorError: It does not end.
        """
        _require_ray()
        try:
            ray.serve.delete(application, _blocking=False)
            _wait_until_gone(application)
        except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
            raise DetectorError(f"{application} does not end: {cause_of(error)}") from error

    def _serves(self, application: str, model: ModelFile) -> bool:
        """True if the application is there, and answers with the model."""
        _require_ray()
        if application not in ray.serve.status().applications:
            return False
        try:
            return bool(self.describe(application)["version"] == model.version)
        except DetectorError:
            return False

    def _call(self, application: str, method: str, *args: object) -> Any:
        with _answering(application, _CALL_S):
            handle = ray.serve.get_app_handle(application)
            return getattr(handle, method).remote(*args).result(timeout_s=_CALL_S)

    def _ask_all(self, application: str, method: str, timeout_s: float = _CALL_S) -> list[Any]:
        with _answering(application, timeout_s):
            handle = ray.serve.get_app_handle(application)
            return list(handle.broadcast(method).results(timeout_s=timeout_s))


@contextlib.contextmanager
def _answering(application: str, timeout_s: float) -> Iterator[None]:
    """The errors of a call as `DetectorError`."""
    _require_ray()
    try:
        yield
    except TimeoutError as error:
        raise DetectorError(f"{application} does not answer within {timeout_s:g} s") from error
    except (RayError, RayServeException) as error:
        raise DetectorError(f"{application}: {cause_of(error)}") from error


def _wait_until_gone(application: str) -> None:
    """As Serve itself waits, but not beyond the end of Ray: asked then, Ray ends the process."""
    end = time.monotonic() + _GONE_S
    while ray.is_initialized() and application in ray.serve.status().applications:
        if time.monotonic() > end:
            raise TimeoutError(f"it is still there after {_GONE_S:g} s")
        time.sleep(_POLL_S)


def _require_ray() -> None:
    """Refuse to call Serve after the end of Ray, as that would start another Ray.

    Raises:
        DetectorError: Ray has ended.
    """
    if not ray.is_initialized():
        raise DetectorError("Ray has ended")
