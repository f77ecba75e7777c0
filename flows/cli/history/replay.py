"""``streetloop replay``: a recorded stretch, seen by another version."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.history.archive import CameraId, File, From, To, archive_control
from flows.cli.output import Json, borderless, print_json, results, say, write_page

if TYPE_CHECKING:
    from streetloop.control.archive_views import ReplayView

app = typer.Typer()


@app.command()
def replay(
    context: typer.Context,
    camera: CameraId,
    model: Annotated[
        str, typer.Option(metavar="VERSION", help="Version of the registry, alias, or model file.")
    ],
    since: From = "1h",
    until: To = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; more than one look at segments on Ray Data.")
    ] = 1,
    file: File = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the comparison as a page to FILE.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a recorded stretch through a version, and compare with what was served."""
    from streetloop.errors import ConfigError, NotFound

    control = archive_control(context, file)
    with contextlib.ExitStack() as stack:
        if workers > 1:
            from flows.runtime.cluster.open_ray import open_ray
            from flows.runtime.cluster.ray_address import find_ray

            say("starting Ray")
            stack.enter_context(open_ray(find_ray(None, os.environ, say)))
        try:
            view = control.replay(camera, since, until, model, workers)
        except NotFound as error:
            raise ConfigError(str(error)) from None
    if html is not None:
        from flows.reports.replay_html import replay_page

        write_page(html, replay_page(view, camera, model, (since, until or "now"), control.zone))
    if as_json:
        print_json(view)
        return
    _print(view)
    if html is not None:
        results().print(f"report: {html.absolute()}", soft_wrap=True)


def _print(view: "ReplayView") -> None:
    table = borderless("version", numbers=("detections", "tracks"))
    table.add_column("lines", overflow="fold")
    table.add_column("events", overflow="fold")
    for version, seen in view.versions.items():
        lines = ", ".join(
            f"{name} {n.get('in', 0)} in {n.get('out', 0)} out" for name, n in seen.lines.items()
        )
        events = ", ".join(
            f"{count} {kind.replace('_', ' ')}" for kind, count in seen.events.items() if count
        )
        table.add_row(version, str(seen.detections), str(seen.tracks), lines, events)
    results().print(table)
    share = view.differing / view.frames
    results().print(
        f"{view.frames} frames, {view.differing} differ ({share:.2%}); {view.fps:.1f} frames a second"
    )
