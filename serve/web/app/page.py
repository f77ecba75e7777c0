"""The page: tabs over the control service, refreshed while they are visible."""

from typing import Any, Literal

import gradio as gr
from fastapi import FastAPI, HTTPException, Request

from serve.web.access import Guard
from serve.web.app import panels
from serve.web.app.camera_form import camera_form
from serve.web.app.count_panel import count_panel
from serve.web.app.notices import asked
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
    "Health": panels.health,
}
_Look = Literal["primary", "secondary", "stop"]
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_CONFIRM_PROMOTION = (
    "(...given) => { if (!confirm('Promote the new version now, whatever the evidence "
    "says?')) throw new Error('not wanted'); return given; }"
)


def build_page(control: Control) -> Any:
    """The page over a control service, as Gradio blocks.

    Args:
        control: Answers every panel, form and button.
    """
    with gr.Blocks(title="streetloop", analytics_enabled=False, fill_width=True) as page:
        top = gr.HTML(elem_id="sl-top")
        selected = gr.State("Streets")
        outputs: dict[str, gr.HTML] = {}
        with gr.Tabs():
            with gr.Tab("Streets") as streets:
                gr.HTML(render("wall"))
            streets.select(lambda: "Streets", outputs=selected, **_QUIET)
            for name, draw in _PANELS.items():
                outputs[name] = _tab(name, draw, control, selected)
            with gr.Tab("Cameras"):
                camera_form(control, AUTHOR)
        _keep_fresh(control, page, top, selected, outputs)
    return page


def _tab(name: str, draw: panels.Draw, control: Control, selected: gr.State) -> gr.HTML:
    with gr.Tab(name) as tab:
        buttons = _BUTTONS.get(name)
        pressed = [] if buttons is None else buttons(control)
        if draw is panels.counts:
            count_panel(control, tab, selected, name)
        shown = gr.HTML()
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
            js = _CONFIRM_PROMOTION if wanted == "promote" else None
            pressed.append(button.click(_steering(control, wanted), js=js, **_QUIET))
    with gr.Accordion("New rollout", open=False), gr.Row(equal_height=True):
        version = gr.Textbox(label="Version", placeholder="3", info="number or alias", max_length=64)
        city = gr.Textbox(label="City", placeholder="all", info="empty: all cities", max_length=100)
        start = gr.Button("Start a rollout", variant="primary")

    def begin(version: str, city: str) -> None:
        rollout = asked(lambda: control.start_rollout(version.strip(), city.strip() or None, AUTHOR))
        gr.Info(f"Rollout {rollout.id} is requested.")

    return [*pressed, start.click(begin, [version, city], **_QUIET)]


def _steering(control: Control, wanted: str) -> Any:
    def steer() -> None:
        rollout = asked(lambda: control.steer_rollout(wanted, AUTHOR))
        gr.Info(f"Rollout {rollout.id}: {wanted} is requested.")

    return steer


def _learning_buttons(control: Control) -> list[Any]:
    def learn() -> None:
        gr.Info(f"Learning run {asked(lambda: control.learn(AUTHOR)).id} is requested.")

    def resume() -> None:
        gr.Info(f"Learning run {asked(lambda: control.resume_learning(AUTHOR)).id} resumes.")

    def drop() -> None:
        gr.Info(f"Learning run {asked(lambda: control.drop_learning(AUTHOR)).id} is dropped.")

    pressed = []
    with gr.Row(elem_classes="sl-buttons"):
        buttons: list[tuple[str, Any, _Look]] = [
            ("Learn now", learn, "primary"),
            ("Resume the parked run", resume, "secondary"),
            ("Drop the open run", drop, "stop"),
        ]
        for label, do, look in buttons:
            button = gr.Button(label, variant=look, size="sm", scale=0, min_width=120)
            pressed.append(button.click(do, **_QUIET))
    return pressed


def _review_buttons(control: Control) -> list[Any]:
    def reopen() -> None:
        count = asked(lambda: control.reopen_labels(rejected=True))
        gr.Info(f"{count} rejected frames wait for answers again.")

    with gr.Row(elem_classes="sl-buttons"):
        button = gr.Button("Reopen rejected frames", size="sm", scale=0, min_width=180)
    return [button.click(reopen, **_QUIET)]


_BUTTONS = {"Review": _review_buttons, "Rollout": _rollout_buttons, "Models": _learning_buttons}
"""What makes the buttons of a tab, and returns their clicks."""


def mount_page(api: FastAPI, control: Control, guard: Guard) -> FastAPI:
    """Mount the page under ``/app`` of an API.

    Args:
        api: The API.
        control: Answers every panel, form and button.
        guard: Checks the token; a browser without it is redirected to ``/login``.

    Returns:
        The API with the page.
    """

    def visitor(request: Request) -> str | None:
        if guard.admits(request.headers, request.cookies):
            return "visitor"
        if "text/html" in request.headers.get("accept", ""):
            raise HTTPException(303, headers={"Location": "/login"})
        return None

    mounted: FastAPI = gr.mount_gradio_app(
        api,
        build_page(control),
        "/app",
        auth_dependency=visitor,
        footer_links=[],
        show_error=True,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        max_file_size=1,
        theme=_theme(),
        css=(FOLDER / "app.css").read_text(),
        head=f"<script>{(FOLDER / 'live.js').read_text()}</script>",
    )
    return mounted


def _theme() -> gr.themes.Base:
    """Colors, and system fonts: the browser fetches nothing from elsewhere."""
    plain = ["system-ui", "sans-serif"]
    return gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=plain, font_mono=["ui-monospace", "monospace"]
    )
