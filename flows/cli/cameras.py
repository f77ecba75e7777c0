"""``streetloop camera`` and ``check``: the cameras, and whether they open."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.context import control_of, current_user, settings_of
from flows.cli.output import Json, borderless, plain, print_json, results, say
from flows.cli.run import CamerasArgument, Classes, Model, parse_classes, require_surroundings

if TYPE_CHECKING:
    from flows.service.camera_check import CheckResult
    from flows.service.control_service import ControlService
    from streetloop.cameras.camera_list import ListFormat
    from streetloop.settings import Settings

app = typer.Typer()
camera_app = typer.Typer(
    no_args_is_help=True, help="List, add, edit and remove cameras, also while streams run."
)
app.add_typer(camera_app, name="camera")

File = Annotated[
    Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file that `up` was given.")
]
CameraId = Annotated[str, typer.Argument(metavar="ID", help="Id of the camera.")]
Uri = Annotated[str, typer.Argument(metavar="URI", help="Address, such as rtsp://host/path.")]
City = Annotated[str | None, typer.Option(help="Group of the camera.")]
Site = Annotated[
    str | None, typer.Option(help="Site of the Ray nodes that the camera prefers, such as depot-north.")
]
Fps = Annotated[float | None, typer.Option(help="Frames to analyse a second.")]
Transport = Annotated[str | None, typer.Option(help="RTSP transport: tcp or udp.")]
Record = Annotated[
    str | None, typer.Option(help="What is kept of its video: off, continuous, motion or events.")
]
Audio = Annotated[bool | None, typer.Option("--audio/--no-audio", help="Keep the sound of recordings.")]
Lines = Annotated[
    list[str] | None,
    typer.Option(
        "--line",
        metavar="NAME=X1,Y1,X2,Y2[,METRES]",
        help="Counting line, or with its length one along the road, for speeds; may be given again.",
    ),
]

_LISTED = {"id", "uri", "city", "site", "fps", "transport", "classes", "record", "lines"}
_CONFIGURATION = (*sorted(_LISTED), "anonymise", "audio", "keep", "zones", "mask", "anomalies")


@camera_app.command(name="list")
def list_cameras(context: typer.Context, file: File = None, as_json: Json = False) -> None:
    """List the cameras, with the changes that were made while streams ran."""
    views = _control(context, file).cameras()
    if as_json:
        print_json([view.model_dump(mode="json", include=_LISTED) for view in views])
        return
    if not views:
        results().print("no camera yet: `streetloop camera add ID URI`, or give --file")
        return
    from rich.text import Text

    table = borderless("camera", "city", "fps", "address", "lines")
    for view in views:
        fps = "" if view.fps is None else f"{view.fps:g}"
        cells = (view.id, view.city or "", fps, view.uri, ", ".join(view.lines))
        table.add_row(*(Text(cell) for cell in cells))
    results().print(table)


@camera_app.command()
def add(
    context: typer.Context,
    camera_id: CameraId,
    uri: Uri,
    city: City = None,
    site: Site = None,
    fps: Fps = None,
    transport: Transport = None,
    record: Record = None,
    audio: Audio = None,
    line: Lines = None,
    classes: Classes = None,
    file: File = None,
) -> None:
    """Add a camera."""
    changed = _given(uri=uri, city=city, site=site, fps=fps, transport=transport, lines=_lines(line))
    changed |= _given(record=record, audio=audio)
    document = {"id": camera_id} | changed | _given(classes=parse_classes(classes))
    view = _control(context, file).put_camera(document, current_user(), new=True)
    say(f"{view.id} is added; running streams take it up")


@camera_app.command(name="import")
def import_list(
    context: typer.Context,
    cameras: Annotated[
        Path,
        typer.Argument(metavar="LIST", help="A .csv with the columns id, uri, city ..., or a camera file."),
    ],
    file: File = None,
    as_json: Json = False,
) -> None:
    """Add the cameras of a list, and change those that are there: all of them, or none."""
    from streetloop.cameras.camera_yaml import read_text

    form: ListFormat = "csv" if cameras.suffix.lower() == ".csv" else "yaml"
    found = _control(context, file).import_cameras(read_text(cameras), form, str(cameras), current_user())
    if as_json:
        print_json(plain(found))
    else:
        say(f"{found.in_words()}; running streams take it up")


@camera_app.command()
def edit(
    context: typer.Context,
    camera_id: CameraId,
    uri: Annotated[str | None, typer.Option(help="New address.")] = None,
    city: City = None,
    site: Site = None,
    fps: Fps = None,
    transport: Transport = None,
    record: Record = None,
    audio: Audio = None,
    line: Lines = None,
    classes: Classes = None,
    file: File = None,
) -> None:
    """Change the options that are given; an empty --city or --site removes it."""
    control = _control(context, file)
    _require(control, camera_id)
    before = plain(control.camera(camera_id))
    changed = _given(uri=uri, city=city, site=site, fps=fps, transport=transport, lines=_lines(line))
    changed |= _given(record=record, audio=audio)
    changed |= _given(classes=parse_classes(classes))
    wanted = {key: before[key] for key in _CONFIGURATION} | changed
    document = {key: value for key, value in wanted.items() if value is not None and value != ""}
    control.put_camera(document, current_user(), new=False)
    say(f"{camera_id} is changed; running streams take it up")


@camera_app.command()
def remove(context: typer.Context, camera_id: CameraId, file: File = None) -> None:
    """Remove a camera; its recordings stay."""
    control = _control(context, file)
    _require(control, camera_id)
    control.remove_camera(camera_id, current_user())
    say(f"{camera_id} is removed; running streams stop it")


@app.command()
def check(
    context: typer.Context,
    cameras: CamerasArgument,
    model: Model = None,
    classes: Classes = None,
    as_json: Json = False,
) -> None:
    """Open every camera of a file, and say what it is and what would go wrong at a run."""
    from flows.runtime.ray_cluster import refuse_bad_temporary_folder
    from flows.service.camera_check import check_cameras
    from streetloop.cameras.camera_file import load_cameras

    file = load_cameras(cameras)
    given = {"model": model, "classes": parse_classes(classes)}
    flags = {name: value for name, value in given.items() if value is not None}
    settings = settings_of(context, **{**file.settings, **flags})
    found = []
    try:
        for result in check_cameras(file.cameras, settings):
            found.append(result)
            if not as_json:
                _print_check(result)
        require_surroundings(file, settings)
        refuse_bad_temporary_folder(os.environ)
    finally:
        if as_json:
            print_json([_checked(result) for result in found])
    _say_what_hinders_now(settings)
    if any(result.problem is not None for result in found):
        raise typer.Exit(1)


def _say_what_hinders_now(settings: "Settings") -> None:
    """Say what would refuse a run at this moment: as a rule it is a system that runs already."""
    from flows.service.camera_check import refuse_system_that_runs
    from serve.web.access.addresses import refuse_bad_address
    from streetloop.errors import ConfigError

    try:
        refuse_system_that_runs(settings)
    except ConfigError as error:
        say(f"`run` and `up` would be refused now: {error}")
        return
    try:
        if settings.app_port:
            refuse_bad_address(settings)
    except ConfigError as error:
        say(f"`up` would be refused now: {error}")


def _checked(result: "CheckResult") -> dict[str, Any]:
    info = result.info
    names = ("codec", "width", "height", "fps")
    return {
        "camera": result.camera.id,
        "uri": str(result.camera.uri),
        "ok": result.problem is None,
        "problem": result.problem,
        "warnings": [asdict(warning) for warning in result.warnings],
        **{name: info and getattr(info, name) for name in names},
    }


def _print_check(result: "CheckResult") -> None:
    console, info = results(), result.info
    if result.problem is not None:
        mark, said = "[bold red]fails[/]", [result.problem]
    else:
        mark = "[yellow]warns[/]" if result.warnings else "[green]ok[/]   "
        said = [warning.text for warning in result.warnings]
    if info is not None:
        rate = f"{info.fps:g} fps" if info.fps else "rate unknown"
        said = [f"{info.codec} {info.width}x{info.height} {rate}", *said]
    console.print(mark, end=" ")
    line = f"{result.camera.id}  {'; '.join(said)}"
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _control(context: typer.Context, file: Path | None) -> "ControlService":
    from streetloop.cameras.camera_file import load_cameras

    return control_of(context, [] if file is None else load_cameras(file, may_be_empty=True).cameras)


def _require(control: "ControlService", camera_id: str) -> None:
    """Refuse an id that no camera has.

    Raises:
        NotFound: No camera has it; the message names --file.
    """
    from streetloop.errors import NotFound

    try:
        control.camera(camera_id)
    except NotFound as error:
        raise NotFound(f"{error}; give --file if it is one of a camera file") from None


def _lines(given: list[str] | None) -> dict[str, Any] | None:
    """Counting lines from ``NAME=X1,Y1,X2,Y2`` and, for one along the road, its length.

    Raises:
        ConfigError: A line is written otherwise.
    """
    from streetloop.errors import ConfigError

    if given is None:
        return None
    found: dict[str, Any] = {}
    for text in given:
        name, _, rest = text.rpartition("=")
        try:
            x1, y1, x2, y2, *length = (float(part) for part in rest.split(","))
            points = [[x1, y1], [x2, y2]]
            found[name] = {"points": points, "length_m": float(*length)} if length else points
        except (ValueError, TypeError):
            raise ConfigError(f"--line {text[:40]!r}: write NAME=X1,Y1,X2,Y2[,METRES]") from None
    return found


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
