"""``streetloop attach`` and ``down``: watch and end what ``up --detach`` started."""

import os
from typing import TYPE_CHECKING

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, print_json, results
from flows.cli.run import Address
from flows.cli.run_log import open_log, resolve_format

if TYPE_CHECKING:
    from flows.cli.run_log import RunLog
    from flows.runtime.run_values import RunSummary

app = typer.Typer()


@app.command()
def attach(context: typer.Context, address: Address = None) -> None:
    """Watch the cameras of `up --detach`; Ctrl-C leaves, and they run on."""
    from flows.cli.tables.live_table import LiveTable
    from flows.runtime.cluster.ray_address import find_lasting_ray
    from flows.runtime.signals import stop_on_signals
    from streetloop.host.output import foreign_output_to

    settings, table = settings_of(context), LiveTable("")
    with open_log(resolve_format(settings.log_format)) as log:
        with foreign_output_to(os.devnull), log.showing(table), stop_on_signals() as left:
            found = find_lasting_ray(address, os.environ, log.say)
            from flows.runtime.control_plane.client import attach  # imports Ray

            summary = attach(found, log.say, table.update, left)
        if summary is not None:
            _conclude(log, summary, as_json=False)


@app.command()
def down(context: typer.Context, address: Address = None, as_json: Json = False) -> None:
    """End what `up --detach` started, and print what came of it."""
    from flows.runtime.cluster.ray_address import find_lasting_ray
    from streetloop.host.output import foreign_output_to

    settings = settings_of(context)
    with open_log(resolve_format(settings.log_format)) as log:
        with foreign_output_to(os.devnull):
            found = find_lasting_ray(address, os.environ, log.say)
            from flows.runtime.control_plane.client import end_detached  # imports Ray

            summary = end_detached(found, log.say)
        if summary is None:
            log.complain("the session did not end in order: its last counts and detections are lost")
            raise typer.Exit(1)
        _conclude(log, summary, as_json=as_json)


def _conclude(log: "RunLog", summary: "RunSummary", *, as_json: bool) -> None:
    from flows.cli.tables.live_table import print_summary

    if as_json:
        print_json(summary.as_json())
    else:
        print_summary(results(), summary)
    for problem in summary.problems:
        log.complain(problem)
    if summary.problems:
        raise typer.Exit(1)
