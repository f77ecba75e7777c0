"""A learning run: what it takes, then its start."""

from typing import Any

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app import panels
from serve.web.app.notices import asked, require
from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.errors import StreetloopError

_ALL_CITIES = "all cities"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def training_form(control: Control, author: str) -> tuple[Any, Any]:
    """Build the form in the open tab.

    Args:
        control: Says what a run takes, and starts it.
        author: Who asks.

    Returns:
        The choice of a city, and what follows the start of a run.
    """
    with gr.Row(elem_classes=["sl-choices", "sl-operator"], equal_height=True):
        city = gr.Dropdown(
            [_ALL_CITIES], value=_ALL_CITIES, label="New training for", interactive=True, min_width=160
        )
        ask = gr.Button("What it takes", size="sm", scale=0, min_width=120)
        start = gr.Button(
            "Learn now", variant="primary", size="sm", scale=0, min_width=120, interactive=False
        )
    shown = gr.HTML(elem_classes="sl-operator")

    def check(request: gr.Request, where: str | None) -> list[Any]:
        require(request, Role.OPERATOR)
        cost = panels.drawn(lambda control: training_cost(control, where), control)
        return [cost, gr.update(interactive=True)]

    def begin(request: gr.Request, where: str | None) -> None:
        require(request, Role.OPERATOR)
        run = asked(lambda: control.learn(author, _city(where)))
        gr.Info(f"Learning run {run.id} is requested.")

    def forget() -> list[Any]:
        return ["", gr.update(interactive=False)]

    outputs = [shown, start]
    ask.click(check, city, outputs, show_progress="minimal", api_visibility="private")
    city.input(forget, outputs=outputs, **_QUIET)
    started = start.click(begin, city, **_QUIET)
    started.success(forget, outputs=outputs, **_QUIET)
    return city, started


def city_choices(control: Control) -> Any:
    """An update of the choice of a city.

    Args:
        control: Knows the cameras.
    """
    try:
        cities = sorted({view.city for view in control.cameras() if view.city})
    except StreetloopError:  # the panel says why
        return gr.skip()
    return gr.update(choices=[_ALL_CITIES, *cities])


def training_cost(control: Control, where: str | None) -> str:
    """What a run would take if it began now, as HTML.

    Args:
        control: Knows it.
        where: A city, or all of them.
    """
    return render("training_cost", check=control.check_learning(_city(where)))


def _city(chosen: str | None) -> str | None:
    return None if chosen in {None, "", _ALL_CITIES} else chosen
