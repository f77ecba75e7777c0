"""The API as one application."""

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from serve.web.access import Guard, OwnPages
from serve.web.api.cameras import camera_routes
from serve.web.api.counts import count_routes
from serve.web.api.live import live_route
from serve.web.api.login import login_routes
from serve.web.api.models import model_routes
from serve.web.api.predict import DetectImage, predict_route
from serve.web.api.problems import explain_errors, problems
from serve.web.api.rollouts import rollout_routes
from serve.web.api.state import health_routes, review_routes, watch_routes
from serve.web.limits import BodyLimit
from serve.web.uploads import MAX_BYTES
from streetloop.control.port import Control, Pictures


class Health(BaseModel):
    """The service is up."""

    status: str = "ok"


def create_api(
    detect: DetectImage,
    names: tuple[str, ...],
    confidence: float,
    token: str | None,
    control: Control | None = None,
    pictures: Pictures | None = None,
) -> FastAPI:
    """The API as an ASGI application.

    Args:
        detect: Detects in one picture.
        names: Class names by class id.
        confidence: Least confidence of a box in an answer.
        token: Bearer token that clients must show, or None.
        control: The control service; without it the API only predicts.
        pictures: Of running cameras.
    """
    api = FastAPIOffline(
        title="streetloop",
        description="Monitor and control object detection on a city's traffic cameras.",
        version="1",
        responses=problems(
            _400="the body cannot be read",
            _403="sent from a page, or under the name, of another server",
            _413="too large",
            _422="the request is invalid; the detail says why",
            _503="a service that this one needs does not answer; the detail says which",
        ),
    )
    api.add_middleware(BodyLimit, limit_bytes=MAX_BYTES)
    api.add_middleware(OwnPages, has_token=token is not None)
    explain_errors(api)

    @api.get("/health", response_model=Health, summary="Liveness: 200 while the service is up")
    async def health() -> Health:
        return Health()

    guard = Guard(token)
    guarded = [Depends(guard)]
    api.include_router(predict_route(detect, names, confidence), dependencies=guarded)
    if control is not None:
        api.include_router(camera_routes(control, pictures), dependencies=guarded)
        for routes in (
            count_routes,
            watch_routes,
            review_routes,
            health_routes,
            model_routes,
            rollout_routes,
        ):
            api.include_router(routes(control), dependencies=guarded)
        api.include_router(login_routes(guard))
        if pictures is not None:
            api.include_router(live_route(control, pictures), dependencies=guarded)
    return api
