"""The page of one version, at an address of its own."""

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serve.web.access.roles import Guard
from serve.web.app.compare_panel import comparison_values
from serve.web.app.render import read_texts, render
from streetloop.control.port import Control
from streetloop.control.views import ModelView, RolloutView
from streetloop.errors import NotFound, StreetloopError

SCRIPTS = ("vendor/uplot.min.js", "shell.js", "away.js", "hints.js", "curves.js", "version_page.js")
STYLES = ("vendor/uplot.min.css", "base.css", "app.css", "charts.css", "camera_page.css", "versions.css")
_MAX_ROLLOUTS = 200


def add_version_page(api: FastAPI, control: Control, guard: Guard) -> None:
    """Answer ``/app/versions/N``; whoever shows no token is redirected to ``/login``.

    Args:
        api: The API, before the app is mounted under ``/app``.
        control: Knows the versions.
        guard: Knows the role of a visitor.
    """
    scripts = read_texts(SCRIPTS)
    styles = read_texts(STYLES)

    def drawn(**values: Any) -> str:
        return render("version_page", control.zone, scripts=scripts, styles=styles, **values)

    @api.get("/app/versions/{number}", include_in_schema=False)
    def page(
        request: Request, number: str, other: Annotated[str | None, Query(alias="with", max_length=64)] = None
    ) -> Response:
        if guard.role_of(request.headers, request.cookies) is None:
            return RedirectResponse("/login", 303)
        nothing: dict[str, Any] = {"models": [], "model": None, "number": number[:64]}
        try:
            return HTMLResponse(drawn(**_shown(control, number, other)))
        except NotFound as error:
            return HTMLResponse(drawn(**nothing, problem=str(error)), 404)
        except StreetloopError as error:
            return HTMLResponse(drawn(**nothing, problem=str(error)), 503)


def _shown(control: Control, number: str, other: str | None) -> dict[str, Any]:
    """What the template needs.

    Raises:
        NotFound: There is no such version, or none of the name to compare it with.
    """
    models = control.models()
    model = next((one for one in models if number == str(one.number)), None)
    if model is None:
        raise NotFound(f"there is no version {number[:64]!r}")
    chain = control.lineage(number)
    other = other or _compared(models, model)
    nothing: dict[str, Any] = {"comparison": None, "details": None}
    comparison = None if other is None else control.compare_versions(other, number)
    return {
        "models": models,
        "model": model,
        "number": model.number,
        "problem": None,
        "dataset": chain[0].dataset,
        "commit": chain[0].commit,
        "ancestors": [one.number for one in chain[1:]],
        "children": [one.number for one in models if one.parent == model.number],
        "forms": control.version_forms(number),
        "rollouts": _rollouts(control, number),
        **(nothing if comparison is None else comparison_values(control, comparison)),
    }


def _compared(models: list[ModelView], model: ModelView) -> str | None:
    """What a version is compared with before anything is chosen: its parent, else the champion."""
    numbers = [one.number for one in models]
    champion = next((one.number for one in models if "champion" in one.aliases), None)
    for candidate in (model.parent, champion, *numbers):
        if candidate in numbers and candidate != model.number:
            return str(candidate)
    return None


def _rollouts(control: Control, number: str) -> list[RolloutView]:
    found = control.rollouts(0, _MAX_ROLLOUTS).items
    return [one for one in found if number in {one.model, one.champion}]
