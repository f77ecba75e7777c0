"""``streetloop train``, ``evaluate``, ``models``, ``lineage`` and ``reproduce``."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.context import control_of, settings_of
from flows.cli.output import Json, borderless, print_json, results

if TYPE_CHECKING:
    from flows.learning.training_job import Outcome
    from streetloop.control.views import ModelView
    from train.fine_tuning.recipe import Progress

app = typer.Typer()

VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="Number or alias of a version.")]


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
    as_json: Json = False,
) -> None:
    """Fine-tune the champion on the labels, evaluate the candidate, and register it."""
    from flows.learning.register_version import register_kept
    from flows.learning.training_job import train_model
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
        mapping=_pairs(mapping or []),
        recipe={} if epochs is None else {"epochs": epochs},
    )
    with contextlib.redirect_stdout(sys.stderr), local_ray(), _progress_bar() as (say, show):
        outcome = train_model(settings, ledger, request, say, show)
    if as_json:
        print_json(outcome.as_json())
    else:
        _print_outcome(outcome)


def _print_outcome(outcome: "Outcome") -> None:
    word = "accepted" if outcome.verdict.accepted else "not accepted"
    results().print(f"version {outcome.version.number}: {word}")
    for reason in outcome.verdict.reasons:
        results().print(f"  {reason}", soft_wrap=True)


@app.command()
def evaluate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="File, version or alias.")],
    dataset: Annotated[str, typer.Argument(help="Digest, YOLO data.yaml or COCO JSON.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="MODEL=DATASET", help="Rename a class of the model.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write plots and the worst frames to DIR.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(min=32, max=4096, help="Longest side of the model's input, in pixels.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a model on a dataset: mAP by class and slice."""
    from flows.reports.evaluation import evaluate_model, print_report
    from flows.runtime.ray_cluster import local_ray

    settings = settings_of(context, image_size=image_size)
    report = evaluate_model(model, dataset, settings, _pairs(mapping or []), out, local_ray)
    if as_json:
        print_json(report.as_json())
        return
    print_report(results(), report)
    if out is not None:
        results().print(f"plots: {out.absolute()}", soft_wrap=True)


@app.command()
def models(context: typer.Context, as_json: Json = False) -> None:
    """Show the versions of the registry."""
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


def _pairs(entries: list[str]) -> dict[str, str]:
    """The pairs of ``--map``.

    Raises:
        ConfigError: An entry is no pair.
    """
    from streetloop.errors import ConfigError

    pairs = {}
    for entry in entries:
        one, sign, other = entry.partition("=")
        if not (one and sign and other):
            raise ConfigError(f"--map {entry!r}: write ONE=OTHER, such as bicycle=bike")
        pairs[one] = other
    return pairs


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


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key or 'none'} {item}" for key, item in value.items())
    return "; ".join(str(item) for item in value) if isinstance(value, list) else str(value)
