"""The API as one application."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from serve.web.access.login import login_routes
from serve.web.access.me import me_route
from serve.web.access.own_pages import OwnPages
from serve.web.access.roles import COOKIE, Admission, Guard, Role
from serve.web.api.alerts import alert_routes
from serve.web.api.archive import archive_routes
from serve.web.api.cameras import camera_routes, restore_route
from serve.web.api.cities.city_routes import city_routes
from serve.web.api.counts import count_routes
from serve.web.api.datasets import dataset_file_routes, dataset_routes
from serve.web.api.evaluations import evaluation_routes
from serve.web.api.events import event_routes, judgement_routes
from serve.web.api.history.camera_story import camera_story_routes
from serve.web.api.history.charts import chart_routes
from serve.web.api.labels import label_routes
from serve.web.api.models import learning_routes, model_file_routes, model_routes
from serve.web.api.predict import DetectImage, predict_route
from serve.web.api.problems import explain_errors, problems
from serve.web.api.reports import report_routes
from serve.web.api.rollouts import rollout_routes
from serve.web.api.state import health_routes, ready_route, review_routes, watch_routes
from serve.web.api.streaming.event_stream import event_stream_route
from serve.web.api.streaming.live import live_route
from serve.web.api.versions.comparisons import comparison_routes
from serve.web.api.versions.sent_models import sent_model_routes
from serve.web.limits import BodyLimit
from serve.web.traced_requests import TracedRequests
from serve.web.uploads import MAX_ARCHIVE_BYTES, MAX_BYTES, MAX_MODEL_BODY_BYTES
from streetloop.control.port import Control, Pictures

_ROUTES: tuple[Callable[[Control], APIRouter], ...] = (
    camera_story_routes,
    chart_routes,
    count_routes,
    event_routes,
    judgement_routes,
    archive_routes,
    alert_routes,
    event_stream_route,
    watch_routes,
    review_routes,
    label_routes,
    health_routes,
    model_routes,
    comparison_routes,
    sent_model_routes,
    learning_routes,
    dataset_routes,
    evaluation_routes,
    report_routes,
    rollout_routes,
)
"""What a viewer reads and an operator changes."""


_LARGE_BODIES = {"/datasets": MAX_ARCHIVE_BYTES, "/models": MAX_MODEL_BODY_BYTES}
"""Bytes of bodies that may be larger than others, by path."""


class Health(BaseModel):
    """The service is up."""

    status: str = "ok"


def create_api(
    detect: DetectImage,
    names: tuple[str, ...],
    confidence: float,
    guard: Guard,
    control: Control | None = None,
    pictures: Pictures | None = None,
    public_url: str | None = None,
    answered: Callable[[str | None, int], None] = lambda *_: None,
) -> FastAPI:
    """The API as an ASGI application.

    Args:
        detect: Detects in one picture.
        names: Class names by class id.
        confidence: Least confidence of a box in an answer.
        guard: Knows the role of a request.
        control: The control service; without it the API only predicts.
        pictures: Of running cameras.
        public_url: Where browsers reach the API; None if it is where it listens.
        answered: Called with the template of the path, or None, and the status of each request.
    """
    api = FastAPIOffline(
        title="streetloop",
        description="Monitor and control object detection on a city's traffic cameras.",
        version="1",
        responses=problems(
            _400="the body cannot be read",
            _403="the role may not do this, or it was sent from a page, or under the name, of another server",
            _413="too large",
            _422="the request is invalid; the detail says why",
            _503="a service that this one needs does not answer; the detail says which",
        ),
    )
    api.add_middleware(BodyLimit, limit_bytes=MAX_BYTES, by_path=_LARGE_BODIES)
    api.add_middleware(OwnPages, has_token=bool(guard.tokens), public_url=public_url)
    api.add_middleware(TracedRequests, answered=answered)
    explain_errors(api)

    @api.get("/health", response_model=Health, summary="Liveness: 200 while the service is up")
    async def health() -> Health:
        return Health()

    api.include_router(predict_route(detect, names, confidence), dependencies=_admission(guard))
    if control is not None:
        _add_control(api, control, guard, pictures)
    return api


def _add_control(api: FastAPI, control: Control, guard: Guard, pictures: Pictures | None) -> None:
    """Add what needs the control service."""
    for cameras in (camera_routes(control, pictures), restore_route(control), city_routes(control)):
        api.include_router(cameras, dependencies=_admission(guard, Role.ADMIN))
    for routes in _ROUTES:
        api.include_router(routes(control), dependencies=_admission(guard))
    sensitive = _admission(guard, reads=Role.OPERATOR)
    for files in (model_file_routes, dataset_file_routes):
        api.include_router(files(control), dependencies=sensitive)
    api.include_router(me_route(guard), dependencies=_admission(guard))
    api.include_router(ready_route(control, guard))
    api.include_router(login_routes(guard))
    if pictures is not None:
        # Without the schemes of the description, which a WebSocket is not part of.
        api.include_router(live_route(control, pictures), dependencies=[Depends(Admission(guard))])


_SCHEMES = (
    HTTPBearer(scheme_name="token", description="The token of a role.", auto_error=False),
    APIKeyCookie(name=COOKIE, scheme_name="cookie", description="From /login.", auto_error=False),
)
"""What a client may show, for the description; `Admission` reads it."""


def _admission(guard: Guard, changes: Role = Role.OPERATOR, reads: Role = Role.VIEWER) -> list[Any]:
    """The dependencies of endpoints that read as ``reads``, and change as ``changes``."""
    return [*(Depends(scheme) for scheme in _SCHEMES), Depends(Admission(guard, changes, reads))]
