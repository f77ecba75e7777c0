"""``streetloop drift``: which cameras differ from their own history."""

from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli.context import control_of, settings_of
from flows.cli.output import Json, borderless, complain, plain, print_json, results, write_page
from streetloop.causes import Cause

if TYPE_CHECKING:
    from streetloop.control.views import CauseView, DriftView

app = typer.Typer()
drift_app = typer.Typer()
app.add_typer(drift_app, name="drift")

_FINDINGS_SHOWN, _FEATURES_SHOWN = 3, 3


@drift_app.callback(invoke_without_command=True)
def drift(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(metavar="ID", help="Show only this camera.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report with plots and pictures to FILE.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which cameras differ from their own history, and why."""
    if context.invoked_subcommand is not None:
        return
    control = control_of(context, tell=complain)
    views = control.drift(camera)
    if html is not None:
        write_page(html, control.drift_page(camera))
    if as_json:
        # `drift` and `missing` are old names; they go with the next version.
        print_json(
            {v.camera_id: {**plain(v), "drift": v.drifts, "missing": v.missing_minutes} for v in views}
        )
        return
    print_drift(results(), views, control.zone)
    if html is not None:
        results().print(f"report: {html.absolute()}", soft_wrap=True)


def print_drift(console: Console, views: "list[DriftView]", zone: tzinfo = UTC) -> None:
    """Print a line for each camera, then its newest findings."""
    if not views:
        console.print("no camera was watched yet: `streetloop run CAMERAS.YAML` watches")
        return
    table = borderless("camera", "state", "compared with", "departs most")
    for view in views:
        style = "bold red" if view.drifts else ("dim" if view.missing_minutes else "green")
        reference = view.reference
        source = f"{reference.source}, {reference.minutes} min" if reference.source else ""
        table.add_row(view.camera_id, f"[{style}]{view.state}[/]", source, _largest_effects(view))
    console.print(table)
    for view in views:
        for finding in view.findings[:_FINDINGS_SHOWN]:
            until = f"to {finding.closed_at.astimezone(zone):%H:%M}" if finding.closed_at else "on"
            technician = "" if finding.asks_for_labels else " (technician)"
            causes = ", or ".join(_named(cause) for cause in finding.causes)
            since = finding.since.astimezone(zone)
            console.print(
                f"{view.camera_id}: {since:%Y-%m-%d %H:%M} {until}: likely {causes}{technician}",
                soft_wrap=True,
            )


def _named(cause: "CauseView") -> str:
    return str(Cause(cause.name, cause.probability))


def _largest_effects(view: "DriftView") -> str:
    """The features that are closest to an alarm, the closest first."""
    closest = sorted(view.features, key=lambda name: -view.features[name].share)[:_FEATURES_SHOWN]
    found = [(name, view.features[name]) for name in closest]
    return ", ".join(f"{name} {one.effect_size:.1f} of {one.threshold:.1f}" for name, one in found)


@drift_app.command()
def compare(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="A clip, a folder of images, a sim:// URI, or CAMERA@START/END of a camera's history."
        ),
    ],
    window: Annotated[str, typer.Argument(help="What to compare with it, given the same way.")],
    as_json: Json = False,
) -> None:
    """Compare two recordings of a camera, and name the likely causes of a difference."""
    from flows.reports.recordings import compare_recordings, print_verdict
    from streetloop.storage.open import open_store

    settings = settings_of(context)
    verdict = compare_recordings(reference, window, open_store(settings), settings.zone)
    if as_json:
        print_json(verdict.as_json())
    else:
        print_verdict(results(), verdict)
