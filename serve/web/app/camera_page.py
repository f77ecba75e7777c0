"""The page of one camera, at an address of its own."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serve.web.access.roles import Guard
from serve.web.app.render import read_texts, render
from streetloop.control.port import Control
from streetloop.errors import NotFound, StreetloopError

CHARTS = ("fps", "lag", "drops", "objects", "crossings", "drift", "confidence", "labels")
SCRIPTS = (
    "vendor/uplot.min.js",
    "shell.js",
    "away.js",
    "hints.js",
    "toasts.js",
    "charts.js",
    "live.js",
    "camera_page.js",
)
STYLES = ("base.css", "vendor/uplot.min.css", "app.css", "charts.css", "camera_page.css", "toasts.css")


def add_camera_page(api: FastAPI, control: Control, guard: Guard) -> None:
    """Answer ``/app/cameras/ID``; whoever shows no token is redirected to ``/login``.

    Args:
        api: The API, before the app is mounted under ``/app``.
        control: Knows the cameras.
        guard: Knows the role of a visitor.
    """
    scripts = read_texts(SCRIPTS)
    styles = read_texts(STYLES)

    @api.get("/app/cameras/{camera_id}", include_in_schema=False)
    def page(request: Request, camera_id: str) -> Response:
        if guard.role_of(request.headers, request.cookies) is None:
            return RedirectResponse("/login", 303)
        try:
            cameras = [view.id for view in control.cameras()]
        except StreetloopError as error:
            return HTMLResponse(_page([], camera_id, str(error), scripts, styles), 503)
        if camera_id not in cameras:
            said = str(NotFound(f"there is no camera {camera_id[:64]!r}"))
            return HTMLResponse(_page(cameras, camera_id, said, scripts, styles), 404)
        return HTMLResponse(_page(cameras, camera_id, None, scripts, styles))


def _page(
    cameras: list[str], camera_id: str, problem: str | None, scripts: list[str], styles: list[str]
) -> str:
    return render(
        "camera_page",
        cameras=cameras,
        camera=camera_id[:64],
        problem=problem,
        charts=CHARTS,
        scripts=scripts,
        styles=styles,
    )
