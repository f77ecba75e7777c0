"""The panel that leads a new installation, and the buttons that try the simulated city."""

from typing import Any

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app.first_run.first_steps import first_steps
from serve.web.app.first_run.sample_cameras import sample_list
from serve.web.app.notices import asked, require
from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.errors import StreetloopError

_ALL = 4
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class FirstRunPanel:
    """The steps, and under them the buttons as long as there is no camera.

    Attributes:
        outputs: Its components.
        pressed: What follows a press of each button.

    Args:
        control: Lists and adds cameras.
        author: Author of the cameras in the ledger.
    """

    def __init__(self, control: Control, author: str) -> None:
        self._control = control
        steps = gr.HTML()
        with gr.Row(elem_classes=["sl-buttons", "sl-admin"], visible=False) as row:
            buttons = [
                gr.Button("Try one street of the city", variant="primary", size="sm", scale=0),
                gr.Button("Try four streets", size="sm", scale=0),
            ]
        self.outputs: list[Any] = [steps, row]
        self.pressed = [
            button.click(self._adding(count, author), **_QUIET)
            for button, count in zip(buttons, (1, _ALL), strict=True)
        ]

    def fresh(self) -> list[Any]:
        """Values of the outputs now: nothing once all steps are done, or cameras are unknown."""
        try:
            cameras = self._control.cameras()
        except StreetloopError:  # the header says why
            return ["", gr.update(visible=False)]
        steps = first_steps(cameras)
        done = sum(step.done for step in steps)
        shown = "" if done == len(steps) else render("first_run", steps=steps, done=done, is_new=not cameras)
        return [shown, gr.update(visible=not cameras)]

    def _adding(self, count: int, author: str) -> Any:
        def add(request: gr.Request) -> None:
            require(request, Role.ADMIN)
            gr.Info(asked(lambda: try_the_city(self._control, author, count)))

        return add


def try_the_city(control: Control, author: str, count: int = _ALL) -> str:
    """Add cameras of the simulated city, all of them or none.

    Args:
        control: Adds them.
        author: Author of the cameras in the ledger.
        count: How many at most, 1 to 4.

    Returns:
        A sentence for people.
    """
    cameras = sample_list(count, [camera.id for camera in control.cameras()])
    if not cameras:
        return "The streets of the city are there already."
    found = control.import_cameras(cameras, "yaml", "the simulated city", author)
    return f"{', '.join(found.added)}: added; pictures arrive within seconds."
