"""The API and the app beside running streams."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flows.runtime.request_recorder import RequestRecorder
from flows.runtime.workers.stream_fleet import APP_RESTARTED, Restart, StreamFleet
from flows.service.control_service import ControlService
from flows.service.views import live_view
from flows.stream.analysis.status import CameraStatus, Rates
from serve.rollout.policy import Policy
from serve.web.access.roles import AccessTokens, Guard
from serve.web.web_app import WEB_APP, WebApp, WebAppPictures, running_web_app, start_web_app
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.host.tracing import start_tracing
from streetloop.settings import Settings


class WebPublisher:
    """Starts the web app, and tells it the state of the cameras.

    Args:
        settings: The settings of the run.
        file: Cameras of the camera file.
        policy: What a rollout that is started in the app must show.
        names: Class names of the models.
        is_resumed: Whether to take the web app that runs already, if one does.

    Raises:
        DetectorError: The web app did not start.
    """

    def __init__(
        self,
        settings: Settings,
        file: Sequence[Camera],
        policy: Policy,
        names: tuple[str, ...],
        *,
        is_resumed: bool = False,
    ) -> None:
        self._rates = Rates()
        settings = settings.model_copy(update={"home": settings.home.absolute()})
        cameras = list(file)

        def build(here: Callable[[], WebApp]) -> Any:
            return build_web_app(settings, cameras, policy, names, here)

        running = running_web_app() if is_resumed else None
        self._web_app = start_web_app(build) if running is None else running
        self._process: str | None = None

    def publish(
        self, cameras: Iterable[Camera], statuses: Mapping[str, CameraStatus], fleet: StreamFleet
    ) -> None:
        """Send the state of all cameras to the web app; does not wait for an answer.

        Args:
            cameras: The cameras that are to run; those without a status are left out.
            statuses: By camera.
            fleet: Where they run, and which application answers for them.
        """
        self._rates.add(statuses, time.monotonic())
        views = [
            live_view(c, statuses[c.id], self._rates.of(c.id), fleet.application(c.id))
            for c in cameras
            if c.id in statuses
        ]
        self._web_app.note(views, fleet.hosts())

    def take_restarts(self) -> list[Restart]:
        """Restarts of the app's process that were noticed since the last call; does not wait."""
        before, self._process = self._process, self._web_app.process()
        if before in {None, self._process}:
            return []
        cause = "its process died, or did not answer any more"
        return [Restart(APP_RESTARTED, WEB_APP, datetime.now(UTC), cause)]


def build_web_app(
    settings: Settings,
    cameras: Sequence[Camera],
    policy: Policy,
    names: tuple[str, ...],
    here: Callable[[], WebApp],
) -> Any:
    """The API with the app in it.

    Args:
        settings: The settings of the run.
        cameras: Cameras of the camera file.
        policy: What a rollout that is started in the app must show.
        names: Class names of the models.
        here: Finds the web app of this replica; called once there are requests.

    Returns:
        An ASGI application, to be made in the replica.
    """
    from serve.web.api.create import create_api
    from serve.web.app.page import mount_page
    from serve.web.web_app import detect

    start_tracing(settings.otlp_url)
    guard, url = Guard(AccessTokens.of(settings)), settings.public_url
    service = ControlService(settings, cameras, policy, lambda: here().cameras)
    recorder = RequestRecorder(settings.ledger, SystemClock())
    recorder.start()
    api = create_api(
        detect, names, settings.confidence, guard, service, WebAppPictures(here), url, recorder.answered
    )
    return mount_page(api, service, guard, url)
