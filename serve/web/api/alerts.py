"""Endpoints of who is told of events: sinks and mutes."""

from typing import Annotated

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response

from serve.web.api.cameras import AUTHOR
from serve.web.api.problems import problems
from streetloop.alerting.mute import Mute
from streetloop.control.alert_views import MuteView, SinkTestView, SinkView
from streetloop.control.port import Control

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def alert_routes(control: Control) -> APIRouter:
    """The endpoints of sinks and mutes.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["alerts"], responses=problems(_401="token missing or wrong"))

    @routes.get("/sinks", summary="Event sinks and how they fare")
    def sinks() -> list[SinkView]:
        return control.sinks()

    @routes.post(
        "/sinks/{name}/test",
        summary="Send a test to a sink, and wait up to 15 s for its arrival",
        responses=problems(_404="no such sink"),
    )
    def test(name: Annotated[str, Path(min_length=1, max_length=64)]) -> SinkTestView:
        return control.test_sink(name)

    @routes.get("/mutes", summary="Mutes that are not over")
    def mutes() -> list[MuteView]:
        return control.mutes()

    @routes.post("/mutes", status_code=201, summary="Send no events of a camera, a kind or a time")
    def mute(wanted: Annotated[Mute, Body()]) -> MuteView:
        return control.mute(wanted, AUTHOR)

    @routes.delete(
        "/mutes/{number}",
        status_code=204,
        summary="Lift a mute",
        response_class=Response,
        responses=problems(_404="no such mute"),
    )
    def unmute(number: Number) -> Response:
        control.unmute(number)
        return Response(status_code=204)

    return routes
