"""``streetloop evaluate``: mAP of a model on a dataset."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.models.options import (
    Classes,
    DatasetName,
    Images,
    ImageSize,
    Mapping,
    Split,
    parse_classes,
    parse_pairs,
)
from flows.cli.output import Json, print_json, results, say
from flows.cli.run import Address

if TYPE_CHECKING:
    from streetloop.settings import Settings
    from train.model_registry import Version

app = typer.Typer()


@app.command()
def evaluate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="File, version or alias.")],
    dataset: DatasetName,
    classes: Classes = None,
    mapping: Mapping = None,
    split: Split = None,
    images: Images = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write plots and the worst frames to DIR.")
    ] = None,
    write_thresholds: Annotated[
        bool,
        typer.Option("--write-thresholds", help="Serve each class from the confidence of its best F1 on."),
    ] = False,
    image_size: ImageSize = None,
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Measure a model on a dataset: mAP by class and slice."""
    from flows.reports.evaluation import EvaluationRequest, evaluate_model, keep_thresholds, print_report
    from flows.runtime.cluster.open_ray import open_ray
    from flows.runtime.cluster.ray_address import find_ray

    settings = settings_of(context, image_size=image_size)
    request = EvaluationRequest(dataset, parse_pairs(mapping), parse_classes(classes), split, images)
    version = _version(settings, model) if write_thresholds else None
    joined = find_ray(address, os.environ, say)
    evaluation = evaluate_model(model, request, settings, out, lambda: open_ray(joined))
    for note in evaluation.notes:
        say(note)
    if version is not None:
        say(keep_thresholds(settings, version, evaluation))
    if as_json:
        written = {} if version is None else {"thresholds": evaluation.thresholds}
        print_json({**evaluation.as_json(), **written})
        return
    print_report(results(), evaluation.report)
    if out is not None:
        results().print(f"plots: {out.absolute()}", soft_wrap=True)


def _version(settings: "Settings", model: str) -> "Version":
    """The version whose record takes thresholds.

    Raises:
        ConfigError: The model is no version of the registry.
    """
    from streetloop.errors import ConfigError
    from train.model.find_model import has_registry, open_registry

    found = open_registry(settings).look_up(model) if has_registry(settings) else None
    if found is None:
        raise ConfigError(
            f"--write-thresholds: {model} is no version of the registry; `streetloop models register FILE` "
            "makes one of a file"
        )
    return found
