"""A page to show the token on, for browsers."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serve.web.access import COOKIE, Guard

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
  <p>This server asks for its token, the value of <code>STREETLOOP_API_TOKEN</code>.</p>
  {note}
  <input type="password" name="token" aria-label="token" autocomplete="current-password" autofocus>
  <button>Log in</button>
</form></html>"""


def login_routes(guard: Guard) -> APIRouter:
    """``/login`` exchanges the token for a cookie; ``/`` leads to the app.

    Args:
        guard: Checks the token.
    """
    routes = APIRouter(include_in_schema=False)

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
    def login(token: Annotated[str, Form(max_length=1000)] = "") -> Response:
        if not guard.knows(token):
            note = f'<p class="wrong">{escape("That is not the token.")}</p>'
            return HTMLResponse(_PAGE.format(note=note), 401)
        answer = RedirectResponse("/app/", 303)
        answer.set_cookie(COOKIE, guard.cookie, httponly=True, samesite="strict", max_age=30 * 86400)
        return answer

    return routes
