"""``streetloop train`` and ``reproduce``."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.models.options import VersionName, parse_pairs
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from flows.learning.readiness import Readiness
    from flows.learning.training_job import Outcome
    from train.fine_tuning.recipe import Progress

app = typer.Typer()


@app.command()
def train(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="Name of the training; that of a stopped training continues it.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Workers that train together.")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, max=1000, help="Epochs to train.")] = None,
    gpu: Annotated[bool, typer.Option(help="Give each worker a GPU.")] = False,
    register: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Register a trained model that the registry did not accept."),
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="LABEL=CLASS", help="Rename a class of the labels.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be learned, and what is missing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune the champion on the labels, evaluate the candidate, and register it."""
    from flows.learning.readiness import check_training
    from flows.learning.register_version import register_kept
    from flows.learning.training_job import begin_training, finish_training
    from flows.learning.training_plan import TrainingRequest
    from flows.runtime.ray_cluster import local_ray
    from streetloop.ledger import open_ledger
    from train.model_registry import stamp

    settings = settings_of(context)
    ledger = open_ledger(settings.ledger)
    if register is not None:
        version = register_kept(settings, ledger, register)
        results().print(f"registered as version {version.number}")
        return
    request = TrainingRequest(
        name or f"train-{stamp()}",
        workers=workers,
        gpu=gpu,
        mapping=parse_pairs(mapping),
        recipe={} if epochs is None else {"epochs": epochs},
    )
    if dry_run:
        _print_readiness(check_training(settings, ledger, request), as_json)
        return
    with contextlib.redirect_stdout(sys.stderr):
        begun = begin_training(settings, ledger, request, say)
        with local_ray(), _progress_bar() as (note, show):
            outcome = finish_training(settings, ledger, begun, note, show)
    if as_json:
        print_json(outcome.as_json())
    else:
        _print_outcome(outcome)


def _print_readiness(readiness: "Readiness", as_json: bool) -> None:
    """Print whether a training may start; ends the command with 1 if not."""
    for note in readiness.notes:
        say(note)
    if as_json:
        print_json(readiness.as_json())
    else:
        start = "the first champion" if readiness.champion is None else f"version {readiness.champion}"
        lines = [f"starts from {start}", f"learns from {readiness.train} images"]
        lines.append(f"is judged by {readiness.judge_frames} frames")
        if readiness.eta_s is not None:
            lines.append(f"takes about {max(1, round(readiness.eta_s / 60))} minutes")
        for line in (*lines, *(f"missing: {one}" for one in readiness.missing)):
            results().print(line, soft_wrap=True, markup=False)
    if not readiness.ready:
        raise typer.Exit(1)


def _print_outcome(outcome: "Outcome") -> None:
    word = "accepted" if outcome.verdict.accepted else "not accepted"
    results().print(f"version {outcome.version.number}: {word}")
    for reason in outcome.verdict.reasons:
        results().print(f"  {reason}", soft_wrap=True)
    table = borderless("mAP50 on the same frames", numbers=("frames", "champion", "candidate", "gain"))
    for name, gain in outcome.verdict.gains.items():
        figures = (f"{gain.champion:.3f}", f"{gain.candidate:.3f}", f"{gain.mean:+.3f}")
        table.add_row(name, str(gain.frames), *figures)
    results().print(table)


@app.command()
def reproduce(context: typer.Context, version: VersionName, as_json: Json = False) -> None:
    """Train a version again from its record, and compare the two."""
    from flows.learning.reproduction import reproduce as reproduce_version
    from flows.runtime.ray_cluster import local_ray

    settings = settings_of(context)
    with contextlib.redirect_stdout(sys.stderr), local_ray(), _progress_bar() as (say, show):
        found = reproduce_version(settings, version, say, show)
    if as_json:
        content = {
            "version": found.number,
            "again": found.again,
            "equal": found.equal,
            "largest": found.largest,
            "scores": found.scores,
        }
        print_json(content)
        return
    same = "every weight is the same" if found.equal else f"weights differ by up to {found.largest:g}"
    results().print(f"version {found.number} again as {found.again}: {same}")
    for name, (before, again) in found.scores.items():
        results().print(f"  {name}: {before:.4f}, again {again:.4f}")


@contextlib.contextmanager
def _progress_bar() -> Iterator[tuple[Callable[[str], None], Callable[["Progress"], None]]]:
    """A function that prints a sentence, and one that moves a bar with losses and mAP."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}", style="dim"),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=1.0, numbers="")
        score = ""

        def show(now: "Progress") -> None:
            nonlocal score
            if now.epoch_over and "metrics/mAP50(B)" in now.numbers:
                score = f"mAP50 {now.numbers['metrics/mAP50(B)']:.3f}  "
            named = [] if now.epoch_over else [f"{name} {value:.2f}" for name, value in now.numbers.items()]
            bars.update(
                task,
                total=float(now.epochs),
                completed=now.epoch + now.share,
                description=f"epoch {now.epoch + 1}/{now.epochs}",
                numbers=score + "  ".join(named),
            )

        yield lambda text: console.print(f"{text} ...", style="dim", highlight=False), show
