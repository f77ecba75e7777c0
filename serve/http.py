"""The HTTP API as a Ray Serve application beside the detector."""

import asyncio
import ipaddress

import ray.serve
from fastapi import FastAPI
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from serve.api import create_api
from serve.detector import CHAMPION
from streetloop.errors import ConfigError, DetectorError
from streetloop.settings import Settings
from streetloop.types import Detections, Image

APPLICATION = "api"


def refuse_open_door(host: str, *, has_token: bool) -> None:
    """Other machines may only come in with a token.

    Raises:
        ConfigError: ``host`` is wider than loopback and there is no token.
    """
    if not has_token and not _is_loopback(host):
        raise ConfigError(
            f"listening on {host} lets other machines in; "
            "set STREETLOOP_API_TOKEN to a secret of your choice first"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_app(settings: Settings, names: tuple[str, ...]) -> "ray.serve.Application":
    """The API as a Serve application that asks the champion."""
    token = None if settings.api_token is None else settings.api_token.get_secret_value()
    confidence, timeout_s = settings.confidence, settings.detector_timeout_s

    def build() -> FastAPI:
        handle = ray.serve.get_app_handle(CHAMPION)

        async def detect(image: Image) -> tuple[str, Detections]:
            try:
                answer: tuple[str, Detections] = await asyncio.wait_for(
                    handle.detect_image.remote(image), timeout_s
                )
            except (RayError, RayServeException, TimeoutError) as error:
                raise DetectorError(type(error).__name__) from error
            return answer

        return create_api(detect, names, confidence, token)

    @ray.serve.ingress(build)
    class Api:
        """Runs the FastAPI application."""

    return ray.serve.deployment(name="api", ray_actor_options={"num_cpus": 0.1})(Api).bind()
