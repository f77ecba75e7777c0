"""``streetloop label`` and ``labelstudio``: frames to the labeler, and labels back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.context import control_of, settings_in, settings_of
from flows.cli.output import Json, borderless, plain, print_json, results, say

if TYPE_CHECKING:
    from flows.service.control_service import ControlService
    from streetloop.control.label_views import LabelProblemView, LabelQualityView

_SHORT = 12  # characters of a digest

app = typer.Typer()
label_app = typer.Typer(no_args_is_help=True, help="Send frames to the labeler, and fetch labels.")
server_app = typer.Typer(no_args_is_help=True, help="Run Label Studio on this machine.")
app.add_typer(label_app, name="label")
app.add_typer(server_app, name="labelstudio")

LabelerName = Annotated[
    str | None,
    typer.Option(
        "--labeler", help="oracle, label-studio or app; default: STREETLOOP_LABELER.", show_default=False
    ),
]
CameraFile = Annotated[
    Path | None, typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file that has the settings.")
]
Model = Annotated[
    str | None, typer.Option(help="Model that found frames of an older version, which stored no class names.")
]
Digests = Annotated[
    list[str] | None, typer.Argument(metavar="[DIGEST]...", help="Frames; 6 characters suffice.")
]
Rejected = Annotated[bool, typer.Option("--rejected", help="Frames without a usable answer.")]
Suspect = Annotated[bool, typer.Option("--suspect", help="Frames that may have another model's class names.")]


@label_app.command()
def push(
    context: typer.Context,
    labeler: LabelerName = None,
    choose: Annotated[
        int, typer.Option(min=0, max=100_000, help="Choose up to this many candidates a day first.")
    ] = 0,
    file: CameraFile = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Send pending frames to the labeler, with the boxes that were shown."""
    view = _control(context, file, model, labeler).push_labels(choose)
    if as_json:
        print_json(view)
    elif view.refused is None or view.chosen or view.pushed:
        chosen = f"{view.chosen} chosen, " if choose else ""
        results().print(f"{chosen}{view.pushed} handed over")
    _refuse(view.refused)


@label_app.command()
def pull(
    context: typer.Context,
    labeler: LabelerName = None,
    file: CameraFile = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Fetch the labels that are ready, and those that were changed."""
    view = _control(context, file, model, labeler).pull_labels()
    answers = view.answered + view.rejected
    if as_json:
        print_json(view)
    elif view.refused is None or answers:
        rejected = f", {view.rejected} of them rejected" if view.rejected else ""
        results().print(f"{answers} answers{rejected}; {view.waiting} frames still wait")
        if view.rejected:
            say("`streetloop label status --rejected` says why")
    _refuse(view.refused)


@label_app.command()
def status(
    context: typer.Context,
    rejected: Rejected = False,
    suspect: Suspect = False,
    file: CameraFile = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Show how many frames are in each state, or which are rejected or suspect, and why."""
    control = _control(context, file, model)
    if rejected or suspect:
        _print_problems(control.label_problems(rejected=rejected, suspect=suspect), as_json=as_json)
        return
    queue = control.queue()
    if as_json:
        # The counts without `counts` are the old form; it goes with the next version.
        print_json({**plain(queue), **queue.counts})
        return
    for state, count in queue.counts.items():
        results().print(f"{count:7d}  {state}")
    if queue.suspect:
        results().print(f"{queue.suspect:7d}  of them suspect: see --suspect")


@label_app.command()
def reopen(
    context: typer.Context,
    digests: Digests = None,
    rejected: Rejected = False,
    suspect: Suspect = False,
    file: CameraFile = None,
    model: Model = None,
) -> None:
    """Read the answers to rejected frames anew, and ask anew about suspect frames."""
    _require_some(digests, rejected or suspect, "--rejected or --suspect")
    control = _control(context, file, model)
    count = control.reopen_labels(digests or [], rejected=rejected, suspect=suspect)
    results().print(f"{count} frames reopened; the next push and pull take them")


@label_app.command()
def confirm(
    context: typer.Context,
    digests: Digests = None,
    suspect: Suspect = False,
    file: CameraFile = None,
    model: Model = None,
) -> None:
    """Trust suspect labels as they are, so that datasets take them."""
    _require_some(digests, suspect, "--suspect")
    count = _control(context, file, model).confirm_labels(digests or [], suspect=suspect)
    results().print(f"{count} labels confirmed")


@label_app.command()
def report(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Use all frames, not only random ones.")] = False,
    file: CameraFile = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Show each model's precision and recall, measured by what annotators changed."""
    found = _control(context, file, model).label_report(only_random=not every)
    if found.refused is None or found.items:
        if as_json:
            print_json(found.items)
        else:
            _print_report(found.items, every)
    _refuse(found.refused)


@label_app.command()
def teacher(
    context: typer.Context, labeler: LabelerName = None, file: CameraFile = None, as_json: Json = False
) -> None:
    """Show how often the teacher is right, and what it labels without people."""
    rows = _control(context, file, None, labeler).teacher_precision()
    if as_json:
        print_json(rows)
        return
    table = borderless("class", "camera", "precision", "interval", "labels", numbers=("checked",))
    for row in rows:
        interval = f"{row.low:.3f} to {row.high:.3f}"
        who = "the teacher" if row.alone else "people"
        table.add_row(
            row.class_name, row.camera or "all", f"{row.precision:.3f}", interval, who, str(row.checked)
        )
    results().print(table if rows else "people have checked no box yet")


def _print_problems(found: "list[LabelProblemView]", *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = borderless("frame", "camera", "reason", "url")
    for one in found:
        table.add_row(one.digest[:_SHORT], *map(escape, (one.camera, one.reason, one.url or "-")))
    if found:
        results().print(table)


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


def _control(
    context: typer.Context, file: Path | None, model: str | None, labeler: str | None = None
) -> "ControlService":
    """The control service; a flag goes before the settings of the camera file."""
    from streetloop.errors import ConfigError
    from streetloop.settings import LABELERS

    if labeler is not None and labeler not in LABELERS[1:]:
        raise ConfigError(f"unknown labeler {labeler!r}; write {' or '.join(LABELERS[1:])}")
    flags = {"labeler": labeler, "model": model}
    return control_of(context, **settings_in(file) | {k: v for k, v in flags.items() if v is not None})


def _require_some(digests: list[str] | None, every: bool, flags: str) -> None:
    from streetloop.errors import ConfigError

    if not digests and not every:
        raise ConfigError(f"name frames by their digests, or give {flags}")


def _refuse(reason: str | None) -> None:
    """End with a reason, if there is one.

    Raises:
        ConfigError: There is one.
    """
    from streetloop.errors import ConfigError

    if reason is not None:
        raise ConfigError(reason)
