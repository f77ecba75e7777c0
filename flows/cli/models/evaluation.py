"""``streetloop evaluate``: mAP of a model on a dataset."""

from pathlib import Path
from typing import Annotated

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
    image_size: ImageSize = None,
    as_json: Json = False,
) -> None:
    """Measure a model on a dataset: mAP by class and slice."""
    from flows.reports.evaluation import EvaluationRequest, evaluate_model, print_report
    from flows.runtime.ray_cluster import local_ray

    settings = settings_of(context, image_size=image_size)
    request = EvaluationRequest(dataset, parse_pairs(mapping), parse_classes(classes), split, images)
    evaluation = evaluate_model(model, request, settings, out, local_ray)
    for note in evaluation.notes:
        say(note)
    if as_json:
        print_json(evaluation.as_json())
        return
    print_report(results(), evaluation.report)
    if out is not None:
        results().print(f"plots: {out.absolute()}", soft_wrap=True)
