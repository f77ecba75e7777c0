"""Changes of events as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from serve.web.api.problems import problems
from streetloop.control.alert_views import ChangeView
from streetloop.control.port import Control

_LOOK_S = 1.0
_AT_ONCE = 200

LastId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=2**31 - 1, description="go on after this one; 0: from the first"),
]


def event_stream_route(control: Control) -> APIRouter:
    """The endpoint of the stream; each client asks the ledger once a second.

    Args:
        control: Knows the changes.
    """
    routes = APIRouter(tags=["alerts"], responses=problems(_401="token missing or wrong"))

    @routes.get(
        "/events/stream",
        summary="Changes of events as server-sent events, from now on or after Last-Event-ID",
        response_class=EventSourceResponse,
    )
    async def stream(
        last_event_id: LastId = None, camera: Annotated[str | None, Query(min_length=1, max_length=64)] = None
    ) -> AsyncIterator[ServerSentEvent]:
        async for one in follow(control, last_event_id, camera):
            yield ServerSentEvent(data=one.message, event=one.change, id=str(one.number))

    return routes


async def follow(control: Control, after: int | None, camera: str | None) -> AsyncIterator[ChangeView]:
    """Changes as they happen, the oldest first; it never ends.

    Args:
        control: Knows the changes.
        after: Only those with a higher number; None for those from now on.
        camera: Only of this camera; None for all.
    """
    if after is None:
        newest = await run_in_threadpool(control.event_changes, None, 1)
        after = newest[-1].number if newest else 0
    while True:
        found = await run_in_threadpool(control.event_changes, after, _AT_ONCE, camera)
        for one in found:
            yield one
            after = one.number
        if len(found) < _AT_ONCE:
            await asyncio.sleep(_LOOK_S)
