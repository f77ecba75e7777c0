"""The HTTP API in the champion's own replica: between a request and the model there is no hop."""

import asyncio
from typing import cast

import ray.serve
from fastapi import FastAPI

from serve.detector.deployment import Detector
from serve.web.access.roles import AccessTokens, Guard
from serve.web.api.create import create_api
from streetloop.errors import DetectorError
from streetloop.settings import Settings
from streetloop.types import Detections, Image


def http_detector(settings: Settings, names: tuple[str, ...]) -> type[Detector]:
    """A `Detector` that answers HTTP too.

    Args:
        settings: Tokens, public URL, confidence and time-out of the API.
        names: Class names of the model.
    """
    guard, public_url = Guard(AccessTokens.of(settings)), settings.public_url
    confidence, timeout_s = settings.confidence, settings.detector_timeout_s

    async def detect(image: Image) -> tuple[str, Detections]:
        replica = cast(Detector, ray.serve.get_replica_context().servable_object)
        try:
            return await asyncio.wait_for(replica.detect_image(image), timeout_s)
        except TimeoutError as error:
            raise DetectorError(f"no answer within {timeout_s:g} s") from error

    def build() -> FastAPI:
        return create_api(detect, names, confidence, guard, public_url=public_url)

    @ray.serve.ingress(build)
    class HttpDetector(Detector):
        """One replica: one model, asked by the flows and over HTTP."""

    return HttpDetector
