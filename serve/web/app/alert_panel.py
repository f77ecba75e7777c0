"""The alert list: events by camera, kind and state, and a button that acknowledges one."""

from typing import Any

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app import panels
from serve.web.app.forms.field_faults import SHOW_FAULTS, fault_holder, field_id, judged
from serve.web.app.notices import asked, require
from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.control.views import EventView
from streetloop.errors import FieldsInvalid, NotFound

_FORM, _NUMBER = "event", "number"
_ALL = "all"
_ONGOING, _UNSEEN = "ongoing", "not acknowledged"
_STATES = (_ALL, _ONGOING, _UNSEEN)
_LOOK_BACK, _MAX_SHOWN = 200, 30
_MAX_NUMBER = 2**31 - 1
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def alert_panel(control: Control, tab: gr.Tab, selected: gr.State, name: str, author: str) -> None:
    """Build the choice, the list and the button in the open tab.

    Args:
        control: Answers the questions.
        tab: The tab; cameras and kinds are listed anew when it is selected.
        selected: Name of the selected tab; the list is kept fresh while it is ``name``.
        name: Name of the tab.
        author: Who acknowledges.
    """
    gr.HTML("<h2>Alerts</h2>")
    with gr.Row(elem_classes="sl-choices"):
        camera = gr.Dropdown([_ALL], value=_ALL, label="Camera of alerts", interactive=True, min_width=160)
        kind = gr.Dropdown([_ALL], value=_ALL, label="Kind", interactive=True, min_width=160)
        state = gr.Dropdown(list(_STATES), value=_ALL, label="State", interactive=True, min_width=160)
    shown = gr.HTML()
    with gr.Row(elem_classes=["sl-buttons", "sl-operator"]):
        number = gr.Textbox(
            label="Event",
            placeholder="its number",
            max_length=10,
            scale=0,
            min_width=110,
            elem_id=field_id(_FORM, _NUMBER),
        )
        button = gr.Button("Acknowledge", size="sm", scale=0, min_width=120)
    choice, faults = [camera, kind, state], fault_holder()

    def draw(camera: str, kind: str, state: str) -> str:
        return panels.drawn(lambda control: alerts(control, camera, kind, state), control)

    def open_tab(camera: str, kind: str, state: str) -> list[Any]:
        events = asked(lambda: _events(control, None, None, only_open=False))
        cameras = sorted({event.camera_id for event in events if event.camera_id})
        kinds = sorted({event.kind for event in events})
        camera, kind = (camera if camera in cameras else _ALL), (kind if kind in kinds else _ALL)
        lists = [
            gr.update(choices=[_ALL, *cameras], value=camera),
            gr.update(choices=[_ALL, *kinds], value=kind),
        ]
        return [*lists, draw(camera, kind, state)]

    def refresh(now: str, camera: str, kind: str, state: str) -> Any:
        return draw(camera, kind, state) if now == name else gr.skip()

    def acknowledge(request: gr.Request, number: str) -> str:
        require(request, Role.OPERATOR)
        view, wrong = judged(_FORM, [_NUMBER], lambda: acknowledged(control, number, author))
        if view is not None:
            gr.Info(f"Event {view.id} is acknowledged.")
        return wrong

    tab.select(open_tab, choice, [camera, kind, shown], **_QUIET)
    for one in choice:
        one.input(draw, choice, shown, **_QUIET)
    pressed = button.click(acknowledge, number, faults, **_QUIET)
    pressed.success(None, faults, js=SHOW_FAULTS, **_QUIET)
    pressed.then(draw, choice, shown, **_QUIET)
    again = gr.Button("refresh", elem_classes="sl-refresh-slower", visible="hidden")
    again.click(refresh, [selected, *choice], shown, **_QUIET)


def acknowledged(control: Control, number: str, author: str) -> EventView:
    """Acknowledge the event of a number.

    Args:
        control: Carries it out.
        number: As somebody wrote it.
        author: Who acknowledges.

    Raises:
        FieldsInvalid: It is no number, or there is no such event.
    """
    event = event_number(number)
    try:
        return control.acknowledge(event, author)
    except NotFound as error:
        raise FieldsInvalid(str(error), {_NUMBER: str(error)}) from error


def event_number(text: str) -> int:
    """The number of an event as somebody wrote it.

    >>> event_number(" #12 ")
    12

    Args:
        text: Digits; a ``#`` may stand before them.

    Raises:
        FieldsInvalid: It is none.
    """
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits) <= _MAX_NUMBER):
        why = "write the number of the event, as the list has it"
        raise FieldsInvalid(why, {_NUMBER: why})
    return int(digits)


def alerts(control: Control, camera: str = _ALL, kind: str = _ALL, state: str = _ALL) -> str:
    """The newest events as HTML.

    Args:
        control: Knows them.
        camera: Only of this camera; ``all`` for every one.
        kind: Only of this kind; ``all`` for every one.
        state: ``all``, ``ongoing`` or ``not acknowledged``.
    """
    chosen = [None if one == _ALL else one for one in (camera, kind)]
    events = _events(control, *chosen, only_open=state == _ONGOING)
    if state == _UNSEEN:
        events = [event for event in events if event.acknowledged_at is None]
    return render("alerts", control.zone, events=events[:_MAX_SHOWN])


def _events(control: Control, camera: str | None, kind: str | None, *, only_open: bool) -> list[EventView]:
    return control.events(camera, kind, only_open=only_open, offset=0, limit=_LOOK_BACK).items
