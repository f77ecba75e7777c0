"""``streetloop demo``: the loop on four simulated streets."""

from typing import Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, results
from flows.cli.run import read_cameras

app = typer.Typer()


@app.command()
def demo(
    context: typer.Context,
    once: Annotated[
        bool,
        typer.Option("--once", help="Run without the app; exit code 0 only if a better model took over."),
    ] = False,
    as_json: Json = False,
    label_studio: Annotated[
        bool, typer.Option("--label-studio", help="Label yourself, in a local Label Studio.")
    ] = False,
    duration: Annotated[
        float | None, typer.Option(min=1.0, help="Only run four streets, for this many seconds.")
    ] = None,
) -> None:
    """Show the whole loop on four simulated streets: about ten minutes, offline."""
    settings = settings_of(context)
    if duration is None:
        from flows.demo.terminal import play
        from flows.runtime.session import run_streams

        if not play(run_streams, settings, as_json, app=not once, label_studio=label_studio):
            raise typer.Exit(1)
        return
    from flows.demo.scenario import write_demo
    from flows.runtime.run_values import RunOptions
    from streetloop.settings import BASELINE

    folder = settings.home / "demo"
    options = RunOptions(duration, annotate=folder)
    read_cameras(context, write_demo(folder), {"model": BASELINE}, options, as_json=as_json)
    if not as_json:
        results().print(f"annotated videos: {folder.absolute()}/*.mp4", soft_wrap=True)
