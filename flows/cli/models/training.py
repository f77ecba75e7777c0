"""``streetloop train`` and ``reproduce``."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import cameras_of, settings_in, settings_of
from flows.cli.models.options import VersionName, parse_classes, parse_pairs, parse_recipe
from flows.cli.models.training_progress import training_progress
from flows.cli.output import Json, borderless, print_json, results, say
from flows.cli.run import Address

if TYPE_CHECKING:
    from flows.learning.training_job import Outcome
    from flows.learning.training_plan import CityCameras, TrainingRequest
    from streetloop.control.learning_control import TrainingCheckView
    from streetloop.counted_classes import ClassGroups
    from streetloop.settings import Settings

app = typer.Typer()

City = Annotated[str | None, typer.Option(help="Learn from the labels of a city's cameras, for them alone.")]
CameraFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="CAMERAS.YAML", help="Camera file that has the settings and the cities."),
]
Kept = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Register a trained model that the registry did not accept."),
]


@app.command()
def train(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="Name of the training; that of a stopped training continues it.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Workers that train together.")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, max=1000, help="Epochs to train.")] = None,
    gpu: Annotated[bool, typer.Option(help="Give each worker a GPU.")] = False,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="Learn from a dataset instead of the labels of the queue."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Start from another model, such as a larger one."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Judge only these classes; vehicle=car+bus+truck joins some."),
    ] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="Set an option of Ultralytics.")
    ] = None,
    city: City = None,
    file: CameraFile = None,
    register: Kept = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="LABEL=CLASS", help="Rename a class of the labels.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be learned, and what is missing.")
    ] = False,
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Fine-tune the champion on labels, evaluate the candidate, and register it."""
    from flows.learning.training_plan import TrainingRequest
    from train.model_registry import stamp

    settings = settings_of(context, **settings_in(file))
    if register is not None:
        _register_kept(settings, register)
        return
    own = parse_recipe(options) | ({} if epochs is None else {"epochs": epochs})
    request = TrainingRequest(
        name or f"train-{stamp()}",
        workers=workers,
        gpu=gpu,
        mapping=parse_pairs(mapping),
        recipe={**settings.learn_recipe, **own},
        dataset=dataset,
        start=start,
        classes=_groups(parse_classes(classes)) or settings.classes,
        place=_place(settings, city, file, dataset),
    )
    if dry_run:
        _print_readiness(settings, request, as_json)
    else:
        _print_outcome(_train(settings, request, address), as_json)


def _place(
    settings: "Settings", city: str | None, file: Path | None, dataset: str | None
) -> "CityCameras | None":
    """The city with its cameras, of the camera file and of the ledger.

    Raises:
        ConfigError: A dataset is given, too, or no camera is in the city.
    """
    from flows.learning.triggers import place_of
    from streetloop.cameras.camera_set import merged
    from streetloop.errors import ConfigError, LearningError
    from streetloop.ledger import open_ledger
    from streetloop.ledger.cameras import newest_changes

    if city is None:
        return None
    if dataset is not None:
        raise ConfigError("--city is for the labels of the queue: give it or --dataset")
    cameras = merged(cameras_of(file), newest_changes(open_ledger(settings.ledger)))
    try:
        return place_of(cameras, city)
    except LearningError as error:
        hint = "" if file else "; --file CAMERAS.YAML names the cameras of a file"
        raise ConfigError(f"--city: {error}{hint}") from None


def _register_kept(settings: "Settings", model: Path) -> None:
    from flows.learning.register_version import register_kept
    from streetloop.ledger import open_ledger

    version = register_kept(settings, open_ledger(settings.ledger), model)
    results().print(f"registered as version {version.number}")


def _train(settings: "Settings", request: "TrainingRequest", address: str | None) -> "Outcome":
    """Train on the Ray of the address, or on one that is started, beside a bar."""
    from flows.learning.training_job import begin_training, finish_training
    from flows.runtime.cluster.open_ray import open_ray
    from flows.runtime.cluster.ray_address import find_ray
    from streetloop.host.home import require_home
    from streetloop.host.output import RAY_OUTPUT, foreign_output_to
    from streetloop.ledger import open_ledger

    ledger = open_ledger(settings.ledger)
    joined = find_ray(address, os.environ, say)
    require_home(settings.home)
    with foreign_output_to(settings.home / RAY_OUTPUT), contextlib.ExitStack() as ray:
        if request.gpu:  # first: a Ray that lacks GPUs leaves no plan behind
            ray.enter_context(open_ray(joined, gpus=request.workers))
        begun = begin_training(settings, ledger, request, say)
        if not request.gpu:
            ray.enter_context(open_ray(joined))
        with training_progress() as (note, show):
            return finish_training(settings, ledger, begun, note, show)


def _groups(classes: dict[str, list[str]] | None) -> "ClassGroups | None":
    return None if classes is None else {name: tuple(members) for name, members in classes.items()}


def _print_readiness(settings: "Settings", request: "TrainingRequest", as_json: bool) -> None:
    """Print whether a training may start; ends the command with 1 if not."""
    from flows.learning.readiness import check_training
    from streetloop.control.learning_control import TrainingCheckView
    from streetloop.ledger import open_ledger

    readiness = check_training(settings, open_ledger(settings.ledger), request)
    print_check(TrainingCheckView(**readiness.as_json()), as_json)


def print_check(check: "TrainingCheckView", as_json: bool) -> None:
    """Print what a training takes; ends the command with 1 if something is missing.

    Args:
        check: What was found.
        as_json: Print JSON.
    """
    for note in check.notes:
        say(note)
    if as_json:
        print_json(check)
    else:
        for line in check.in_words():
            results().print(line, soft_wrap=True, markup=False)
    if not check.ready:
        raise typer.Exit(1)


def _print_outcome(outcome: "Outcome", as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_json())
        return
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
    from streetloop.host.home import require_home
    from streetloop.host.output import RAY_OUTPUT, foreign_output_to

    settings = settings_of(context)
    require_home(settings.home)
    with foreign_output_to(settings.home / RAY_OUTPUT), local_ray(), training_progress() as (say, show):
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
