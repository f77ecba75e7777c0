"""``streetloop label`` and ``labelstudio``: frames to the labeler, and labels back."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import control_of, settings_of
from flows.cli.output import Json, borderless, plain, print_json, results, say

if TYPE_CHECKING:
    from flows.service.control_service import ControlService
    from streetloop.control.views import LabelQualityView

app = typer.Typer()
label_app = typer.Typer(no_args_is_help=True, help="Send frames to the labeler, and fetch labels.")
server_app = typer.Typer(no_args_is_help=True, help="Run Label Studio on this machine.")
app.add_typer(label_app, name="label")
app.add_typer(server_app, name="labelstudio")

LabelerName = Annotated[
    str | None,
    typer.Option(
        "--labeler", help="oracle or label-studio; default: STREETLOOP_LABELER.", show_default=False
    ),
]


@label_app.command()
def push(
    context: typer.Context,
    labeler: LabelerName = None,
    choose: Annotated[
        int, typer.Option(min=0, max=100_000, help="Choose up to this many candidates a day first.")
    ] = 0,
) -> None:
    """Send pending frames to the labeler, with the model's boxes."""
    view = _control(context, labeler).push_labels(choose)
    chosen = f"{view.chosen} chosen, " if choose else ""
    if view.refused is None or view.chosen or view.pushed:
        results().print(f"{chosen}{view.pushed} handed over")
    _refuse(view.refused)


@label_app.command()
def pull(context: typer.Context, labeler: LabelerName = None) -> None:
    """Fetch the labels that are ready."""
    view = _control(context, labeler).pull_labels()
    if view.refused is None or view.answers:
        results().print(f"{view.answers} answers; {view.waiting} frames still wait")
    _refuse(view.refused)


@label_app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """Show how many frames are in each state."""
    queue = control_of(context).queue()
    if as_json:
        # The counts without `counts` are the old form; it goes with the next version.
        print_json({**plain(queue), **queue.counts})
        return
    for state, count in queue.counts.items():
        results().print(f"{count:7d}  {state}")


@label_app.command()
def report(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Use all frames, not only random ones.")] = False,
    as_json: Json = False,
) -> None:
    """Show each model's precision and recall, measured by what annotators changed."""
    found = control_of(context).label_report(only_random=not every)
    if found.refused is None or found.items:
        if as_json:
            print_json(found.items)
        else:
            _print_report(found.items, every)
    _refuse(found.refused)


def _print_report(rows: "list[LabelQualityView]", every: bool) -> None:
    changes = ("kept", "moved", "reclassed", "removed", "added")
    table = borderless("model", "camera", "class", numbers=("precision", "recall", *changes))
    for row in rows:
        shares = ("-" if share is None else f"{share:.2f}" for share in (row.precision, row.recall))
        counts = (str(getattr(row, name)) for name in changes)
        table.add_row(row.model_version, row.camera or "all", row.class_name, *shares, *counts)
    results().print(table)
    if not every:
        results().print("random frames only: these measure the model without bias", style="dim")


@server_app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="TCP port; default: 8080.", show_default=False)
    ] = None,
) -> None:
    """Start Label Studio, and print how to log in; the first start installs it."""
    from labeling.local_server.server import PORT
    from labeling.open_labeler import start_server

    access = start_server(settings_of(context).home, port or PORT, say)
    for name in ("url", "user", "password", "token"):
        results().print(f"{name:9}{access[name]}", soft_wrap=True, markup=False)


@server_app.command()
def down(context: typer.Context) -> None:
    """Stop the Label Studio of this machine."""
    from labeling.local_server.server import LocalServer

    ran = LocalServer(settings_of(context).home).down()
    results().print("stopped" if ran else "it did not run")


def _control(context: typer.Context, labeler: str | None) -> "ControlService":
    from streetloop.errors import ConfigError
    from streetloop.settings import LABELERS

    if labeler is not None and labeler not in LABELERS[1:]:
        raise ConfigError(f"unknown labeler {labeler!r}; write {' or '.join(LABELERS[1:])}")
    return control_of(context, labeler=labeler)


def _refuse(reason: str | None) -> None:
    """End with a reason, if there is one.

    Raises:
        ConfigError: There is one.
    """
    from streetloop.errors import ConfigError

    if reason is not None:
        raise ConfigError(reason)
