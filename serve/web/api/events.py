"""Endpoints of events, and of what people say about them."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from serve.web.api.cameras import AUTHOR, Limit, Offset
from serve.web.api.problems import problems
from streetloop.control.alert_views import ChangeView
from streetloop.control.port import Control
from streetloop.control.views import EventView, Page, PrecisionView

Name = Annotated[str | None, Query(min_length=1, max_length=100)]
EventId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class CommentIn(BaseModel):
    """A comment on an event; an empty one removes it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=1000)


_NO_EVENT = problems(_404="no such event")


def event_routes(control: Control) -> APIRouter:
    """The endpoints of events.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))

    @routes.get("/events", summary="Events, newest first")
    def events(
        camera: Name = None,
        kind: Name = None,
        only_open: Annotated[bool, Query(alias="open", description="only ongoing events")] = False,
        since: Annotated[
            str | None, Query(max_length=40, description="a time, or a duration such as 2h")
        ] = None,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Page[EventView]:
        return control.events(camera, kind, only_open=only_open, offset=offset, limit=limit, since=since)

    @routes.get("/events/changes", summary="Changes of events, the oldest first; the newest alone to begin")
    def changes(
        after: Annotated[
            int | None, Query(ge=0, le=2**31 - 1, description="only those with a higher number")
        ] = None,
        limit: Limit = 50,
    ) -> list[ChangeView]:
        return control.event_changes(after, limit)

    @routes.get("/events/{event:int}", summary="One event", responses=_NO_EVENT)
    def event(event: EventId) -> EventView:
        return control.event(event)

    @routes.get("/events/precision", summary="How often each rule was right, as far as people said")
    def precision() -> list[PrecisionView]:
        return control.event_precision()

    @routes.get(
        "/events/{event}/picture.jpg",
        summary="The picture of an event",
        responses=_NO_EVENT | {200: {"content": {"image/jpeg": {}}}},
        response_class=Response,
    )
    def event_picture(event: EventId) -> Response:
        return Response(control.event_picture(event), media_type="image/jpeg")

    return routes


def judgement_routes(control: Control) -> APIRouter:
    """The endpoints of what people say about events.

    Args:
        control: Answers them.
    """
    routes = APIRouter(tags=["watch"], responses=problems(_401="token missing or wrong"))
    too_long = problems(_422="the comment is too long")

    @routes.post(
        "/events/{event}/acknowledge", summary="Note that somebody took note of an event", responses=_NO_EVENT
    )
    def acknowledge(event: EventId) -> EventView:
        return control.acknowledge(event, AUTHOR)

    @routes.post(
        "/events/{event}/comment", summary="Write a comment on an event", responses=_NO_EVENT | too_long
    )
    def comment(event: EventId, comment: Annotated[CommentIn, Body()]) -> EventView:
        return control.comment_event(event, comment.text, AUTHOR)

    @routes.post("/events/{event}/false", summary="Note that an event did not happen", responses=_NO_EVENT)
    def mark_false(event: EventId) -> EventView:
        return control.mark_false(event, AUTHOR)

    @routes.delete("/events/{event}/false", summary="Take that back", responses=_NO_EVENT)
    def mark_true(event: EventId) -> EventView:
        return control.mark_false(event, AUTHOR, is_false=False)

    return routes
