"""What happened, what drifts, what people are asked about, and whether all is well."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, JSONResponse, Response

from serve.web.api.cameras import Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.port import Control
from streetloop.control.views import DriftView, EventView, HealthView, Page, QueueView, ReviewView

Name = Annotated[str | None, Query(min_length=1, max_length=100)]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


def state_routes(control: Control) -> APIRouter:
    """What can be asked about what was seen."""
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))
    missing = problems(_404="no such thing")

    @routes.get("/events", summary="What happened, the newest first")
    def events(
        camera: Name = None,
        kind: Name = None,
        only_open: Annotated[bool, Query(alias="open", description="only what goes on")] = False,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Page[EventView]:
        return control.events(camera, kind, only_open=only_open, offset=offset, limit=limit)

    @routes.get("/drift", summary="Is each camera's world still the one that it was?")
    def drift(offset: Offset = 0, limit: Limit = 50) -> Page[DriftView]:
        found = control.drift()
        return Page(items=found[offset : offset + limit], offset=offset, more=len(found) > offset + limit)

    @routes.get("/drift/page", summary="The same with plots and pictures", response_class=HTMLResponse)
    def drift_page() -> HTMLResponse:
        return HTMLResponse(control.drift_page())

    @routes.get("/queue", summary="The review queue in numbers")
    def queue() -> QueueView:
        return control.queue()

    @routes.get("/reviews", summary="Frames that people are asked about", responses=missing)
    def reviews(state: Name = None, offset: Offset = 0, limit: Limit = 50) -> Page[ReviewView]:
        return control.reviews(state, offset, limit)

    @routes.get(
        "/reviews/{digest}/image.jpg",
        summary="One of them",
        responses=missing | {200: {"content": {"image/jpeg": {}}}},
        response_class=Response,
    )
    def review_image(digest: Digest) -> Response:
        return Response(control.review_image(digest), media_type="image/jpeg")

    @routes.get("/status", summary="Whether everything is there")
    def status() -> HealthView:
        return control.health()

    @routes.get(
        "/report",
        summary="The illustrated report of the demo",
        response_class=HTMLResponse,
        responses=problems(_404="no report yet"),
    )
    def report() -> HTMLResponse:
        return HTMLResponse(control.report_page())

    @routes.get(
        "/ready",
        summary="Whether a camera is live",
        response_model=HealthView,
        responses={503: {"model": HealthView, "description": "no camera is live"}},
    )
    def ready() -> Response:
        health = control.health()
        return JSONResponse(health.model_dump(mode="json"), 200 if health.live else 503)

    return routes
