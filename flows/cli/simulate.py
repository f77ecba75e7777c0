"""``streetloop simulate``: clips of the simulated city, with their ground truth."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.output import print_json, results

app = typer.Typer()


@app.command()
def simulate(
    uri: Annotated[
        str | None, typer.Argument(metavar="URI", help="Camera: sim://city/camera?options.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=1_000_000, help="Frames to write.")] = 100,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.")] = Path("simulated"),
    show: Annotated[bool, typer.Option("--list", help="List cameras, conditions and events.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: print JSON.")] = False,
) -> None:
    """Write a clip of the simulated city with its ground truth, for YOLO and COCO."""
    if show:
        _list_city(as_json)
        return
    if uri is None:
        from streetloop.errors import ConfigError

        raise ConfigError("give a camera, such as sim://kingsport/crossing; --list shows all")
    _export(uri, frames, out)
    results().print(f"{frames} frames in {out.absolute()}", soft_wrap=True)


def _list_city(as_json: bool) -> None:
    from streetloop.city.world.city_events import EVENTS
    from streetloop.city.world.conditions import CONDITIONS
    from streetloop.city.world.places import PLACES

    cities = {name: list(place.cameras) for name, place in PLACES.items()}
    if as_json:
        print_json({"cities": cities, "conditions": list(CONDITIONS), "events": list(EVENTS)})
        return
    console = results()
    for city, cameras in cities.items():
        for camera in cameras:
            console.print(f"sim://{city}/{camera}", soft_wrap=True)
    console.print(f"conditions: {', '.join(CONDITIONS)}", soft_wrap=True)
    console.print(f"events: {', '.join(EVENTS)}", soft_wrap=True)


def _export(uri: str, frames: int, folder: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from streetloop.city.address import parse_address
    from streetloop.city.export import export_clip
    from streetloop.city.view import View

    view = View(parse_address(uri))
    columns = ("frames", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=frames)
        export_clip(view, frames, folder, lambda done: bar.update(task, completed=done))
