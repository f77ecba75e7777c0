"""``streetloop models`` and ``lineage``: the versions of the registry."""

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import typer

from flows.cli.context import control_of
from flows.cli.models.options import VersionName
from flows.cli.output import Json, borderless, print_json, results

if TYPE_CHECKING:
    from streetloop.control.views import ModelView

app = typer.Typer()
models_app = typer.Typer()
app.add_typer(models_app, name="models")


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: Json = False) -> None:
    """Show the versions of the registry."""
    if context.invoked_subcommand is not None:
        return
    control = control_of(context)
    versions = control.models()
    if as_json:
        print_json(versions)
    elif versions:
        _print_models(versions, control.zone)
    else:
        results().print("no versions yet: `streetloop train` makes the first")


def _print_models(versions: "list[ModelView]", zone: tzinfo) -> None:
    table = borderless("version", "alias", "parent", "dataset", "made", "mAP50")
    for one in versions:
        scores = ", ".join(f"{k.removeprefix('map50/')} {s:.3f}" for k, s in one.scores.items())
        table.add_row(
            str(one.number),
            ", ".join(one.aliases),
            str(one.parent or ""),
            one.dataset[:12],
            f"{one.made_at.astimezone(zone):%Y-%m-%d %H:%M}",
            scores,
        )
    results().print(table)


@app.command()
def lineage(context: typer.Context, version: VersionName, as_json: Json = False) -> None:
    """Show where a version comes from: dataset, frames, cameras, annotators and trigger."""
    chain = control_of(context).lineage(version)
    if as_json:
        print_json(chain)
        return
    console = results()
    for one in chain:
        console.print(f"[bold]version {one.number}[/] {' '.join(one.aliases)}")
        for key in ("made_at", "trigger", "verdict", "scores", "commit"):
            console.print(f"  {key}: {_words(getattr(one, key))}", soft_wrap=True, markup=False)
        for key, value in (one.dataset or {}).items():
            console.print(f"  dataset {key}: {_words(value)}", soft_wrap=True, markup=False)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key or 'none'} {item}" for key, item in value.items())
    return "; ".join(str(item) for item in value) if isinstance(value, list) else str(value)
