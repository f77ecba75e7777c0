"""``streetloop sinks``: who is told of events, and whether it arrives."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from streetloop.control.alert_views import SinkView

app = typer.Typer()
sinks_app = typer.Typer(help="Show who is told of events, and test whether it arrives.")
app.add_typer(sinks_app, name="sinks")


@sinks_app.callback(invoke_without_command=True)
def sinks(context: typer.Context, as_json: Json = False) -> None:
    """Show every event sink of the newest run: its state, what waits, and the last error."""
    if context.invoked_subcommand is not None:
        return
    found = control_of(context).sinks()
    if as_json:
        print_json(found)
    elif not found:
        results().print("no sinks; the camera file lists them under `sinks:`")
    else:
        _print(found)


@sinks_app.command()
def test(context: typer.Context, name: Annotated[str, typer.Argument(help="Name of the sink.")]) -> None:
    """Send a test message to a sink of a running system, and wait for its arrival."""
    done = control_of(context).test_sink(name)
    if not done.delivered:
        say(f"sink {name}: not delivered yet: {done.error}")
        raise typer.Exit(1)
    say(f"sink {name}: delivered")


def _print(found: "list[SinkView]") -> None:
    table = borderless(
        "name", "type", "state", "address", numbers=("waiting", "oldest", "delivered", "dropped")
    )
    table.add_column("last error", overflow="fold")
    for one in found:
        oldest = "" if one.oldest_age_s is None else f"{one.oldest_age_s:.0f} s"
        numbers = (str(one.waiting), oldest, str(one.delivered), str(one.dropped))
        texts = (one.name, one.type, one.state, escape(one.address))
        table.add_row(*texts, *numbers, escape(one.error or ""))
    results().print(table)
