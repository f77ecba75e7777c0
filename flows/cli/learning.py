"""``streetloop learn``: watch and steer the learning flow."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.context import cameras_of, control_of, current_user
from flows.cli.models.training import print_check
from flows.cli.output import Json, plain, print_json, results, say

app = typer.Typer()
learn_app = typer.Typer(no_args_is_help=True, help="Watch and steer how new models are trained.")
app.add_typer(learn_app, name="learn")

_SHOWN = 20


@learn_app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the newest learning runs: trigger, step and outcome."""
    control = control_of(context)
    runs = control.learning(0, _SHOWN).items
    if as_json:
        # `run` is the old name of `id`; it goes with the next version.
        print_json([{**plain(run), "run": run.id} for run in runs])
        return
    console = results()
    if not runs:
        console.print("no learning run yet: drift or labels start one, or `streetloop learn now`")
    for run in runs:
        started = run.started_at.astimezone(control.zone)
        console.print(f"[bold]{run.id}[/]  {started:%Y-%m-%d %H:%M}  {run.step}")
        city = run.trigger.get("city")
        where = "" if city is None else f"of {city}, "
        console.print(f"    {where}because of {run.trigger.get('because', '?')}", markup=False)
        if run.training is not None:
            console.print(f"    {run.training.in_words()}", highlight=False)
        if run.reason:
            console.print(f"    {run.reason}", soft_wrap=True, markup=False)


@learn_app.command()
def check(
    context: typer.Context,
    city: Annotated[str | None, typer.Option(help="For the cameras of a city alone.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file that `up` was given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a learning run would take if it began now; ends with 1 if something is missing."""
    print_check(control_of(context, cameras_of(file)).check_learning(city), as_json)


@learn_app.command()
def now(
    context: typer.Context,
    city: Annotated[str | None, typer.Option(help="Learn for the cameras of a city alone.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file that `up` was given.")
    ] = None,
) -> None:
    """Start a learning run, whatever the limits say; running streams carry it out."""
    run = control_of(context, cameras_of(file)).learn(current_user(), city)
    say(f"learning run {run.id} is requested")


@learn_app.command()
def resume(context: typer.Context) -> None:
    """Continue the parked learning run."""
    run = control_of(context).resume_learning(current_user())
    say(f"learning run {run.id} continues")


@learn_app.command()
def drop(context: typer.Context) -> None:
    """End the open learning run without a new model; its labels stay."""
    run = control_of(context).drop_learning(current_user())
    say(f"learning run {run.id} is dropped")
