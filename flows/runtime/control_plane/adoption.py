"""Takes the workers that run already, after the process that supervised them has died."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import RayError

from flows.runtime.workers.planner import WorkerPlan
from flows.runtime.workers.stream_fleet import WorkerReport
from flows.runtime.workers.worker import TITLE, RayWorker
from streetloop.cameras.camera_file import Camera
from train.ray_placement import NAMESPACE

_log = logging.getLogger(__name__)

_ANSWER_S = 5.0
_DROP_S = 30.0


def adopt_workers(cameras: Sequence[Camera]) -> list[tuple[WorkerPlan, RayWorker]]:
    """The workers that read some of the cameras, each with what it does.

    A camera that was changed or removed meanwhile is stopped. A worker without a camera is ended,
    and so is one that does not answer.

    Args:
        cameras: The cameras that are to run.
    """
    wanted = {camera.id: camera for camera in cameras}
    found = []
    for actor in running_workers():
        plan = _plan_of(actor)
        if plan is None:
            ray.kill(actor)
            continue
        worker = RayWorker(plan, running=actor)
        kept = [camera for camera in plan.cameras if wanted.get(camera.id) == camera]
        gone = [camera.id for camera in plan.cameras if camera not in kept]
        if kept:
            if gone:
                _await(worker.drop(gone), gone)
            found.append((_plan_of(actor) or plan, worker))
        else:
            _await(worker.close(), gone)
            worker.kill()
    return found


def running_workers() -> list[Any]:
    """The actors of workers that outlived the process which started them."""
    names = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True) if _is_worker(actor)]
    found = []
    for name in sorted(names):
        try:
            found.append(ray.get_actor(name, NAMESPACE))
        except ValueError:
            continue  # it has died since
    return found


def _is_worker(actor: dict[str, str]) -> bool:
    return actor["namespace"] == NAMESPACE and actor["name"].startswith(TITLE)


def _plan_of(actor: Any) -> WorkerPlan | None:
    try:
        plan: WorkerPlan = ray.get(actor.plan.remote(), timeout=_ANSWER_S)
    except (RayError, TimeoutError) as error:
        _log.warning("a worker does not answer, and is ended: %s", type(error).__name__)
        return None
    return plan


def _await(stopped: Future[WorkerReport], cameras: Sequence[str]) -> None:
    try:
        stopped.result(_DROP_S)
    except Exception as error:  # noqa: BLE001 - the boundary of a process that may end meanwhile
        _log.warning("cameras %s were not stopped in order: %s", list(cameras), type(error).__name__)
