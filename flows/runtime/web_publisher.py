"""The API and the app beside running streams."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from flows.service.control_service import ControlService
from flows.service.views import live_view
from flows.stream.analysis.status import CameraStatus, Rates
from serve.rollout.policy import Policy
from serve.web.access import Guard
from serve.web.web_app import WebApp, WebAppPictures, start_web_app
from streetloop.cameras import Camera
from streetloop.settings import Settings


class Hosts(Protocol):
    """Where cameras run."""

    def hosts(self) -> Mapping[str, Any]:
        """The worker of each camera that runs."""

    def application(self, camera_id: str) -> str:
        """The application that answers for it."""


class WebPublisher:
    """Starts the desk and tells it how the cameras are.

    Args:
        settings: As given at the roof.
        file: Cameras of the camera file.
        policy: Of rollouts that are asked for in the app.
        names: Class names of the models.

    Raises:
        DetectorError: It did not start.
    """

    def __init__(
        self, settings: Settings, file: Sequence[Camera], policy: Policy, names: tuple[str, ...]
    ) -> None:
        self._rates = Rates()
        settings = settings.model_copy(update={"home": settings.home.absolute()})
        cameras = list(file)

        def build(here: Callable[[], WebApp]) -> Any:
            return build_web_app(settings, cameras, policy, names, here)

        self._handle = start_web_app(build)

    def tell(self, cameras: Sequence[Camera], statuses: Mapping[str, CameraStatus], fleet: Hosts) -> None:
        """How everything is now; an answer is not waited for."""
        self._rates.add(statuses, time.monotonic())
        views = [
            live_view(c, statuses[c.id], self._rates.of(c.id), fleet.application(c.id))
            for c in cameras
            if c.id in statuses
        ]
        self._handle.note.remote(views, dict(fleet.hosts()))


def build_web_app(
    settings: Settings,
    cameras: Sequence[Camera],
    policy: Policy,
    names: tuple[str, ...],
    here: Callable[[], WebApp],
) -> Any:
    """The API with the app in it, as an ASGI application; made in the replica."""
    from serve.web.api.create import create_api
    from serve.web.app.page import mount_page
    from serve.web.web_app import detect

    token = None if settings.api_token is None else settings.api_token.get_secret_value()
    house = ControlService(settings, cameras, policy, lambda: here().cameras)
    api = create_api(detect, names, settings.confidence, token, house, WebAppPictures(here))
    return mount_page(api, house, Guard(token))
