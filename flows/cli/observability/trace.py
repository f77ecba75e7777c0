"""``streetloop trace``: the way of a frame to a rollout, and back."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli.context import control_of
from flows.cli.output import Json, print_json, results

if TYPE_CHECKING:
    from streetloop.control.report_views import TracedFrame, TraceView

app = typer.Typer()

_SHORT = 12  # characters of a digest that tell it from others


@app.command()
def trace(
    context: typer.Context,
    of: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Name or digest of a frame, or event:N, dataset:DIGEST, learning:N, version:N, rollout:N.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Follow a frame to its events, label, dataset, versions and rollouts, or back."""
    found = control_of(context).trace(of)
    if as_json:
        print_json(found)
        return
    _print(results(), found)


def _print(console: Console, found: "TraceView") -> None:
    lines = [f"frame {_frame(one)}" for one in found.frames]
    lines += [f"and {found.more_frames} more frames"] if found.more_frames else []
    lines += [
        f"event {one.id} {one.kind} {one.camera_id or ''} {one.started_at:%Y-%m-%d %H:%M:%S}: {one.link}"
        for one in found.events
    ]
    lines += [
        f"dataset {one.digest[:_SHORT]}" + ("" if one.images is None else f": {one.images} images")
        for one in found.datasets
    ]
    lines += [f"learning run {one.id} {one.step}: {one.because or 'no reason'}" for one in found.learning]
    lines += [
        f"version {one.number} {' '.join(one.aliases)}".rstrip()
        + ("" if one.parent is None else f", from version {one.parent}")
        for one in found.versions
    ]
    lines += [
        f"rollout {one.id} {one.state}: {one.model} after {one.champion}"
        + ("" if one.reason is None else f", {one.reason}")
        for one in found.rollouts
    ]
    lines += [f"in no log: {gap}" for gap in found.gaps]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _frame(one: "TracedFrame") -> str:
    words = [one.name or f"of {one.camera_id}"]
    words += [one.digest[:_SHORT]] if one.digest else []
    words += [f"captured {one.captured_at:%Y-%m-%d %H:%M:%S}"] if one.captured_at else []
    words += [f"{one.fate} {one.fate_reason or ''}".rstrip()] if one.fate else []
    words += [f"by {one.model}"] if one.model else []
    words += [one.state] if one.state else []
    words += [f"{one.boxes} boxes of {one.labeler}"] if one.boxes is not None else []
    return ", ".join(words)
