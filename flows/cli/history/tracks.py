"""``streetloop evaluate-tracks`` and ``export-tracks``: tracks and counts against the truth."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, print_json, results
from flows.cli.run import Classes, Model, parse_classes

app = typer.Typer()

_MAX_SECONDS = 900.0


@app.command()
def evaluate_tracks(
    context: typer.Context,
    cameras: Annotated[
        Path | None, typer.Argument(metavar="[CAMERAS.YAML]", help="Camera file of simulated cameras.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="GT.TXT", help="MOT file with the true tracks of one camera.")
    ] = None,
    found: Annotated[
        Path | None, typer.Option(metavar="F.TXT", help="MOT file with found tracks; runs no model.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=_MAX_SECONDS, help="Seconds of each camera; default: a whole recording, or 90."
        ),
    ] = None,
    model: Model = None,
    classes: Classes = None,
    image_size: Annotated[
        int | None, typer.Option(min=32, max=4096, help="Longest side of the model's input, in pixels.")
    ] = None,
    gate: Annotated[
        bool | None, typer.Option(help="Skip the detector while nothing moves.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write gt.txt and found.txt of each camera to DIR.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure tracks and counts against what is true: HOTA, IDF1, MOTA, objects, line crossings."""
    from flows.reports.tracks.report import print_report, write_report
    from flows.reports.tracks.track_evaluation import evaluate_cameras, evaluate_files, the_camera
    from streetloop.cameras.camera_file import load_cameras
    from streetloop.errors import ConfigError

    file = None if cameras is None else load_cameras(cameras)
    flags = {"model": model, "image_size": image_size, "gate": gate, "classes": parse_classes(classes)}
    given = {name: value for name, value in flags.items() if value is not None}
    if found is not None:
        if truth is None:
            raise ConfigError("--found needs --truth: the MOT file with the true tracks")
        if given or seconds is not None:
            raise ConfigError("--found runs no model: leave out --seconds, --model, --image-size and --gate")
        report = evaluate_files(truth, found, None if file is None else the_camera(file.cameras))
    elif file is None:
        raise ConfigError("give CAMERAS.YAML, or --truth GT.TXT and --found F.TXT")
    else:
        settings = settings_of(context, **{**file.settings, **given})
        report = evaluate_cameras(file.cameras, settings, seconds, truth)
    if out is not None:
        write_report(report, out)
    if as_json:
        print_json(report.as_json())
        return
    print_report(results(), report)
    if out is not None:
        results().print(f"MOT files: {out.absolute()}", soft_wrap=True)


@app.command()
def export_tracks(
    context: typer.Context,
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="Id of the camera.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="MOT file to write.")] = Path("found.txt"),
    run: Annotated[
        str | None, typer.Option(help="Name of the run; default: the newest of the camera.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds to export from the run's beginning; default: all.")
    ] = None,
) -> None:
    """Write a camera's tracks from the detection log as a MOT Challenge file."""
    from flows.reports.tracks.log_export import export_tracks as export
    from streetloop.storage.open import open_store

    done = export(open_store(settings_of(context)), camera, out, run, seconds)
    line = f"{done.boxes} boxes of {done.tracks} tracks in {out.absolute()}, from the run {done.run}"
    results().print(line, soft_wrap=True)
