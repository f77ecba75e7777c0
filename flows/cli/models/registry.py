"""``streetloop models`` and ``lineage``: the versions of the registry."""

import tempfile
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.context import control_of, settings_of
from flows.cli.models.options import (
    Classes,
    Images,
    ImageSize,
    Mapping,
    Split,
    VersionName,
    parse_classes,
    parse_pairs,
)
from flows.cli.output import Json, borderless, print_json, results, say
from streetloop.errors import ConfigError

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
    table = borderless("version", "alias", "parent", "dataset", "made", "mAP50 (champion of its day)")
    for one in versions:
        table.add_row(
            str(one.number),
            ", ".join(one.aliases),
            str(one.parent or ""),
            one.dataset[:12],
            f"{one.made_at.astimezone(zone):%Y-%m-%d %H:%M}",
            f"lacks {', '.join(one.lacks)}" if one.lacks else _scores(one),
        )
    results().print(table)


def _scores(version: "ModelView") -> str:
    """Scores by slice, each with the champion's on the same frames."""
    words = []
    for name, score in version.scores.items():
        champion = version.champion_scores.get(name)
        beside = "" if champion is None else f" ({champion:.3f})"
        words.append(f"{name.removeprefix('map50/')} {score:.3f}{beside}")
    return ", ".join(words)


@models_app.command()
def register(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A .pt or .onnx file of a detector.")],
    classes: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Names of its classes, in the order of their ids.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="DATASET", help="Measure it on this dataset, as `evaluate` does.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="champion or challenger.")] = None,
    as_json: Json = False,
) -> None:
    """Register a model of your own, with its class names, a card and a first evaluation."""
    from flows.learning.register_file import FirstScores, named_model, refuse_bad_alias, register_file
    from flows.reports.evaluation import EvaluationRequest, evaluate_file
    from flows.runtime.ray_cluster import local_ray
    from train.model.find_model import open_registry

    refuse_bad_alias(alias)
    settings = settings_of(context)
    with tempfile.TemporaryDirectory() as folder:
        names = [name.strip() for name in classes.split(",")] if classes else None
        model = named_model(file, names, settings, Path(folder))
        first = FirstScores()
        if dataset is not None:
            report = evaluate_file(model, EvaluationRequest(dataset), settings, None, local_ray).report
            first = FirstScores(dataset, report.scores(), report.class_scores())
        version = register_file(settings, file, model, first)
    if first.scores and dict(version.record.scores) != dict(first.scores):
        say(f"version {version.number} was there already and keeps its record: `evaluate` shows new scores")
    if alias is not None:
        open_registry(settings).set_alias(alias, version.number)
    control = control_of(context)
    view = next(one for one in control.models() if one.number == version.number)
    if as_json:
        print_json(view)
    else:
        _print_models([view], control.zone)


@models_app.command()
def export(
    context: typer.Context,
    version: VersionName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .onnx or .pt, but for --format.")],
    kind: Annotated[
        str | None,
        typer.Option("--format", help="openvino, torchscript, or what else `yolo export` knows, unchecked."),
    ] = None,
) -> None:
    """Write a version as a file."""
    from flows.learning.register_file import export_version

    remark = export_version(settings_of(context), version, file, kind)
    if remark:
        say(remark)
    results().print(f"written: {file.absolute()}", soft_wrap=True)


@models_app.command()
def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="File, version or alias.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATASET]",
            help="Digest, YOLO data.yaml or its folder, or COCO JSON; by default what is on record of both.",
        ),
    ] = None,
    classes: Classes = None,
    mapping: Mapping = None,
    split: Split = None,
    images: Images = None,
    image_size: ImageSize = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Curves, and frames on which they differ, of evaluations on one dataset."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two models on one dataset, or two versions by their recorded scores."""
    if details:
        if dataset is not None:
            raise ConfigError("--details is of what is on record: leave DATASET out")
        _compare_details(context, first, second, as_json=as_json)
        return
    if dataset is None:
        if classes or mapping or split or images or image_size:
            raise ConfigError("--classes, --map, --split, --images and --image-size need a DATASET")
        _compare_recorded(context, first, second, as_json=as_json)
        return
    from flows.reports.evaluation import EvaluationRequest
    from flows.reports.model_comparison import compare_models, print_comparison
    from flows.runtime.ray_cluster import local_ray

    settings = settings_of(context, image_size=image_size)
    request = EvaluationRequest(dataset, parse_pairs(mapping), parse_classes(classes), split, images)
    comparison = compare_models(first, second, request, settings, local_ray)
    for note in comparison.notes:
        say(note)
    if as_json:
        print_json(comparison.as_json())
    else:
        print_comparison(results(), comparison)


def _compare_recorded(context: typer.Context, first: str, second: str, *, as_json: bool) -> None:
    found = control_of(context).compare_versions(first, second)
    if as_json:
        print_json(found)
        return
    say(found.basis)
    table = borderless("mAP50", numbers=(f"version {found.first}", f"version {found.second}", "difference"))
    for row in found.rows:
        mark = "" if row.mark in {"equal", "unknown"} else f" {row.mark}"
        table.add_row(row.name, _score(row.first), _score(row.second), f"{_score(row.difference, '+')}{mark}")
    results().print(table)


def _compare_details(context: typer.Context, first: str, second: str, *, as_json: bool) -> None:
    found = control_of(context).compare_details(first, second)
    if as_json:
        print_json(found)
        return
    one, other = (f"version {number}" for number in (found.first, found.second))
    say(f"evaluations {found.evaluations[0]} and {found.evaluations[1]} on dataset {found.dataset[:12]}")
    curves = borderless("area under precision by recall", numbers=(one, other))
    for pair in found.curves:
        curves.add_row(pair.name or "all", _score(pair.first_area), _score(pair.second_area))
    results().print(curves)
    frames = borderless("frame", "camera", numbers=(f"{one}: missed, false", f"{other}: missed, false"))
    for frame in found.frames:
        counts = [f"{side.missed}, {side.false}" for side in (frame.first, frame.second)]
        frames.add_row(frame.image[:12], frame.camera_id, *counts)
    results().print(frames if found.frames else "they miss and find as much in every frame")


def _score(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


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
