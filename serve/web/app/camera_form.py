"""The form for cameras: add, change, remove."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app.forms.field_faults import (
    SHOW_FAULTS,
    fault_holder,
    field_id,
    has_faults,
    judged,
    no_faults,
)
from serve.web.app.notices import asked, confirming, require
from serve.web.app.render import render
from streetloop.cameras.camera_file import RECORD_MODES, Camera
from streetloop.cameras.camera_list import ListFormat
from streetloop.cameras.camera_yaml import read_text
from streetloop.cameras.counting_line import CountingLine
from streetloop.control.history.camera_trial import CameraTrialView
from streetloop.control.port import Control
from streetloop.control.views import CameraView
from streetloop.counted_classes import parse_class_flag, write_class_flag
from streetloop.errors import ConfigError, FieldsInvalid

T = TypeVar("T")

_NEW_CAMERA = "(a new camera)"
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_CONFIRM_REMOVAL = confirming(
    "Remove this camera? What it recorded stays; Undo adds it again within ten minutes."
)
_FORM = "camera"
_FIELDS = ("id", "city", "fps", "uri", "lines", "classes", "record", "site")
"""Keys of a camera that the form has a field for, in their order."""
_URI_HELP = "rtsp://user:password@host/path, file:///clip.mp4 or sim://kingsport/crossing"


def camera_form(control: Control, author: str) -> None:
    """Build fields and buttons in the open tab.

    Args:
        control: Lists, stores and removes the cameras.
        author: Author of the changes in the ledger.
    """
    chosen = gr.Dropdown([_NEW_CAMERA], value=_NEW_CAMERA, label="Camera", interactive=True)
    fields, revision, faults = _fields(), gr.State(""), fault_holder()
    shown = [*fields, revision, faults]
    save, test, remove, several = _buttons()
    removed, undo = _undo_button()
    seen = gr.HTML()

    def choices() -> Any:
        return gr.update(choices=_choices(control))

    def cities() -> Any:
        return gr.update(choices=sorted({view.city for view in asked(control.cameras) if view.city}))

    def fill(which: str) -> list[Any]:
        view = next((view for view in asked(control.cameras) if view.id == which), None)
        return [gr.update(interactive=view is not None), *_shown(view)]

    def put(request: gr.Request, which: str, seen: str, *values: Any) -> list[Any]:
        require(request, Role.ADMIN)
        return _saved(control, author, which, seen, *values)

    def take_in(request: gr.Request, sent: str) -> Any:
        require(request, Role.ADMIN)
        _import(control, author, Path(sent))
        return choices()

    def look(request: gr.Request, *values: Any) -> list[Any]:
        require(request, Role.ADMIN)
        return _tried(control, *values)

    def look_if_saved(request: gr.Request, said: str, *values: Any) -> list[Any]:
        return [gr.skip(), gr.skip()] if has_faults(said) else look(request, *values)

    def show(*events: Any) -> None:
        for event in events:
            event.success(None, faults, js=SHOW_FAULTS, **_QUIET)

    chosen.focus(choices, outputs=chosen, **_QUIET)
    fields[1].focus(cities, outputs=fields[1], **_QUIET)
    several.upload(take_in, several, chosen, api_visibility="private")
    tried = test.click(look, fields, [seen, faults], api_visibility="private")
    filled = chosen.input(fill, chosen, [remove, *shown], **_QUIET)
    saved = save.click(put, [chosen, revision, *fields], [chosen, remove, *shown], **_QUIET)
    saved.success(look_if_saved, [faults, *fields], [seen, faults], api_visibility="private")
    take_out, put_back = _removal(control, author)
    both = [removed, undo, chosen, remove, *shown]
    gone = remove.click(take_out, chosen, both, js=_CONFIRM_REMOVAL, **_QUIET)
    back = undo.click(put_back, removed, both, **_QUIET)
    show(tried, filled, saved, gone, back)


def _saved(control: Control, author: str, which: str, seen: str, *values: Any) -> list[Any]:
    """Save a camera; updates as `_chosen` has them, which keep what was written if it is wrong."""
    view, said = _judged(lambda: _put(control, author, which, *values, seen=seen))
    if view is None:
        return [*[gr.skip()] * (3 + len(_FIELDS)), said]
    gr.Info(f"{view.id} is saved. Whether it opens stands below in a moment.")
    return _chosen(control, view)


def _tried(control: Control, *values: Any) -> list[Any]:
    """What a camera shows, as HTML, and what is wrong with the fields."""

    def ask() -> CameraTrialView:
        document = _document(*values)
        return control.try_camera({**document, "id": document["id"] or "test"})

    found, said = _judged(ask)
    return ["" if found is None else render("camera_trial", found=found), said]


def _judged(question: Callable[[], T]) -> tuple[T | None, str]:
    return judged(_FORM, _FIELDS, question)


def _removal(control: Control, author: str) -> tuple[Callable[..., list[Any]], Callable[..., list[Any]]]:
    """What removes the chosen camera, and what adds the one again that was removed last."""

    def take_out(request: gr.Request, which: str) -> list[Any]:
        require(request, Role.ADMIN)
        asked(lambda: control.remove_camera(which, author))
        gr.Info(f"{which} is removed; what it recorded stays.")
        offer = gr.update(visible=True, value=f"Undo: add {which} again")
        return [which, offer, *_chosen(control, None)]

    def put_back(request: gr.Request, which: str) -> list[Any]:
        require(request, Role.ADMIN)
        view = asked(lambda: control.restore_camera(which, author))
        gr.Info(f"{view.id} is there again, as it was.")
        return ["", gr.update(visible=False), *_chosen(control, view)]

    return take_out, put_back


def _choices(control: Control) -> list[str]:
    return [_NEW_CAMERA, *(view.id for view in asked(control.cameras))]


def _chosen(control: Control, view: CameraView | None) -> list[Any]:
    """Updates of choice, button that removes and fields, which show a camera or a new one."""
    which = _NEW_CAMERA if view is None else view.id
    now = gr.update(choices=_choices(control), value=which)
    return [now, gr.update(interactive=view is not None), *_shown(view)]


def _undo_button() -> tuple[gr.State, gr.Button]:
    """The id of the camera that was removed last, and the button that adds it again."""
    removed = gr.State("")
    with gr.Row(elem_classes=["sl-buttons", "sl-admin"]):
        return removed, gr.Button("Undo", visible=False, scale=0, min_width=160)


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button, gr.UploadButton]:
    with gr.Row(elem_classes=["sl-buttons", "sl-admin"]):
        save = gr.Button("Save", variant="primary", scale=0, min_width=160)
        test = gr.Button("Test", scale=0, min_width=160)
        remove = gr.Button("Remove", variant="stop", scale=0, min_width=160, interactive=False)
        several = gr.UploadButton(
            "Import a list", file_types=[".csv", ".yaml", ".yml"], scale=0, min_width=160
        )
    return save, test, remove, several


def _fields() -> list[Any]:
    """The fields in the order of `_values`."""
    ids = {name: field_id(_FORM, name) for name in _FIELDS}
    with gr.Row():
        name = gr.Textbox(label="Id", info="letters, digits, . _ -", max_length=64, elem_id=ids["id"])
        city = gr.Dropdown(
            [],
            label="City",
            info="groups cameras",
            allow_custom_value=True,
            interactive=True,
            elem_id=ids["city"],
        )
        fps = gr.Textbox(
            label="Frames per second", info="to analyze; empty: all", max_length=8, elem_id=ids["fps"]
        )
        record = gr.Dropdown(
            list(RECORD_MODES),
            value="off",
            label="Record",
            info="what is kept as video",
            elem_id=ids["record"],
        )
        site = gr.Textbox(
            label="Site", info="of the nodes that read it; empty: any", max_length=64, elem_id=ids["site"]
        )
    uri = gr.Textbox(label="Address", info=_URI_HELP, max_length=2000, elem_id=ids["uri"])
    lines = gr.Textbox(
        label="Counting lines",
        lines=2,
        max_length=5000,
        placeholder="avenue: 0.36 0.30 0.74 0.47",
        info="one per row: a name, then x y of both ends as fractions of the picture; Zones draws them",
        elem_id=ids["lines"],
    )
    classes = gr.Textbox(
        label="Classes",
        max_length=2000,
        placeholder="person, car, truck=truck+bus",
        info="what is tracked and counted; empty: the classes of the settings",
        elem_id=ids["classes"],
    )
    return [name, city, fps, uri, lines, classes, record, site]


def _put(control: Control, author: str, which: str, *values: Any, seen: str = "") -> CameraView:
    document = _document(*values)
    if which not in {_NEW_CAMERA, document["id"]}:
        why = f"the id of {which} stays; choose {_NEW_CAMERA} for another camera"
        raise FieldsInvalid(why, {"id": why})
    new = which == _NEW_CAMERA
    if not new:
        document |= _hidden(control.camera(which))
    return control.put_camera(document, author, new=new, seen=None if new else seen or None)


def _import(control: Control, author: str, file: Path) -> None:
    form: ListFormat = "csv" if file.suffix.lower() == ".csv" else "yaml"
    found = asked(lambda: control.import_cameras(read_text(file, file.name), form, file.name, author))
    gr.Info(f"{found.in_words()}; running streams take it up.")


def _hidden(view: CameraView) -> dict[str, Any]:
    """What a camera has and the form does not show; it stays as it is."""
    return view.model_dump(mode="json", include=set(Camera.model_fields) - set(_FIELDS), exclude_none=True)


def _shown(view: CameraView | None) -> list[Any]:
    """Values of the fields, the revision that they show, and that nothing is wrong with them."""
    return [*_values(view), "" if view is None else view.revision, no_faults(_FORM)]


def _values(view: CameraView | None) -> list[Any]:
    if view is None:
        return ["", None, *[""] * 4, "off", ""]
    fps = "" if view.fps is None else str(view.fps).removesuffix(".0")
    classes = "" if view.classes is None else write_class_flag(view.classes)
    return [view.id, view.city, fps, view.uri, write_lines(view), classes, view.record, view.site or ""]


def _document(
    name: str,
    city: str | None,
    fps: str,
    uri: str,
    lines: str,
    classes: str,
    record: str = "off",
    site: str = "",
) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": name.strip(),
        "city": (city or "").strip() or None,
        "site": site.strip() or None,
        "fps": fps.strip() or None,
    }
    found = {key: value for key, value in given.items() if value is not None}
    faults = {}
    for key, text, read in (("classes", classes, parse_class_flag), ("lines", lines, read_lines)):
        try:
            if key == "lines" or text.strip():
                found[key] = read(text)
        except ConfigError as error:
            faults[key] = str(error)
    if faults:
        raise FieldsInvalid("; ".join(faults.values()), faults)
    return {**found, "uri": uri.strip(), "record": record}


def read_lines(text: str) -> dict[str, Any]:
    """Parse counting lines.

    Args:
        text: One line a row: a name, a colon, then ``x1 y1 x2 y2`` as fractions of the picture;
            ``classes=`` and ``length_m=`` may follow.

    >>> read_lines("avenue: 0.1 0.2 0.3 0.4 classes=car,heavy=bus+truck")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'avenue': {'points': [[0.1, 0.2], [0.3, 0.4]],
     'classes': {'car': ['car'], 'heavy': ['bus', 'truck']}}}
    >>> read_lines("stretch: 0.1 0.2 0.3 0.4 length_m=60")
    {'stretch': {'points': [[0.1, 0.2], [0.3, 0.4]], 'length_m': 60.0}}

    Raises:
        ConfigError: A row has another form, or a name comes twice.
    """
    found: dict[str, Any] = {}
    for row in filter(None, (row.strip() for row in text.splitlines())):
        name, _, rest = row.rpartition(":")
        try:
            numbers, options = _parts(rest)
            x1, y1, x2, y2 = (float(number) for number in numbers)
            more = {option: _OPTIONS[option](value) for option, value in options.items()}
        except (ValueError, KeyError):
            raise ConfigError(f"counting line {row[:40]!r}: write a name, a colon and four numbers") from None
        if name.strip() in found:
            raise ConfigError(f"counting line {name.strip()[:40]!r} is given twice")
        points = [[x1, y1], [x2, y2]]
        found[name.strip()] = {"points": points, **more} if more else points
    return found


_OPTIONS: dict[str, Callable[[str], Any]] = {"classes": parse_class_flag, "length_m": float}


def _parts(text: str) -> tuple[list[str], dict[str, str]]:
    """The numbers and the options of a counting line."""
    words = shlex.split(text)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    numbers = " ".join(word for word in words if "=" not in word).replace(",", " ").split()
    return numbers, options


def write_lines(view: CameraView) -> str:
    """The counting lines of a camera in the form that `read_lines` reads.

    Args:
        view: The camera; its coordinates are fractions of the picture, 0 to 1.
    """
    return "\n".join(f"{name}: {' '.join(_words(line))}" for name, line in view.lines.items())


def _words(line: CountingLine) -> Iterator[str]:
    yield from (str(value) for point in line.points for value in point)
    if line.classes is not None:
        yield shlex.quote(f"classes={write_class_flag(line.classes)}")
    if line.length_m is not None:
        yield f"length_m={line.length_m:g}"
