"""The page of one event, at an address of its own."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serve.web.access.roles import Guard
from serve.web.app.render import read_texts, render
from streetloop.control.port import Control
from streetloop.control.views import EventView
from streetloop.errors import NotFound, StreetloopError

SCRIPTS = ("shell.js", "away.js", "hints.js", "toasts.js", "event_page.js")
STYLES = ("base.css", "app.css", "charts.css", "camera_page.css", "versions.css", "toasts.css")
_MAX_NUMBER = 2**31 - 1


def add_event_page(api: FastAPI, control: Control, guard: Guard) -> None:
    """Answer ``/app/events/N``; whoever shows no token is redirected to ``/login``.

    Args:
        api: The API, before the app is mounted under ``/app``.
        control: Knows the events.
        guard: Knows the role of a visitor.
    """
    scripts = read_texts(SCRIPTS)
    styles = read_texts(STYLES)

    def drawn(**values: Any) -> str:
        return render("event_page", control.zone, scripts=scripts, styles=styles, **values)

    @api.get("/app/events/{number}", include_in_schema=False)
    def page(request: Request, number: str) -> Response:
        if guard.role_of(request.headers, request.cookies) is None:
            return RedirectResponse("/login", 303)
        nothing: dict[str, Any] = {"event": None, "number": number[:64], "causes": []}
        try:
            event = _event(control, number)
        except NotFound as error:
            return HTMLResponse(drawn(**nothing, problem=str(error)), 404)
        except StreetloopError as error:
            return HTMLResponse(drawn(**nothing, problem=str(error)), 503)
        return HTMLResponse(drawn(event=event, number=event.id, causes=causes_in_words(event), problem=None))


def _event(control: Control, number: str) -> EventView:
    if not (number.isascii() and number.isdecimal()) or len(number) > 10 or int(number) > _MAX_NUMBER:
        raise NotFound(f"there is no event {number[:64]!r}")
    return control.event(int(number))


def causes_in_words(event: EventView) -> list[str]:
    """The likely causes of an event, the likeliest first, with their probability where it is known.

    Such as ``night (62 %)``.

    Args:
        event: The event.
    """
    found = [event.cause] if event.cause else []
    for cause in event.detail.get("causes") or []:
        share = cause.get("probability")
        found.append(cause["name"] if share is None else f"{cause['name']} ({share:.0%})".replace("%", " %"))
    return found
