"""Endpoints of drift, the review queue and health."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from serve.web.access.roles import Guard
from serve.web.api.cameras import Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.label_views import AnswerIn, QueueView, ReviewView
from streetloop.control.port import Control
from streetloop.control.views import DriftView, HealthView, Page

Name = Annotated[str | None, Query(min_length=1, max_length=100)]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
Prefix = Annotated[str, Path(pattern="^[0-9a-f]{6,64}$", description="how its digest begins suffices")]


def watch_routes(control: Control) -> APIRouter:
    """The endpoints of drift and the demo's report.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.get("/drift", summary="Drift of each camera, or of one; of a young one, how much is missing")
    def drift(camera: Name = None, offset: Offset = 0, limit: Limit = 50) -> Page[DriftView]:
        found = control.drift()
        if camera is not None:
            found = [one for one in found if one.camera_id == camera]
        return Page(items=found[offset : offset + limit], offset=offset, more=len(found) > offset + limit)

    @routes.get("/drift/page", summary="The drift report as a page", response_class=HTMLResponse)
    def drift_page() -> HTMLResponse:
        return HTMLResponse(control.drift_page())

    @routes.get(
        "/report",
        summary="The illustrated report of the demo",
        response_class=HTMLResponse,
        responses=problems(_404="no report yet"),
    )
    def report() -> HTMLResponse:
        return HTMLResponse(control.report_page())

    return routes


def review_routes(control: Control) -> APIRouter:
    """The endpoints of the review queue and its frames.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))
    missing = problems(_404="no such frame")

    @routes.get("/queue", summary="Number of frames in each state of the review queue")
    def queue() -> QueueView:
        return control.queue()

    @routes.get("/reviews", summary="Frames chosen for review, newest first", responses=missing)
    def reviews(
        state: Name = None, camera: Name = None, offset: Offset = 0, limit: Limit = 50
    ) -> Page[ReviewView]:
        return control.reviews(state, offset, limit, camera)

    @routes.get("/reviews/{digest}", summary="One frame, with its boxes and its label", responses=missing)
    def review(digest: Prefix) -> ReviewView:
        return control.review(digest)

    @routes.post(
        "/reviews/{digest}/answer",
        summary="Label a frame, or skip it, where the labeler is the app",
        responses=missing | problems(_422="another labeler, a frame that is not asked about, or wrong boxes"),
    )
    def answer(digest: Prefix, answer: Annotated[AnswerIn, Body()]) -> ReviewView:
        return control.answer_review(digest, answer)

    @routes.get(
        "/reviews/{digest}/image.jpg",
        summary="The image of a frame chosen for review",
        responses=missing | {200: {"content": {"image/jpeg": {}}}},
        response_class=Response,
    )
    def review_image(digest: Digest) -> Response:
        return Response(control.review_image(digest), media_type="image/jpeg")

    return routes


def health_routes(control: Control) -> APIRouter:
    """The endpoint of health.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.get("/status", summary="State of the service, its model and its cameras")
    def status() -> HealthView:
        return control.health()

    return routes


def ready_route(control: Control, guard: Guard) -> APIRouter:
    """The endpoint of readiness, which a load balancer asks without a token.

    Args:
        control: Answers it.
        guard: Whoever shows no token learns no names of cameras.
    """
    routes = APIRouter(tags=["watch"])

    @routes.get(
        "/ready",
        summary="Readiness: 200 while a camera is live",
        response_model=HealthView,
        responses={503: {"model": HealthView, "description": "no camera is live"}},
    )
    def ready(request: Request) -> Response:
        health = control.health()
        if guard.role_of(request.headers, request.cookies) is None:
            health = _without_names(health)
        return JSONResponse(health.model_dump(mode="json"), 200 if health.live else 503)

    return routes


def _without_names(health: HealthView) -> HealthView:
    """Numbers alone: problems name cameras and hosts."""
    count = len(health.problems)
    hidden = [f"{count} problem{'s' if count > 1 else ''}; a token shows more"] if count else []
    return HealthView(**{**health.model_dump(), "problems": hidden, "model": None})
