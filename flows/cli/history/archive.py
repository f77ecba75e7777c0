"""``streetloop archive``: the recorded video of a camera."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from streetloop.control.archive_views import PruneView, RecordedCameraView, SegmentView

app = typer.Typer()
archive_app = typer.Typer(no_args_is_help=True, help="List, export and prune recorded video.")
app.add_typer(archive_app, name="archive")

CameraId = Annotated[str, typer.Argument(metavar="CAMERA", help="Id of the camera.")]
From = Annotated[
    str, typer.Option("--from", metavar="T", help="A date, a time, or a duration before now, such as 2h.")
]
To = Annotated[str | None, typer.Option("--to", metavar="T", help="The same; default: now.")]
File = Annotated[
    Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file of the streams.")
]


@archive_app.command(name="list")
def list_recorded(
    context: typer.Context,
    camera: Annotated[str | None, typer.Argument(metavar="[CAMERA]", help="Default: all, in sums.")] = None,
    since: From = "1d",
    until: To = None,
    file: File = None,
    as_json: Json = False,
) -> None:
    """List the recorded segments of a camera, the oldest first, or the sums of every camera.

    Sums are of the hours of UTC that the period touches.
    """
    if camera is None:
        _list_cameras(archive_control(context, file).recorded_cameras(since, until), context, as_json)
        return
    found = _asked(lambda: archive_control(context, file).segments(camera, since, until))
    if as_json:
        print_json(found)
        return
    if not found:
        results().print("nothing was recorded in this time")
        return
    _print_segments(found, control_of(context).zone)


@archive_app.command()
def export(
    context: typer.Context,
    camera: CameraId,
    out: Annotated[Path, typer.Option(metavar="F.mp4", help="The video; F.json beside it says what it is.")],
    since: From = "1h",
    until: To = None,
    boxes: Annotated[bool, typer.Option(help="Draw the boxes of the detection log.")] = False,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Write a stretch as one MP4, with a manifest."""
    control = archive_control(context, file)
    view = _asked(lambda: control.export_archive(camera, since, until, out, boxes=boxes))
    if as_json:
        print_json(view)
        return
    results().print(
        f"{view.file}: {view.bytes / 1e6:.1f} MB of {view.parts} segments, SHA-256 {view.sha256}",
        markup=False,
        soft_wrap=True,
    )


@archive_app.command()
def where(
    context: typer.Context,
    event: Annotated[int | None, typer.Option(min=1, help="Number of an event.")] = None,
    frame: Annotated[str | None, typer.Option(help="Digest of a frame of the review queue.")] = None,
    as_json: Json = False,
) -> None:
    """Name the segment, and its second, of an event or of a labeled frame."""
    view = _asked(lambda: control_of(context).footage_of(event=event, frame=frame))
    if as_json:
        print_json(view)
    elif view.key is None:
        results().print(f"{view.camera_id} was not recorded at {view.at.isoformat()}", markup=False)
    else:
        results().print(f"{view.key} second {view.second:.3f}", markup=False, soft_wrap=True)


@archive_app.command()
def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option(help="Remove nothing; say what would go.")] = False,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Remove video, logs and whatever else the rules of retention no longer keep."""
    view = archive_control(context, file).prune_archive(dry_run=dry_run)
    if as_json:
        print_json(view)
    else:
        _print_pruned(view)


def archive_control(context: typer.Context, file: Path | None) -> Any:
    """The control service, with the cameras and settings of a camera file if one is given."""
    from streetloop.cameras.camera_file import load_cameras

    if file is None:
        return control_of(context)
    content = load_cameras(file, may_be_empty=True)
    return control_of(context, content.cameras, **content.settings)


def _asked(ask: Any) -> Any:
    from streetloop.errors import ConfigError, NotFound

    try:
        return ask()
    except NotFound as error:
        raise ConfigError(str(error)) from None


def _list_cameras(found: "list[RecordedCameraView]", context: typer.Context, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        results().print("nothing was recorded in this time")
        return
    zone = control_of(context).zone
    table = borderless("camera", "from", "until", numbers=("segments", "MB", "hours", "motion", "gaps s"))
    for one in found:
        times = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in (one.start, one.end))
        motion = f"{one.motion_s / one.recorded_s:.0%}" if one.recorded_s else ""
        sums = str(one.segments), f"{one.bytes / 1e6:.1f}", f"{one.recorded_s / 3600:.2f}"
        table.add_row(escape(one.camera_id), *times, *sums, motion, f"{one.gaps_s:.0f}")
    results().print(table)


def _print_segments(found: "list[SegmentView]", zone: Any) -> None:
    table = borderless("from", "until", numbers=("MB", "motion", "events"))
    table.add_column("codec")
    table.add_column("key", overflow="fold")
    for one in found:
        start, end = one.start.astimezone(zone), one.end.astimezone(zone)
        shares = ("" if share is None else f"{share:.0%}" for share in (one.motion, one.events))
        times = f"{start:%Y-%m-%d %H:%M:%S}", f"{end:%H:%M:%S}"
        table.add_row(*times, f"{one.bytes / 1e6:.1f}", *shares, one.codec, escape(one.key))
    results().print(table)


def _print_pruned(view: "PruneView") -> None:
    verb = "would go" if view.dry_run else "are removed"
    parts = ", ".join(f"{kind} {size / 1e6:.1f} MB" for kind, size in sorted(view.by_class.items()))
    say(f"{len(view.segments)} segments of {view.bytes / 1e6:.1f} MB {verb}{f': {parts}' if parts else ''}")
    for one in view.data:
        say(f"{one.objects} objects of {one.bytes / 1e6:.1f} MB of {one.data_class} {verb}")
    if view.events or view.datasets:
        say(f"{view.events} events and {len(view.datasets)} datasets {verb}")
    if view.minutes:
        say(f"{view.minutes} minutes of cameras {verb}")
