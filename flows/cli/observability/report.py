"""``streetloop report`` and ``incidents``: what happened, and whether it happened before."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from flows.cli.context import control_of
from flows.cli.output import Json, borderless, print_json, results, write_page

if TYPE_CHECKING:
    from streetloop.control.report_views import IncidentView

app = typer.Typer()
incidents_app = typer.Typer(help="What happened, put together.", no_args_is_help=True)
app.add_typer(incidents_app, name="incidents")

Since = Annotated[
    str, typer.Option(metavar="T", help="A date, a time, or a duration before now, such as 24h or 7d.")
]


@app.command()
def report(
    context: typer.Context,
    since: Since = "24h",
    camera: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only what concerns this camera; repeatable.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an HTML page.")] = None,
    as_json: Json = False,
) -> None:
    """Say what happened, why, what was done, and what is to be done."""
    control = control_of(context)
    found = control.incident_report(since, camera or ())
    if html is not None:
        write_page(html, control.incident_page(found))
    if as_json:
        print_json(found)
        return
    for one in found.text:
        results().print(one.sentence, markup=False, soft_wrap=True)
    todo = list(dict.fromkeys(step for one in found.incidents if one.ended_at is None for step in one.todo))
    for step in todo:
        results().print(f"To do: {step}", markup=False, soft_wrap=True)
    for case in found.similar:
        like = f"Incident {case.incident} is like incident {case.like}: {case.cause}."
        results().print(like, markup=False, soft_wrap=True)
    for note in found.notes:
        results().print(f"{note}.", style="dim", markup=False, soft_wrap=True)
    if html is not None:
        results().print(f"page: {html.absolute()}", soft_wrap=True)


@incidents_app.command("list")
def list_incidents(context: typer.Context, since: Since = "7d", as_json: Json = False) -> None:
    """List incidents, the newest first."""
    control = control_of(context)
    found = control.incidents(since)
    if as_json:
        print_json(found)
    elif found:
        _print_incidents(found, control.zone)
    else:
        results().print("nothing happened in this time")


@incidents_app.command()
def similar(
    context: typer.Context,
    incident: Annotated[int, typer.Argument(metavar="ID", help="Number of the incident.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most to show.")] = 5,
    as_json: Json = False,
) -> None:
    """Show past incidents like one, with their cause and what helped."""
    control = control_of(context)
    found = control.similar_incidents(incident, limit)
    if as_json:
        print_json(found)
        return
    if not found:
        results().print("no other incident is known")
        return
    table = borderless("id", "since", "cause", "what helps", numbers=("similarity",))
    for one in found:
        past = one.incident
        since = f"{past.started_at.astimezone(control.zone):%Y-%m-%d %H:%M}"
        helps = " ".join([*past.notes, *past.todo])
        table.add_row(str(past.id), since, escape(past.cause), escape(helps), f"{one.score:.2f}")
    results().print(table)
    results().print(f"compared by {found[0].method}", style="dim")


def _print_incidents(found: "list[IncidentView]", zone: Any) -> None:
    table = borderless("id", "since", "until", "cameras", "cause", numbers=("certainty",))
    for column in table.columns[:3]:
        column.no_wrap = True
    for one in found:
        until = "goes on" if one.ended_at is None else f"{one.ended_at.astimezone(zone):%H:%M:%S}"
        cameras = ", ".join(one.cameras[:3]) + (" ..." if len(one.cameras) > 3 else "")
        table.add_row(
            str(one.id),
            f"{one.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            until,
            escape(cameras),
            escape(one.cause),
            f"{one.certainty:.0%}",
        )
    results().print(table)
