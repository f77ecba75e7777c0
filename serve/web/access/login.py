"""A page to show a token on, for browsers, and the way out."""

import math
from html import escape
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serve.web.access.login_attempts import LoginAttempts
from serve.web.access.own_pages import is_loopback
from serve.web.access.roles import COOKIE, Guard, cookie_of
from streetloop.clock import Clock, SystemClock

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<circle cx="8" cy="8" r="6" fill="none" stroke="#0f766e" stroke-width="3"/></svg>'
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>streetloop</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
  body {{ display: grid; min-height: 90vh; place-items: center; margin: 0; }}
  form {{ display: grid; gap: .75rem; width: min(22rem, 90vw); }}
  input, button {{ font: inherit; padding: .6rem .8rem; border-radius: .5rem;
    border: 1px solid #8888; }}
  button {{ background: #0f766e; color: white; border: 0; cursor: pointer; }}
  p {{ margin: 0; }} .wrong {{ color: #dc2626; }}
</style>
<form method="post" action="/login">
  <h1>streetloop</h1>
  <p>This server asks for a token: a viewer's, an operator's or an admin's.</p>
  {note}
  <input type="password" name="token" aria-label="token" autocomplete="current-password" autofocus>
  <button>Log in</button>
</form></html>"""


def login_routes(guard: Guard, clock: Clock | None = None) -> APIRouter:
    """``/login`` exchanges a token for a cookie, ``/logout`` takes it back; ``/`` leads to the app.

    Args:
        guard: Knows the tokens.
        clock: Paces wrong attempts; None for the machine's own.
    """
    routes = APIRouter(include_in_schema=False)
    attempts = LoginAttempts(clock or SystemClock())

    @routes.get("/")
    def root() -> Response:
        return RedirectResponse("/app/")

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return Response(_ICON, media_type="image/svg+xml")

    @routes.get("/login")
    def page() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(note=""))

    @routes.post("/login")
    def login(request: Request, token: Annotated[str, Form(max_length=1000)] = "") -> Response:
        client = _client_of(request)
        if (wait_s := math.ceil(attempts.wait_s(client))) > 0:
            answer = _refusal(f"Too many wrong tokens: try again in {wait_s} s.", 429)
            answer.headers["Retry-After"] = str(wait_s)
            return answer
        if guard.role_with(token) is None:
            attempts.note_wrong(client)
            return _refusal("That is not the token.", 401)
        return _with_cookie(RedirectResponse("/app/", 303), cookie_of(token), secure=_is_encrypted(request))

    @routes.post("/logout")
    def logout() -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return routes


def _refusal(note: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(note=f'<p class="wrong">{escape(note)}</p>'), status)


def _with_cookie(answer: Response, cookie: str, *, secure: bool) -> Response:
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", max_age=30 * 86400, secure=secure)
    return answer


def _is_encrypted(request: Request) -> bool:
    """Whether the browser sees https, also where a proxy speaks http to us."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    page = request.headers.get("origin", "")
    return "https" in {request.url.scheme, forwarded} or page.startswith("https://")


def _client_of(request: Request) -> str:
    """The address of whoever asks; a proxy on this machine is believed what it adds."""
    host = "" if request.client is None else request.client.host
    added = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return added if is_loopback(host) and _is_address(added) else host


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
