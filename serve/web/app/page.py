"""The page: tabs over the control service, refreshed while they are visible."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI, HTTPException, Request

from serve.web.access.public_url import PublicUrl
from serve.web.access.roles import Guard
from serve.web.app import panels
from serve.web.app.action_buttons import learning_buttons, review_buttons, rollout_buttons
from serve.web.app.alert_panel import alert_panel
from serve.web.app.camera_form import camera_form
from serve.web.app.camera_page import add_camera_page
from serve.web.app.cities.city_panel import city_panel
from serve.web.app.compare_panel import compare_panel
from serve.web.app.count_panel import count_panel
from serve.web.app.events.event_page import add_event_page
from serve.web.app.first_run.first_run_panel import FirstRunPanel
from serve.web.app.render import read_texts, render
from serve.web.app.version_page import add_version_page
from streetloop.control.port import Control

AUTHOR = "app"
_CHARTS = {
    "Counts and alerts": ("objects", "crossings"),
    "Drift": ("drift", "confidence"),
    "Review": ("labels",),
    "Models": ("accuracy", "measured"),
    "Rollout": ("accuracy", "measured"),
    "Health": ("fps", "lag", "drops"),
}
"""The charts of a tab."""
_PANELS: dict[str, panels.Draw] = {
    "Counts and alerts": panels.counts,
    "Drift": panels.drift,
    "Review": panels.review,
    "Models": panels.models,
    "Rollout": panels.rollout,
    "Report": panels.report,
    "Health": panels.health,
}
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class _Shown:
    """What a tab shows and keeps fresh.

    Attributes:
        outputs: Its components.
        fresh: Their values now.
    """

    outputs: list[Any]
    fresh: Callable[[], list[Any]]


def build_page(control: Control, *, can_log_out: bool = False) -> Any:
    """The page over a control service, as Gradio blocks.

    Args:
        control: Answers every panel, form and button.
        can_log_out: Whether visitors have shown a token.
    """
    with gr.Blocks(title="streetloop", analytics_enabled=False, fill_width=True) as page:
        top = gr.HTML(elem_id="sl-top")
        steps = gr.HTML(elem_id="sl-steps")
        if can_log_out:
            gr.HTML(render("logout"))
        # Kept by the browser: a server that comes back knows which tab is open.
        selected: Any = gr.Textbox("Streets", visible=False)
        outputs: dict[str, _Shown] = {}
        with gr.Tabs():
            outputs["Streets"] = _streets(control, selected)
            with gr.Tab("Recordings") as recordings:
                gr.HTML(render("footage"))
            recordings.select(lambda: "Recordings", outputs=selected, **_QUIET)
            for name, draw in _PANELS.items():
                outputs[name] = _tab(name, draw, control, selected)
            with gr.Tab("Cameras"):
                camera_form(control, AUTHOR)
            with gr.Tab("Cities") as cities:
                city_panel(control, cities, AUTHOR)
            with gr.Tab("Zones"):
                gr.HTML(render("zone_editor"))
        _keep_fresh(control, page, [top, steps], selected, outputs)
    return page


def _streets(control: Control, selected: Any) -> _Shown:
    with gr.Tab("Streets") as tab:
        first_run = FirstRunPanel(control, AUTHOR)
        gr.HTML(render("wall"))
    for press in first_run.pressed:
        press.then(first_run.fresh, outputs=first_run.outputs, **_QUIET)
    tab.select(lambda: ["Streets", *first_run.fresh()], outputs=[selected, *first_run.outputs], **_QUIET)
    return _Shown(first_run.outputs, first_run.fresh)


def _tab(name: str, draw: panels.Draw, control: Control, selected: Any) -> _Shown:
    with gr.Tab(name) as tab:
        make = _BUTTONS.get(name)
        row = None if make is None else make(control, AUTHOR)
        if draw is panels.counts:
            count_panel(control, tab, selected, name)
        shown = gr.HTML()
        if draw is panels.review:
            gr.HTML('<div id="sl-review"></div>')
        if draw is panels.models:
            compare_panel(control, tab, AUTHOR)
            gr.HTML(render("model_upload"))
        if name in _CHARTS:
            gr.HTML(render("history", charts=_CHARTS[name], camera=None))
        if draw is panels.counts:
            alert_panel(control, tab, selected, name, AUTHOR)

    def fresh() -> list[Any]:
        return [panels.drawn(draw, control), *([] if row is None else row.look())]

    outputs = [shown, *([] if row is None else row.buttons)]
    for press in [] if row is None else row.pressed:
        press.then(fresh, outputs=outputs, **_QUIET)
    tab.select(lambda: [name, *fresh()], outputs=[selected, *outputs], **_QUIET)
    return _Shown(outputs, fresh)


def _keep_fresh(
    control: Control, page: gr.Blocks, top: list[gr.HTML], selected: Any, tabs: dict[str, _Shown]
) -> None:
    """Keep the header, the steps of the loop and the open tab fresh."""

    def refresh(name: str) -> list[Any]:
        updates: list[Any] = [panels.drawn(draw, control) for draw in (panels.header, panels.loop)]
        for tab, shown in tabs.items():
            updates += shown.fresh() if name == tab else [gr.skip() for _ in shown.outputs]
        return updates

    outputs = [*top, *(one for shown in tabs.values() for one in shown.outputs)]
    page.load(refresh, selected, outputs, **_QUIET)
    # Pressed by shell.js every few seconds, as long as the page is seen.
    gr.Button("refresh", elem_id="sl-refresh", visible="hidden").click(refresh, selected, outputs, **_QUIET)


_PATH = "/app"
SCRIPTS = (
    "vendor/uplot.min.js",
    "shell.js",
    "away.js",
    "hints.js",
    "first_run.js",
    "field_faults.js",
    "toasts.js",
    "charts.js",
    "curves.js",
    "model_upload.js",
    "live.js",
    "review.js",
    "footage.js",
    "camera_link.js",
    "zone_editor.js",
)
"""Files with what the page does by itself."""
STYLES = (
    "vendor/uplot.min.css",
    "app.css",
    "charts.css",
    "review.css",
    "versions.css",
    "first_run.css",
    "toasts.css",
)


_BUTTONS = {"Review": review_buttons, "Rollout": rollout_buttons, "Models": learning_buttons}
"""What makes the buttons of a tab."""


def mount_page(api: FastAPI, control: Control, guard: Guard, public_url: str | None = None) -> FastAPI:
    """Mount the page under ``/app`` of an API.

    Args:
        api: The API.
        control: Answers every panel, form and button.
        guard: Knows the role of a visitor; a browser without one is redirected to ``/login``.
        public_url: Where browsers reach the server; None if it is where it listens.

    Returns:
        The API with the page.
    """

    def visitor(request: Request) -> str | None:
        role = guard.role_of(request.headers, request.cookies)
        if role is not None:
            return str(role)
        if "text/html" in request.headers.get("accept", ""):
            raise HTTPException(303, headers={"Location": "/login"})
        return None

    add_camera_page(api, control, guard)
    add_version_page(api, control, guard)
    add_event_page(api, control, guard)
    if public_url is not None:
        api.add_middleware(PublicUrl, path=_PATH, url=public_url)
    mounted: FastAPI = gr.mount_gradio_app(
        api,
        build_page(control, can_log_out=bool(guard.tokens)),
        _PATH,
        root_path=_PATH,
        auth_dependency=visitor,
        footer_links=[],
        show_error=True,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        max_file_size=1,
        theme=_theme(),
        css="\n".join(read_texts(STYLES)),
        head="".join(f"<script>{text}</script>" for text in read_texts(SCRIPTS)),
    )
    return mounted


def _theme() -> gr.themes.Base:
    """Colors, and system fonts: the browser fetches nothing from elsewhere."""
    plain = ["system-ui", "sans-serif"]
    return gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=plain, font_mono=["ui-monospace", "monospace"]
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        button_cancel_background_fill="#b91c1c",
        button_cancel_background_fill_hover="#991b1b",
        button_cancel_background_fill_dark="#b91c1c",
        button_cancel_background_fill_hover_dark="#dc2626",
    )
