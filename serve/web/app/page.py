"""The page: tabs over the control service, refreshed while they are visible."""

from typing import Any, Literal

import gradio as gr
from fastapi import FastAPI, HTTPException, Request

from serve.web.access.public_url import PublicUrl
from serve.web.access.roles import Guard, Role
from serve.web.app import panels
from serve.web.app.alert_panel import alert_panel
from serve.web.app.camera_form import camera_form
from serve.web.app.count_panel import count_panel
from serve.web.app.notices import asked, confirming, require
from serve.web.app.render import FOLDER, render
from streetloop.control.port import Control

AUTHOR = "app"
_REFRESH_S = 3.0
_PANELS: dict[str, panels.Draw] = {
    "Counts and alerts": panels.counts,
    "Drift": panels.drift,
    "Review": panels.review,
    "Models": panels.models,
    "Rollout": panels.rollout,
    "Report": panels.report,
    "Health": panels.health,
}
_Look = Literal["primary", "secondary", "stop"]
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_CONFIRM = {
    "promote": confirming("Promote the new version now, whatever the evidence says?"),
    "roll back": confirming("Roll back now? The champion serves all cameras again."),
}


def build_page(control: Control, *, can_log_out: bool = False) -> Any:
    """The page over a control service, as Gradio blocks.

    Args:
        control: Answers every panel, form and button.
        can_log_out: Whether visitors have shown a token.
    """
    with gr.Blocks(title="streetloop", analytics_enabled=False, fill_width=True) as page:
        top = gr.HTML(elem_id="sl-top")
        if can_log_out:
            gr.HTML(render("logout"))
        selected = gr.State("Streets")
        outputs: dict[str, gr.HTML] = {}
        with gr.Tabs():
            with gr.Tab("Streets") as streets:
                gr.HTML(render("wall"))
            streets.select(lambda: "Streets", outputs=selected, **_QUIET)
            with gr.Tab("Recordings") as recordings:
                gr.HTML(render("footage"))
            recordings.select(lambda: "Recordings", outputs=selected, **_QUIET)
            for name, draw in _PANELS.items():
                outputs[name] = _tab(name, draw, control, selected)
            with gr.Tab("Cameras"):
                camera_form(control, AUTHOR)
            with gr.Tab("Zones"):
                gr.HTML(render("zone_editor"))
        _keep_fresh(control, page, top, selected, outputs)
    return page


def _tab(name: str, draw: panels.Draw, control: Control, selected: gr.State) -> gr.HTML:
    with gr.Tab(name) as tab:
        buttons = _BUTTONS.get(name)
        pressed = [] if buttons is None else buttons(control)
        if draw is panels.counts:
            count_panel(control, tab, selected, name)
        shown = gr.HTML()
        if draw is panels.counts:
            alert_panel(control, tab, selected, name, AUTHOR)
    for press in pressed:
        press.then(lambda: panels.drawn(draw, control), outputs=shown, **_QUIET)
    tab.select(lambda: (name, panels.drawn(draw, control)), outputs=[selected, shown], **_QUIET)
    return shown


def _keep_fresh(
    control: Control, page: gr.Blocks, top: gr.HTML, selected: gr.State, shown: dict[str, gr.HTML]
) -> None:
    def refresh(name: str) -> list[Any]:
        fresh = [panels.drawn(draw, control) if name == tab else gr.skip() for tab, draw in _PANELS.items()]
        return [panels.drawn(panels.header, control), *fresh]

    outputs = [top, *shown.values()]
    page.load(refresh, selected, outputs, **_QUIET)
    gr.Timer(_REFRESH_S).tick(refresh, selected, outputs, **_QUIET)


def _rollout_buttons(control: Control) -> list[Any]:
    pressed = []
    with gr.Row(elem_classes="sl-buttons"):
        buttons: list[tuple[str, str, _Look]] = [
            ("Pause", "pause", "secondary"),
            ("Resume", "resume", "secondary"),
            ("Roll back", "roll back", "stop"),
            ("Promote now", "promote", "primary"),
        ]
        for label, wanted, look in buttons:
            button = gr.Button(label, variant=look, size="sm", scale=0, min_width=90)
            pressed.append(button.click(_steering(control, wanted), js=_CONFIRM.get(wanted), **_QUIET))
    with gr.Accordion("New rollout", open=False), gr.Row(equal_height=True):
        version = gr.Textbox(label="Version", placeholder="3", info="number or alias", max_length=64)
        city = gr.Textbox(label="City", placeholder="all", info="empty: all cities", max_length=100)
        start = gr.Button("Start a rollout", variant="primary")

    def begin(request: gr.Request, version: str, city: str) -> None:
        require(request, Role.OPERATOR)
        rollout = asked(lambda: control.start_rollout(version.strip(), city.strip() or None, AUTHOR))
        gr.Info(f"Rollout {rollout.id} is requested.")

    return [*pressed, start.click(begin, [version, city], **_QUIET)]


def _steering(control: Control, wanted: str) -> Any:
    def steer(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        rollout = asked(lambda: control.steer_rollout(wanted, AUTHOR))
        gr.Info(f"Rollout {rollout.id}: {wanted} is requested.")

    return steer


def _learning_buttons(control: Control) -> list[Any]:
    def learn(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        gr.Info(f"Learning run {asked(lambda: control.learn(AUTHOR)).id} is requested.")

    def resume(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        gr.Info(f"Learning run {asked(lambda: control.resume_learning(AUTHOR)).id} resumes.")

    def drop(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        gr.Info(f"Learning run {asked(lambda: control.drop_learning(AUTHOR)).id} is dropped.")

    pressed = []
    with gr.Row(elem_classes="sl-buttons"):
        really = confirming("Drop the open run? What it has trained is lost.")
        buttons: list[tuple[str, Any, _Look, str | None]] = [
            ("Learn now", learn, "primary", None),
            ("Resume the parked run", resume, "secondary", None),
            ("Drop the open run", drop, "stop", really),
        ]
        for label, do, look, js in buttons:
            button = gr.Button(label, variant=look, size="sm", scale=0, min_width=120)
            pressed.append(button.click(do, js=js, **_QUIET))
    return pressed


def _review_buttons(control: Control) -> list[Any]:
    def reopen(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        count = asked(lambda: control.reopen_labels(rejected=True))
        gr.Info(f"{count} rejected frames wait for answers again.")

    with gr.Row(elem_classes="sl-buttons"):
        button = gr.Button("Reopen rejected frames", size="sm", scale=0, min_width=180)
    return [button.click(reopen, **_QUIET)]


_PATH = "/app"
SCRIPTS = ("live.js", "footage.js", "zone_editor.js")
"""Files with what the page does by itself."""


_BUTTONS = {"Review": _review_buttons, "Rollout": _rollout_buttons, "Models": _learning_buttons}
"""What makes the buttons of a tab, and returns their clicks."""


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
        css=(FOLDER / "app.css").read_text(),
        head="".join(f"<script>{(FOLDER / name).read_text()}</script>" for name in SCRIPTS),
    )
    return mounted


def _theme() -> gr.themes.Base:
    """Colors, and system fonts: the browser fetches nothing from elsewhere."""
    plain = ["system-ui", "sans-serif"]
    return gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=plain, font_mono=["ui-monospace", "monospace"]
    ).set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400")
