"""The API and the app in a Serve application of their own, beside those that detect."""

import asyncio
import os
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

import ray
import ray.serve
from fastapi import FastAPI
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from serve.detector.deployment import cause_of
from serve.rollout.route_table import CHAMPION
from streetloop.control.port import DEFAULT_WIDTH
from streetloop.control.views import CameraView
from streetloop.errors import DetectorError
from streetloop.types import Detections, Image
from train.ray_placement import on_this_node

WEB_APP = "web"
_DETECT_TIMEOUT_S, _PICTURES_TIMEOUT_S = 5.0, 2.0


class WebApp:
    """The state of the running streams, in the replica; the session sends it twice a second."""

    def __init__(self) -> None:
        self._process = f"{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.cameras: Sequence[CameraView] = ()
        self._hosts: Mapping[str, Any] = {}

    def note(self, cameras: Sequence[CameraView], hosts: Mapping[str, Any]) -> str:
        """The cameras as they are now, and the worker actor of each that runs.

        Args:
            cameras: In the order in which they are shown.
            hosts: The worker actor by camera id; cameras that do not run are missing.

        Returns:
            The name of this process, which none before it had.
        """
        self.cameras, self._hosts = cameras, hosts
        return self._process

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """See `streetloop.control.port.Pictures`; a worker that does not answer shows nothing."""
        hosts = [host for name, host in self._hosts.items() if cameras is None or name in cameras]
        workers = {id(host): host for host in hosts}
        chosen = None if cameras is None else sorted(cameras)
        asked = [self._ask(host, dict(after), width, chosen) for host in workers.values()]
        found: dict[str, tuple[int, bytes]] = {}
        for pictures in await asyncio.gather(*asked):
            found |= pictures
        return found

    @staticmethod
    async def _ask(
        host: Any, after: dict[str, int], width: int, cameras: list[str] | None
    ) -> dict[str, tuple[int, bytes]]:
        try:
            asked = host.pictures.remote(after, width, cameras)
            pictures: dict[str, tuple[int, bytes]] = await asyncio.wait_for(asked, _PICTURES_TIMEOUT_S)
        except (RayError, TimeoutError):
            return {}
        return pictures


async def detect(image: Image) -> tuple[str, Detections]:
    """Model version and detections of one picture, by the champion's application.

    Raises:
        DetectorError: It does not answer.
    """
    try:
        handle = ray.serve.get_app_handle(CHAMPION)
        answer: tuple[str, Detections] = await asyncio.wait_for(
            handle.detect_image.remote(image), _DETECT_TIMEOUT_S
        )
    except TimeoutError as error:
        raise DetectorError(f"no answer within {_DETECT_TIMEOUT_S:g} s") from error
    except (RayError, RayServeException) as error:
        raise DetectorError(cause_of(error)) from error
    return answer


class RunningWebApp:
    """The web app as the session sees it; nothing here waits.

    Args:
        handle: Of its application.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._answer: Any = None
        self._process: str | None = None

    def note(self, cameras: Sequence[CameraView], hosts: Mapping[str, Any]) -> None:
        """See `WebApp.note`."""
        answer = self._handle.note.remote(cameras, dict(hosts))
        self._answer = self._answer or answer

    def process(self) -> str | None:
        """The name of the process that answered last; None before the first answer."""
        if self._answer is None:
            return self._process
        try:
            self._process = self._answer.result(timeout_s=0)
        except TimeoutError:
            return self._process
        except (RayError, RayServeException):
            pass  # it died; the next answer is another's
        self._answer = None
        return self._process


def start_web_app(build: Callable[[Callable[[], WebApp]], FastAPI]) -> RunningWebApp:
    """Start the application.

    Args:
        build: Makes the API and the app, in the replica; its argument finds the `WebApp`.

    Raises:
        DetectorError: It did not start.
    """

    def make() -> FastAPI:
        return build(_here)

    @ray.serve.ingress(make)
    class HttpWebApp(WebApp):
        """One replica."""

    deployment = ray.serve.deployment(
        name=WEB_APP,
        num_replicas=1,
        max_ongoing_requests=200,
        ray_actor_options={"num_cpus": 0.1, "resources": on_this_node()},
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )(HttpWebApp)
    try:
        return RunningWebApp(ray.serve.run(deployment.bind(), name=WEB_APP, route_prefix="/"))
    except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
        raise DetectorError(f"the app did not start: {cause_of(error)}") from error


def running_web_app() -> RunningWebApp | None:
    """The application if it runs already; else None."""
    try:
        return RunningWebApp(ray.serve.get_app_handle(WEB_APP))
    except (RayError, RayServeException):
        return None


class WebAppPictures:
    """`streetloop.control.port.Pictures` of this replica's `WebApp`.

    Args:
        here: Finds it; it does not exist while the API is built.
    """

    def __init__(self, here: Callable[[], WebApp]) -> None:
        self._here = here

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """See `streetloop.control.port.Pictures`."""
        return await self._here().newest(after, width, cameras)


def _here() -> WebApp:
    return cast(WebApp, ray.serve.get_replica_context().servable_object)
