"""The tab of cities: what they have, cameras that are put into one, and another name."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app import panels
from serve.web.app.forms.field_faults import SHOW_FAULTS, fault_holder, field_id, judged, no_faults
from serve.web.app.notices import confirming, require
from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.errors import FieldsInvalid, StreetloopError

_CONFIRM_NAME = confirming("Rename this city? Its cameras restart, and their counts continue.")
_GROUP, _NAME = "city-group", "city-name"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def city_panel(control: Control, tab: gr.Tab, author: str) -> None:
    """Build the list and the forms in the open tab.

    Args:
        control: Answers the questions.
        tab: The tab; all is listed anew when it is selected.
        author: Author of the changes in the ledger.
    """
    shown, faults = gr.HTML(), [fault_holder(), fault_holder()]
    with gr.Row(elem_classes="sl-admin"):
        name = gr.Textbox(
            label="Name of the city, also of a new one", max_length=100, elem_id=field_id(_GROUP, "city")
        )
        cameras = gr.Dropdown(
            [],
            label="Cameras of the city",
            multiselect=True,
            interactive=True,
            elem_id=field_id(_GROUP, "cameras"),
        )
    with gr.Row(elem_classes=["sl-buttons", "sl-admin"]):
        group = gr.Button("Put them there", variant="primary", scale=0, min_width=160)
    with gr.Row(elem_classes="sl-admin"):
        city = gr.Dropdown([], label="City to rename", interactive=True, elem_id=field_id(_NAME, "old"))
        other = gr.Textbox(label="New name", max_length=100, elem_id=field_id(_NAME, "city"))
    with gr.Row(elem_classes=["sl-buttons", "sl-admin"]):
        rename = gr.Button("Rename", scale=0, min_width=160)
    outputs = [shown, name, cameras, city, other, *faults]

    def fresh() -> list[Any]:
        lists = [panels.drawn(cities, control), "", *_choices(control), ""]
        return [*lists, no_faults(_GROUP), no_faults(_NAME)]

    def told(said: str | None, *wrong: str) -> list[Any]:
        if said is None:
            return [*[gr.skip()] * (len(outputs) - len(wrong)), *wrong]
        gr.Info(said)
        return fresh()

    def put(request: gr.Request, name: str, cameras: Sequence[str] | None) -> list[Any]:
        require(request, Role.ADMIN)
        said, wrong = judged(
            _GROUP, ("city", "cameras"), lambda: put_there(control, author, name, cameras or [])
        )
        return told(said, wrong, no_faults(_NAME))

    def call(request: gr.Request, city: str | None, other: str) -> list[Any]:
        require(request, Role.ADMIN)
        said, wrong = judged(_NAME, ("old", "city"), lambda: rename_it(control, author, city, other))
        return told(said, no_faults(_GROUP), wrong)

    opened = tab.select(fresh, outputs=outputs, **_QUIET)
    grouped = group.click(put, [name, cameras], outputs, **_QUIET)
    renamed = rename.click(call, [city, other], outputs, js=_CONFIRM_NAME, **_QUIET)
    for event in (opened, grouped, renamed):
        for one in faults:
            event.success(None, one, js=SHOW_FAULTS, **_QUIET)


def cities(control: Control) -> str:
    """The cities as HTML."""
    return render("cities", cities=control.cities())


def put_there(control: Control, author: str, name: str, cameras: Sequence[str]) -> str:
    """Put cameras into a city.

    Args:
        control: Carries it out.
        author: Who asks.
        name: Of the city, as it was written.
        cameras: Their ids.

    Returns:
        A sentence for people.

    Raises:
        FieldsInvalid: A field is empty, or the name is wrong.
    """
    if not name.strip():
        why = "write the name of the city"
        raise FieldsInvalid(why, {"city": why})
    found = control.group_cameras(name.strip(), list(cameras), author)
    return f"{found.name} has {len(found.cameras)} camera{'s' if len(found.cameras) > 1 else ''} now."


def rename_it(control: Control, author: str, city: str | None, name: str) -> str:
    """Give a city another name.

    Args:
        control: Carries it out.
        author: Who asks.
        city: The one that was chosen.
        name: As it was written.

    Returns:
        A sentence for people.

    Raises:
        FieldsInvalid: A field is empty, or the name is wrong.
    """
    faults = {} if city else {"old": "choose the city"}
    if not name.strip():
        faults["city"] = "write its new name"
    if not city or faults:
        raise FieldsInvalid("choose the city, and write its new name", faults)
    return f"{city} is called {control.rename_city(city, name.strip(), author).name} now."


def _choices(control: Control) -> list[Any]:
    """Updates of the lists of cameras and of cities; nothing is chosen."""
    try:
        views = control.cameras()
    except StreetloopError:  # the list says why
        return [gr.skip(), gr.skip()]
    names = sorted({view.city for view in views if view.city})
    return [gr.update(choices=[view.id for view in views], value=[]), gr.update(choices=names, value=None)]
