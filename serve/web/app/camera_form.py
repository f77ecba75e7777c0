"""The form for cameras: add, change, remove."""

from typing import Any

import gradio as gr

from serve.web.app.notices import asked
from streetloop.control.port import Control
from streetloop.control.views import CameraView
from streetloop.errors import ConfigError

_NEW_CAMERA = "(a new camera)"
_CONFIRM_REMOVAL = (
    "(...given) => { if (!confirm('Stop this camera? What it recorded stays.')) "
    "throw new Error('not wanted'); return given; }"
)
_URI_HELP = "rtsp://user:password@host/path, file:///clip.mp4 or sim://kingsport/crossing"


def camera_form(control: Control, author: str) -> None:
    """Build fields and buttons in the open tab.

    Args:
        control: Lists, stores and removes the cameras.
        author: Author of the changes in the ledger.
    """
    chosen = gr.Dropdown([_NEW_CAMERA], value=_NEW_CAMERA, label="Camera", interactive=True)
    with gr.Row():
        name = gr.Textbox(label="Id", info="letters, digits, . _ -", max_length=64)
        city = gr.Textbox(label="City", info="groups cameras", max_length=100)
        fps = gr.Textbox(label="Frames per second", info="to analyze; empty: all", max_length=8)
    uri = gr.Textbox(label="Address", info=_URI_HELP, max_length=2000)
    lines = gr.Textbox(
        label="Counting lines",
        lines=2,
        max_length=5000,
        placeholder="avenue: 0.36 0.30 0.74 0.47",
        info="one per row: a name, then x y of both ends as fractions of the picture",
    )
    with gr.Row(elem_classes="sl-buttons"):
        save = gr.Button("Save", variant="primary", scale=0, min_width=160)
        remove = gr.Button("Remove", variant="stop", scale=0, min_width=160, interactive=False)
    fields = [name, city, fps, uri, lines]

    def choices() -> Any:
        found = asked(control.cameras)
        return gr.update(choices=[_NEW_CAMERA, *(view.id for view in found)])

    def fill(which: str) -> list[Any]:
        view = next((view for view in asked(control.cameras) if view.id == which), None)
        return [gr.update(interactive=view is not None), *_values(view)]

    def put(which: str, *values: Any) -> list[Any]:
        view = asked(lambda: _put(control, author, which, *values))
        gr.Info(f"{view.id} is saved; running streams take it up.")
        now = gr.update(choices=choices()["choices"], value=view.id)
        return [now, gr.update(interactive=True), *_values(view)]

    def take_out(which: str) -> list[Any]:
        asked(lambda: control.remove_camera(which, author))
        gr.Info(f"{which} is removed; what it recorded stays.")
        now = gr.update(choices=choices()["choices"], value=_NEW_CAMERA)
        return [now, gr.update(interactive=False), *_values(None)]

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    chosen.focus(choices, outputs=chosen, **quiet)
    chosen.input(fill, chosen, [remove, *fields], **quiet)
    save.click(put, [chosen, *fields], [chosen, remove, *fields], **quiet)
    remove.click(take_out, chosen, [chosen, remove, *fields], js=_CONFIRM_REMOVAL, **quiet)


def _put(control: Control, author: str, which: str, *values: Any) -> CameraView:
    document = _document(*values)
    if which not in {_NEW_CAMERA, document["id"]}:
        raise ConfigError(f"the id of {which} stays; choose {_NEW_CAMERA} for another camera")
    return control.put_camera(document, author, new=which == _NEW_CAMERA)


def _values(view: CameraView | None) -> list[Any]:
    if view is None:
        return ["", "", "", "", ""]
    fps = "" if view.fps is None else f"{view.fps:g}"
    return [view.id, view.city or "", fps, view.uri, write_lines(view)]


def _document(name: str, city: str, fps: str, uri: str, lines: str) -> dict[str, Any]:
    given = {"id": name.strip(), "city": city.strip() or None, "fps": fps.strip() or None}
    found = {key: value for key, value in given.items() if value is not None}
    return {**found, "uri": uri.strip(), "lines": read_lines(lines)}


def read_lines(text: str) -> dict[str, list[list[float]]]:
    """Parse counting lines.

    Args:
        text: One line a row: a name, a colon, then ``x1 y1 x2 y2`` as fractions of the picture.

    >>> read_lines("avenue: 0.1 0.2 0.3 0.4")
    {'avenue': [[0.1, 0.2], [0.3, 0.4]]}

    Raises:
        ConfigError: A row has another form, or a name comes twice.
    """
    found: dict[str, list[list[float]]] = {}
    for row in filter(None, (row.strip() for row in text.splitlines())):
        name, _, rest = row.rpartition(":")
        try:
            x1, y1, x2, y2 = (float(part) for part in rest.replace(",", " ").split())
        except ValueError:
            raise ConfigError(f"counting line {row[:40]!r}: write a name, a colon and four numbers") from None
        if name.strip() in found:
            raise ConfigError(f"counting line {name.strip()[:40]!r} is given twice")
        found[name.strip()] = [[x1, y1], [x2, y2]]
    return found


def write_lines(view: CameraView) -> str:
    """The counting lines of a camera in the form that `read_lines` reads.

    Args:
        view: The camera; its coordinates are fractions of the picture, 0 to 1.
    """
    return "\n".join(
        f"{name}: {' '.join(str(value) for end in ends for value in end)}"
        for name, ends in view.lines.items()
    )
