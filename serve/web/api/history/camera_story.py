"""What the page of a camera asks for beside its view."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import Response

from serve.web.api.cameras import CameraId
from serve.web.api.problems import problems
from streetloop.control.history.charts import RemarkView
from streetloop.control.port import Control


def camera_story_routes(control: Control) -> APIRouter:
    """The endpoints of a camera's lag and of its drift in pictures.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["cameras"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/cameras/{camera_id}/lag",
        summary="Why a camera lags or loses frames, in words",
        responses=problems(_404="no such camera"),
    )
    def lag(camera_id: CameraId) -> list[RemarkView]:
        return control.explain_lag(camera_id)

    @routes.get(
        "/cameras/{camera_id}/drift/{side}.jpg",
        summary="How a camera looked before its drift, and how it looks since",
        responses={
            200: {"content": {"image/jpeg": {}}},
            204: {"description": "there is no such picture yet"},
        },
        response_class=Response,
    )
    def drift_picture(
        camera_id: CameraId,
        side: Annotated[Literal["before", "since"], Path(description="before the drift, or since")],
    ) -> Response:
        found = control.drift_picture(camera_id, before=side == "before")
        if found is None:
            return Response(status_code=204)
        at, jpeg = found
        return Response(jpeg, media_type="image/jpeg", headers={"X-Taken-At": at.isoformat()})

    return routes
