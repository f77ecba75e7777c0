"""``streetloop learn``: the learning flow, seen and steered by hand."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from flows.cli.user import current_user
from flows.service.control_service import ControlService
from streetloop.ledger import open_ledger
from streetloop.ledger.learning import LearningRun, list_learning
from streetloop.settings import Settings

app = typer.Typer(no_args_is_help=True, help="From labels to a new champion, by itself.")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> None:
    """The newest learning runs: what asked for them, where they are, how they ended."""
    found = list_learning(open_ledger(Settings().ledger), most=20)
    if as_json:
        sys.stdout.write(json.dumps([_plain(run) for run in found], indent=2) + "\n")
        return
    console = Console(highlight=False)
    if not found:
        console.print("no learning run yet: drift or labels begin one, or `streetloop learn now`")
    for run in found:
        console.print(f"[bold]{run.id}[/]  {run.started_at:%Y-%m-%d %H:%M}  {run.step}")
        console.print(f"    because of {run.trigger.get('because', '?')}", markup=False)
        if run.reason:
            console.print(f"    {run.reason}", soft_wrap=True, markup=False)


@app.command()
def now() -> None:
    """Begin one, whatever the limits say; running streams carry it out."""
    run = ControlService(Settings(), []).learn(current_user())
    Console(stderr=True).print(f"learning run {run.id} is asked for", highlight=False)


@app.command()
def resume() -> None:
    """Go on with one that was parked."""
    run = ControlService(Settings(), []).resume_learning(current_user())
    Console(stderr=True).print(f"learning run {run.id} goes on", highlight=False)


@app.command()
def drop() -> None:
    """End the open one without a new model; its labels stay."""
    run = ControlService(Settings(), []).drop_learning(current_user())
    Console(stderr=True).print(f"learning run {run.id} is dropped", highlight=False)


def _plain(run: LearningRun) -> dict[str, Any]:
    return {
        "run": run.id,
        "name": run.name,
        "step": str(run.step),
        "trigger": dict(run.trigger),
        "detail": dict(run.detail),
        "reason": run.reason,
        "attempts": run.attempts,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
    }
