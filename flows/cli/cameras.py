"""``streetloop camera``: list, add, edit, remove; whether streams run or not."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.cli.user import current_user
from flows.service.control_service import ControlService
from streetloop.cameras import load_cameras
from streetloop.control import CameraView
from streetloop.errors import ConfigError, NotFound
from streetloop.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Cameras beside those of the camera file; running streams take changes up."
)

File = Annotated[
    Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="The camera file that `up` is given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and only that.")]
CameraId = Annotated[str, typer.Argument(metavar="ID", help="Of the camera.")]
Address = Annotated[str, typer.Argument(metavar="URI", help="rtsp://, file:// or sim://.")]
City = Annotated[str | None, typer.Option(help="Groups cameras.")]
Fps = Annotated[float | None, typer.Option(help="Frames to analyse a second.")]
Transport = Annotated[str | None, typer.Option(help="How RTSP carries pictures: tcp or udp.")]
Lines = Annotated[
    list[str] | None,
    typer.Option("--line", metavar="NAME=X1,Y1,X2,Y2", help="A counting line; once for each."),
]

_KEYS = ("id", "uri", "city", "fps", "transport", "lines")


@app.command(name="list")
def list_cameras(file: File = None, as_json: Json = False) -> None:
    """Those of the camera file, if it is given, and what was changed since."""
    views = _house(file).cameras()
    if as_json:
        plain = [view.model_dump(mode="json", include=set(_KEYS)) for view in views]
        sys.stdout.write(json.dumps(plain, indent=2) + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("camera", "city", "fps", "address", "lines"):
        table.add_column(name, overflow="fold")
    for view in views:
        fps = "" if view.fps is None else f"{view.fps:g}"
        cells = (view.id, view.city or "", fps, view.uri, ", ".join(view.lines))
        table.add_row(*(Text(cell) for cell in cells))
    if not views:
        Console().print("no camera yet: `streetloop camera add ID URI`, or give --file")
        return
    Console(highlight=False).print(table)


@app.command()
def add(
    camera_id: CameraId,
    uri: Address,
    city: City = None,
    fps: Fps = None,
    transport: Transport = None,
    line: Lines = None,
    file: File = None,
) -> None:
    """Add a camera; running streams take it up."""
    document = _given(uri=uri, city=city, fps=fps, transport=transport, lines=_lines(line))
    view = _house(file).put_camera({**document, "id": camera_id}, current_user(), new=True)
    _say(f"{view.id} is added")


@app.command()
def edit(
    camera_id: CameraId,
    uri: Annotated[str | None, typer.Option(help="Another address.")] = None,
    city: City = None,
    fps: Fps = None,
    transport: Transport = None,
    line: Lines = None,
    file: File = None,
) -> None:
    """Change what is given of a camera; an empty --city takes it out of its city."""
    house = _house(file)
    before = _find(house, camera_id).model_dump(mode="json", include=set(_KEYS))
    changed = _given(uri=uri, city=city, fps=fps, transport=transport, lines=_lines(line))
    wanted = {**before, **changed}
    document = {key: value for key, value in wanted.items() if value is not None and value != ""}
    house.put_camera(document, current_user(), new=False)
    _say(f"{camera_id} is changed")


@app.command()
def remove(camera_id: CameraId, file: File = None) -> None:
    """Take a camera out; what it recorded stays."""
    house = _house(file)
    house.remove_camera(_find(house, camera_id).id, current_user())
    _say(f"{camera_id} is removed")


def _house(file: Path | None) -> ControlService:
    return ControlService(Settings(), [] if file is None else load_cameras(file).cameras)


def _find(house: ControlService, camera_id: str) -> CameraView:
    for view in house.cameras():
        if view.id == camera_id:
            return view
    raise NotFound(f"there is no camera {camera_id[:64]!r}; is it one of a file? give --file")


def _lines(given: list[str] | None) -> dict[str, Any] | None:
    """Counting lines as they are written on the command line.

    Raises:
        ConfigError: One is written otherwise.
    """
    if given is None:
        return None
    found: dict[str, Any] = {}
    for text in given:
        name, _, rest = text.rpartition("=")
        try:
            x1, y1, x2, y2 = (float(part) for part in rest.split(","))
        except ValueError:
            raise ConfigError(f"--line {text[:40]!r}: write NAME=X1,Y1,X2,Y2") from None
        found[name] = [[x1, y1], [x2, y2]]
    return found


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _say(sentence: str) -> None:
    Console(stderr=True).print(f"{sentence}: running streams take it up", highlight=False, markup=False)
