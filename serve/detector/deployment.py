"""The detector behind Ray Serve."""

import asyncio
import logging
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import ray
import ray.serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus

from serve.detector.busy_time import BusyTime
from serve.detector.client import Answer, answer
from serve.detector.merged_batches import MergedBatches
from serve.detector.scaling import ReplicaState
from serve.detector.slots import FileSlot, Slot, StoreSlot
from serve.rollout.route_table import CHAMPION
from streetloop.errors import DetectorError, ModelUnsupported, StreetloopError
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections, Image
from train.model.backends.backend import random_batch
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor
from train.ray_placement import is_spread, on_this_node

_WARM_UP_SIZE = (1280, 720)
_MAX_START_S = 170.0
_POLL_S = 0.4  # a status takes 50 ms of a core, which the starting replica lacks
DEPLOYMENT = "detector"
_MAX_REQUESTS = 64  # of a replica; callers bound what they have under way themselves


class Detector:
    """One replica: one model, one inference at a time.

    Args:
        slot: Names the model.
        cache: Folder of exported models.
        backend: As `train.model.backends.open_backend.open_backend`.
        precision: The same.
        image_size: Longest side of the input in pixels.
        threads: CPU threads of one inference.
        confidence: Least confidence of a box in an answer.
        max_batch: Images that a GPU computes at once, of batches that wait together.
    """

    def __init__(
        self,
        slot: Slot,
        cache: str,
        backend: str,
        precision: str,
        image_size: int,
        threads: int,
        confidence: float,
        max_batch: int,
    ) -> None:
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        self._cache, self._threads = Path(cache), threads
        self._backend, self._precision = backend, precision
        self._image_size, self._confidence = image_size, confidence
        self._slot, self._busy = slot, BusyTime()
        self._loaded = ""
        while self._loaded != (named := slot.read()):  # it may be changed meanwhile
            self._predictor, self._loaded = self._open(named), named
        self._batches = MergedBatches(self._answer, self._merged_images(max_batch))

    def _merged_images(self, max_batch: int) -> int:
        """Images of a merged batch: a processor, or a model of a fixed batch, gains nothing."""
        gains = self._predictor.backend.device != "cpu" and not self._predictor.model.contract.input.batch
        return max_batch if gains else 1

    def _open(self, model: str) -> Predictor:
        """A predictor that is warmed up: the first inference is the slowest."""
        found = open_model(model, self._cache)
        backend = open_backend(found, self._backend, self._threads, self._precision)
        predictor = Predictor(found, backend, self._image_size)
        predictor.detect(random_batch((1, *predictor.input_size(*_WARM_UP_SIZE))), self._confidence)
        return predictor

    async def reload(self) -> str:
        """Serve the model that the slot names, of the same classes; returns its version.

        It is loaded and warmed up beside the old one, which answers until then.

        Raises:
            ModelUnsupported: It has other classes.
        """
        loop = asyncio.get_running_loop()
        named = await loop.run_in_executor(None, self._slot.read)
        if named == self._loaded:
            return self._predictor.model.version
        predictor = await loop.run_in_executor(None, self._open, named)
        names = self._predictor.model.names
        if predictor.model.names != names:
            raise ModelUnsupported(f"{predictor.model.version} knows other classes than {names}")
        if named == await loop.run_in_executor(None, self._slot.read):  # else a later call loads another
            self._predictor, self._loaded = predictor, named
        return self._predictor.model.version

    async def detect(self, reference: list["ray.ObjectRef[Image]"]) -> Answer:
        """Detections of the letterboxed batch (B, H, W, 3) that ``reference`` points to.

        The reference comes in a list, so that Ray hands over the reference and not the pixels.
        """
        return await self._run(await reference[0])

    async def detect_image(self, image: Image) -> tuple[str, Detections]:
        """Model version and detections of one image (H, W, 3), in pixels of the image."""
        work = partial(self._predictor.predict, image, self._confidence)
        return self._predictor.model.version, await asyncio.wrap_future(self._batches.call(work))

    async def describe(self) -> dict[str, Any]:
        """State: version, class names, backend, input size in pixels, process id, memory in MB."""
        model = self._predictor.model
        return {
            "version": model.version,
            "names": list(model.names),
            "backend": self._predictor.backend.name,
            "image_size": self._predictor.image_size,
            "process": os.getpid(),
            "memory_mb": psutil.Process().memory_info().rss / 2**20,
        }

    async def look(self) -> ReplicaState:
        """What the number of replicas is decided by."""
        return ReplicaState(self._predictor.model.version, os.getpid(), self._busy.share())

    async def _run(self, images: Image) -> Answer:
        return await asyncio.wrap_future(self._batches.submit(images))

    def _answer(self, images: Image) -> Answer:
        with self._busy:
            return answer(self._predictor, images, self._confidence)


def room_of_replica(settings: Settings, has_gpu: bool) -> dict[str, Any]:
    """Ray's options of the process of one replica.

    On one machine a replica reserves no processor: every city may have a champion of its own, and
    with two cores a promotion would wait for ever for the room that the challenger takes.

    Args:
        settings: The settings of the run.
        has_gpu: Whether Ray has a GPU, of which a replica then takes its share.
    """
    spread = is_spread(settings)
    return {
        "num_cpus": 0.5 if spread and not has_gpu else 0,
        "num_gpus": settings.gpus_per_replica if has_gpu else 0,
        "resources": {} if spread else on_this_node(),
    }


def detector_app(
    model: ModelFile, settings: Settings, application: str, kind: type[Detector] = Detector
) -> "ray.serve.Application":
    """The detector of ``model`` as a Serve application of one deployment of ``kind``."""
    slot = open_slot(settings, application, model)
    slot.write(model)
    gpus = ray.cluster_resources().get("GPU", 0)  # type: ignore[no-untyped-call]
    deployment = ray.serve.deployment(
        name=DEPLOYMENT,
        num_replicas=settings.replicas_min,
        max_ongoing_requests=_MAX_REQUESTS,
        ray_actor_options=room_of_replica(settings, bool(gpus)),
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=5,
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )(kind)
    return deployment.bind(
        slot,
        str(settings.models.absolute()),
        settings.backend,
        settings.precision,
        settings.image_size,
        settings.threads,
        settings.track_floor,
        settings.max_batch,
    )


def open_slot(settings: Settings, application: str, model: ModelFile | None = None) -> Slot:
    """The slot of an application: a file, or in the object store where there are several nodes."""
    if is_spread(settings):
        return StoreSlot(open_store(settings), application, settings.home / "fetched")
    return FileSlot(settings.home, application, model)


def deploy(
    model: ModelFile,
    settings: Settings,
    application: str = CHAMPION,
    kind: type[Detector] = Detector,
    route_prefix: str | None = None,
) -> dict[str, Any]:
    """Start an application and wait until it answers; returns its `Detector.describe`.

    Args:
        model: What it runs.
        settings: The settings of the run.
        application: Names it.
        kind: The class of the deployment, which may answer HTTP too.
        route_prefix: Under which path it answers HTTP, or None.

    Raises:
        DetectorError: It did not start.
    """
    try:
        app = detector_app(model, settings, application, kind)
        handle = _start(app, application, route_prefix)
        description: dict[str, Any] = handle.describe.remote().result(timeout_s=settings.detector_timeout_s)
    except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
        raise DetectorError(f"the detector did not start: {cause_of(error)}") from error
    return description


def _start(
    app: "ray.serve.Application", application: str, route_prefix: str | None
) -> "DeploymentHandle[Any]":
    """As `ray.serve.run`, which waits for ever where an application is deleted meanwhile."""
    target = ray.serve.RunTarget(
        app, name=application, route_prefix=route_prefix, external_scaler_enabled=True
    )
    handle = ray.serve.run_many(
        [target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
    )[0]
    end = time.monotonic() + _MAX_START_S
    # Once Ray has ended, asking for the status would start another.
    while time.monotonic() < end and ray.is_initialized():
        found = ray.serve.status().applications.get(application)
        if found is None or found.status == ApplicationStatus.DELETING:
            raise RuntimeError(f"{application} was ended meanwhile")
        if found.status == ApplicationStatus.DEPLOY_FAILED:
            reasons = [part.message for part in found.deployments.values() if part.message]
            raise RuntimeError(reasons[-1] if reasons else found.message)
        if found.status == ApplicationStatus.RUNNING:
            return handle
        time.sleep(_POLL_S)
    raise TimeoutError(f"{application} is not up after {_MAX_START_S:g} s")


def cause_of(error: Exception) -> str:
    """The innermost sentence of ours in a chain of Ray's, or the kind of Ray's error."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, StreetloopError):
        return str(cause)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"
