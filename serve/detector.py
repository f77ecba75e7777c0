"""The detector behind Ray Serve."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle, DeploymentResponse

from serve.client import Answer, Pending
from streetloop.errors import DetectorError, StreetloopError
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from train.backends import open_backend, random_batch
from train.model import ModelFile, open_model
from train.predictor import Predictor

CHAMPION = "champion"
"""Name of the Serve application of the model whose answers count."""

_WARM_UP = (1, 384, 640)
_QUEUE = 64  # requests a replica accepts; callers bound what they have under way themselves


class Detector:
    """One replica: one model, one inference at a time.

    Args:
        model: Path of the model file.
        cache: Folder of exported models.
        backend: As `train.backends.open_backend`.
        image_size: Longest side of the input in pixels.
        threads: CPU threads of one inference.
        confidence: Least confidence of a box in an answer.
    """

    def __init__(
        self,
        model: str,
        cache: str,
        backend: str,
        image_size: int,
        threads: int,
        confidence: float,
    ) -> None:
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        found = open_model(model, Path(cache))
        self._predictor = Predictor(found, open_backend(found, backend, threads), image_size)
        self._confidence = confidence
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
        self._predictor.detect(random_batch(_WARM_UP), confidence)

    async def detect(self, reference: list["ray.ObjectRef[Image]"]) -> Answer:
        """Detections of the letterboxed batch (B, H, W, 3) that ``reference`` points to.

        The reference comes in a list, so that Ray hands over the reference and not the pixels.
        """
        return await self._run(await reference[0])

    async def detect_image(self, image: Image) -> tuple[str, Detections]:
        """Model version and detections of one picture (H, W, 3), in its own pixels."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._worker, self._predictor.predict, image, self._confidence
        )
        return self._predictor.model.version, found

    async def describe(self) -> dict[str, Any]:
        """What runs here: version, class names, backend and input size."""
        model = self._predictor.model
        return {
            "version": model.version,
            "names": list(model.names),
            "backend": self._predictor.backend.name,
            "image_size": self._predictor.image_size,
        }

    async def _run(self, images: Image) -> Answer:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._worker, self._predictor.detect, images, self._confidence
        )
        return Answer(self._predictor.model.version, found)


def detector_app(
    model: ModelFile, settings: Settings, kind: type[Detector] = Detector
) -> "ray.serve.Application":
    """The detector of ``model`` as a Serve application of one deployment of ``kind``."""
    gpus = ray.cluster_resources().get("GPU", 0)  # type: ignore[no-untyped-call]
    deployment = ray.serve.deployment(
        name="detector",
        num_replicas=1,
        max_ongoing_requests=_QUEUE,
        ray_actor_options={"num_cpus": 0 if gpus else 0.5, "num_gpus": 1 if gpus else 0},
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=5,
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )(kind)
    return deployment.bind(
        str((model.checkpoint or model.onnx).absolute()),
        str(settings.models.absolute()),
        settings.backend,
        settings.image_size,
        settings.threads,
        settings.track_floor,
    )


def deploy_champion(
    model: ModelFile,
    settings: Settings,
    kind: type[Detector] = Detector,
    route_prefix: str | None = None,
) -> dict[str, Any]:
    """Start the champion and wait until it answers; returns what it says of itself.

    Args:
        model: What it runs.
        settings: As given at the roof.
        kind: The class of the deployment, which may answer HTTP too.
        route_prefix: Under which path it answers HTTP, or None.

    Raises:
        DetectorError: It did not start.
    """
    try:
        app = detector_app(model, settings, kind)
        handle = ray.serve.run(app, name=CHAMPION, route_prefix=route_prefix)
        description: dict[str, Any] = handle.describe.remote().result(
            timeout_s=settings.detector_timeout_s
        )
    except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
        raise DetectorError(f"the detector did not start: {_cause(error)}") from error
    return description


class ServeDetector:
    """A `serve.client.DetectorClient` of a Serve application in this Ray cluster."""

    def __init__(self, application: str = CHAMPION) -> None:
        self._handle: DeploymentHandle[Any] = ray.serve.get_app_handle(application)

    def submit(self, images: Image) -> Pending:
        """See `DetectorClient.submit`; the pixels go through Ray's object store once."""
        reference = ray.put(images)
        response: Any = self._handle.detect.remote([reference])
        return _ServePending(response, reference)


class _ServePending:
    def __init__(
        self, response: "DeploymentResponse[Answer]", reference: "ray.ObjectRef[Image]"
    ) -> None:
        self._response = response
        self._reference = reference  # keeps the pixels alive until the answer is there

    def result(self, timeout_s: float) -> Answer:
        try:
            answer: Answer = self._response.result(timeout_s=timeout_s)
        except TimeoutError as error:
            self._response.cancel()  # type: ignore[no-untyped-call]
            raise DetectorError(f"no answer within {timeout_s:g} s") from error
        except (RayError, RayServeException) as error:
            raise DetectorError(_cause(error)) from error
        return answer


def _cause(error: Exception) -> str:
    """The innermost sentence of ours in a chain of Ray's, or the kind of Ray's error."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, StreetloopError):
        return str(cause)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"
