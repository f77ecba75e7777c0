"""``streetloop simulate``: what the simulated city has, and clips of it with their truth."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from streetloop.city.address import parse_address
from streetloop.city.export import export_clip
from streetloop.city.view import View
from streetloop.city.world.city_events import EVENTS
from streetloop.city.world.conditions import CONDITIONS
from streetloop.city.world.places import PLACES


def city_content() -> dict[str, Any]:
    """Cities with their cameras, conditions and events, by name."""
    return {
        "cities": {name: list(place.cameras) for name, place in PLACES.items()},
        "conditions": list(CONDITIONS),
        "events": list(EVENTS),
    }


def export(uri: str, frames: int, folder: Path) -> None:
    """Write a clip and its truth into a folder, with a bar that shows how far it is.

    Raises:
        ConfigError: The URI is wrong.
        StoreError: The folder cannot be written to.
    """
    view = View(parse_address(uri))
    columns = ("frames", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=frames)
        export_clip(view, frames, folder, lambda done: bar.update(task, completed=done))
