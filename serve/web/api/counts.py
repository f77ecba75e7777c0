"""Line counts of a camera."""

from typing import Annotated

from fastapi import APIRouter, Query

from serve.web.api.cameras import CameraId
from serve.web.api.problems import problems
from streetloop.control.history.count_view import CountView
from streetloop.control.port import Control

_SINCE = (
    "ISO 8601 date or time, in the server's time zone if it has no offset, or a duration before now: "
    "`90m`, `2h`, `7d`"
)


def count_routes(control: Control) -> APIRouter:
    """The endpoint of line counts.

    Args:
        control: Answers it.
    """
    routes = APIRouter(tags=["cameras"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/cameras/{camera_id}/counts",
        summary="Line crossings of a camera, by time, direction and class",
        responses=problems(
            _404="no such camera, and none before", _422="wrong time, bin or line, or a camera without lines"
        ),
    )
    def line_counts(
        camera_id: CameraId,
        since: Annotated[str, Query(max_length=64, description=_SINCE)] = "1d",
        bin_name: Annotated[
            str, Query(alias="bin", max_length=8, description="length of a bin: 1m, 5m, 15m, 1h or 1d")
        ] = "15m",
        line: Annotated[str | None, Query(max_length=100, description="only this line")] = None,
    ) -> list[CountView]:
        # In a query, a + that is not written as %2B is a space.
        written = since.replace(" ", "+") if "T" in since else since
        return control.line_counts(camera_id, written, bin_name, line)

    return routes
