"""``streetloop train``, ``evaluate``, ``models``, ``lineage`` and ``reproduce``."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from flows.learning.lineage import lineage as lineage_of
from flows.learning.register_version import register_kept
from flows.learning.reproduction import reproduce as make_again
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest
from flows.reports.evaluation import evaluate_model, print_report
from flows.runtime.ray_cluster import local_ray
from streetloop.errors import ConfigError
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from train.fine_tuning.recipe import Progress
from train.model.find_model import open_registry
from train.model_registry import stamp

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and only that.")]
Name = Annotated[str, typer.Argument(help="A version's number or alias.")]


def train(
    name: Annotated[str | None, typer.Option(help="Of a training that was stopped: it goes on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Train together.")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, max=1000)] = None,
    gpu: Annotated[bool, typer.Option(help="A GPU for each worker.")] = False,
    register: Annotated[
        Path | None, typer.Option(help="Register a model that was kept while MLflow was away.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="LABEL=CLASS: a class of the labels is one of the champion."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune the champion on what is labelled, judge the candidate, register it."""
    settings = Settings()
    console = Console(stderr=True)
    ledger = open_ledger(settings.ledger)
    if register is not None:
        version = register_kept(settings, ledger, register)
        Console().print(f"registered as version {version.number}", highlight=False)
        return
    request = TrainingRequest(
        name or f"train-{stamp()}",
        workers=workers,
        gpu=gpu,
        mapping=_pairs(mapping or []),
        recipe={} if epochs is None else {"epochs": epochs},
    )
    with contextlib.redirect_stdout(sys.stderr), local_ray(), _bar(console) as progress:
        outcome = train_model(settings, ledger, request, _sayer(console), progress)
    if as_json:
        sys.stdout.write(json.dumps(outcome.as_json(), indent=2) + "\n")
        return
    word = "accepted" if outcome.verdict.accepted else "not accepted"
    plain = Console(highlight=False)
    plain.print(f"version {outcome.version.number}: {word}")
    for reason in outcome.verdict.reasons:
        plain.print(f"  {reason}", soft_wrap=True)


def evaluate(
    model: Annotated[str, typer.Argument(help="A file, a registry version or an alias.")],
    dataset: Annotated[str, typer.Argument(help="A digest, a YOLO data.yaml or a COCO JSON.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="MODEL=DATASET: a class of the model is one of the dataset."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write plots and the worst frames there.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(min=32, max=4096, help="Longest side of the model's input.")
    ] = None,
    as_json: Json = False,
) -> None:
    """How good is a model on a dataset? mAP by class and slice."""
    settings = Settings() if image_size is None else Settings(image_size=image_size)
    report = evaluate_model(model, dataset, settings, _pairs(mapping or []), out, local_ray)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
        return
    print_report(Console(highlight=False), report)
    if out is not None:
        Console().print(f"plots: {out.absolute()}", highlight=False, soft_wrap=True)


def models(as_json: Json = False) -> None:
    """The versions of the registry, with aliases, parents, datasets and scores."""
    versions = open_registry(Settings()).versions()
    if as_json:
        rows = [
            {
                "version": v.number,
                "aliases": list(v.aliases),
                "parent": v.record.parent,
                "dataset": v.record.dataset,
                "made_at": v.made_at.isoformat(),
                "scores": dict(v.record.scores),
                "verdict": list(v.record.verdict),
            }
            for v in versions
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    if not versions:
        Console().print("no versions yet: `streetloop train` makes the first", highlight=False)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("version", "alias", "parent", "dataset", "made", "mAP50"):
        table.add_column(column)
    for v in versions:
        scores = ", ".join(f"{k.removeprefix('map50/')} {s:.3f}" for k, s in v.record.scores.items())
        table.add_row(
            str(v.number),
            ", ".join(v.aliases),
            str(v.record.parent or ""),
            v.record.dataset[:12],
            f"{v.made_at:%Y-%m-%d %H:%M}",
            scores,
        )
    Console(highlight=False).print(table)


def lineage(version: Name, as_json: Json = False) -> None:
    """From a version to its dataset, frames, cameras and labellers, and to what asked for it."""
    chain = lineage_of(Settings(), version)
    if as_json:
        sys.stdout.write(json.dumps(chain, indent=2) + "\n")
        return
    console = Console(highlight=False)
    for one in chain:
        console.print(f"[bold]version {one['version']}[/] {' '.join(one['aliases'])}")
        for key in ("made_at", "trigger", "verdict", "scores", "commit"):
            console.print(f"  {key}: {_words(one[key])}", soft_wrap=True, markup=False)
        for key, value in (one["dataset"] or {}).items():
            console.print(f"  dataset {key}: {_words(value)}", soft_wrap=True, markup=False)


def reproduce(version: Name, as_json: Json = False) -> None:
    """Make a version again from its record, and say how close it came."""
    settings = Settings()
    console = Console(stderr=True)
    with contextlib.redirect_stdout(sys.stderr), local_ray(), _bar(console) as progress:
        found = make_again(settings, version, _sayer(console), progress)
    if as_json:
        content = {
            "version": found.number,
            "again": found.again,
            "equal": found.equal,
            "largest": found.largest,
            "scores": found.scores,
        }
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return
    plain = Console(highlight=False)
    same = "every weight is the same" if found.equal else f"weights differ by up to {found.largest:g}"
    plain.print(f"version {found.number} again as {found.again}: {same}")
    for name, (before, again) in found.scores.items():
        plain.print(f"  {name}: {before:.4f}, again {again:.4f}")


def _pairs(entries: list[str]) -> dict[str, str]:
    pairs = {}
    for entry in entries:
        model, sign, dataset = entry.partition("=")
        if not (model and sign and dataset):
            raise ConfigError(f"--map {entry!r}: write ONE=OTHER, such as bicycle=bike")
        pairs[model] = dataset
    return pairs


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"{text} ...", style="dim", highlight=False)


@contextlib.contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """A bar with epoch, losses, mAP and the time that is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}", style="dim"),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("starting", total=1.0, numbers="")
        score = ""

        def show(now: Progress) -> None:
            nonlocal score
            if now.epoch_over and "metrics/mAP50(B)" in now.numbers:
                score = f"mAP50 {now.numbers['metrics/mAP50(B)']:.3f}  "
            losses = (
                ""
                if now.epoch_over
                else "  ".join(f"{name} {value:.2f}" for name, value in now.numbers.items())
            )
            bars.update(
                task,
                total=float(now.epochs),
                completed=now.epoch + now.share,
                description=f"epoch {now.epoch + 1}/{now.epochs}",
                numbers=score + losses,
            )

        yield show


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key or 'none'} {item}" for key, item in value.items())
    return "; ".join(str(item) for item in value) if isinstance(value, list) else str(value)
