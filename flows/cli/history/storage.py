"""``streetloop storage``: what is stored, and how fast it grows."""

from typing import TYPE_CHECKING

import typer

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, print_json, results

if TYPE_CHECKING:
    from streetloop.control.archive_views import StorageView

app = typer.Typer()

_MB = 1e6


@app.command()
def storage(context: typer.Context, as_json: Json = False) -> None:
    """Show what the object store and the home hold, by class, and how many days are left."""
    view = control_of(context).storage()
    if as_json:
        print_json(view)
    else:
        _print(view)


def _print(view: "StorageView") -> None:
    table = borderless("class", numbers=("MB", "objects", "MB a day"))
    for one in view.classes:
        counts = "" if one.objects is None else str(one.objects)
        growth = "" if one.day_bytes is None else f"{one.day_bytes / _MB:.1f}"
        table.add_row(one.name, f"{one.bytes / _MB:.1f}", counts, growth)
    results().print(table)
    left = "" if view.days_left is None else f"; the disk lasts {view.days_left:.0f} days"
    results().print(f"{view.bytes / _MB:.1f} MB in all, {view.day_bytes / _MB:.1f} MB in the last day{left}")
