"""``streetloop dashboards``: dashboards and alerts as files."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.output import Json, print_json, results

app = typer.Typer()
dashboards_app = typer.Typer(help="Grafana dashboards and Prometheus alerts.", no_args_is_help=True)
app.add_typer(dashboards_app, name="dashboards")


@dashboards_app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; it is made.")],
    runbook: Annotated[
        str, typer.Option(metavar="URL", help="Address of the runbook, which alerts link.")
    ] = "docs/runbook.md",
    as_json: Json = False,
) -> None:
    """Write Grafana dashboards, Prometheus alert rules and a PrometheusRule."""
    from flows.reports.dashboards.export import export_dashboards

    files = export_dashboards(folder, runbook)
    if as_json:
        print_json({"files": [str(file) for file in files]})
        return
    for file in files:
        results().print(str(file), soft_wrap=True)
