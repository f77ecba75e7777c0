"""Serve applications: started, loaded with models, called, and deleted."""

from typing import Any

import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from serve.detector.deployment import cause_of, deploy, path_of
from streetloop.errors import DetectorError
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from train.model.model_file import ModelFile

_CALL_S = 5.0
_LOAD_S = 120.0


class ServeApplications:
    """`serve.rollout.control.ports.Applications` of the Ray that runs here; every method blocks.

    Args:
        settings: The settings of the run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deploy(self, application: str, model: ModelFile) -> None:
        """Start an application and wait until it answers.

        Raises:
            DetectorError: It does not come up.
        """
        deploy(model, self._settings, application)

    def load(self, application: str, model: ModelFile) -> None:
        """Replace the model of an application without a gap; starts one that is not there.

        Raises:
            DetectorError: The model cannot be loaded; the old one continues to answer.
        """
        _require_ray()
        if application not in ray.serve.status().applications:
            self.deploy(application, model)
            return
        self._call(application, "load", path_of(model), timeout_s=_LOAD_S)

    def describe(self, application: str) -> dict[str, Any]:
        """State of an application; see `serve.detector.deployment.Detector.describe`.

        Raises:
            DetectorError: It does not answer.
        """
        found: dict[str, Any] = self._call(application, "describe")
        return found

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
            ray.serve.delete(application)
        except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
            raise DetectorError(f"{application} does not end: {cause_of(error)}") from error

    def _call(self, application: str, method: str, *args: object, timeout_s: float = _CALL_S) -> Any:
        _require_ray()
        try:
            handle = ray.serve.get_app_handle(application)
            return getattr(handle, method).remote(*args).result(timeout_s=timeout_s)
        except TimeoutError as error:
            raise DetectorError(f"{application} does not answer within {timeout_s:g} s") from error
        except (RayError, RayServeException) as error:
            raise DetectorError(f"{application}: {cause_of(error)}") from error


def _require_ray() -> None:
    """Refuse to call Serve after the end of Ray, as that would start another Ray.

    Raises:
        DetectorError: Ray has ended.
    """
    if not ray.is_initialized():
        raise DetectorError("Ray has ended")
