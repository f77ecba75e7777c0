"""``streetloop run`` and ``up``: read the cameras."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.context import PolicyFile
from flows.cli.output import Json, end_at_once, print_json, results

if TYPE_CHECKING:
    from flows.runtime.run_values import RunOptions
    from streetloop.alerting.sink_config import EventSinks
    from streetloop.cameras.camera_file import CameraFile
    from streetloop.settings import Settings

app = typer.Typer()

CamerasArgument = Annotated[Path, typer.Argument(metavar="CAMERAS.YAML", help="Camera file.")]
Model = Annotated[
    str | None,
    typer.Option(help="Model file (.pt or .onnx), file:// URI, a name such as yolo26n.pt, or baseline."),
]
Classes = Annotated[
    str | None,
    typer.Option(
        metavar="A,B=C+D", help="Classes to track and count; B=C+D counts the classes C and D as B."
    ),
]
Duration = Annotated[
    float | None, typer.Option(min=0.0, help="Stop after this many seconds; default: run until Ctrl-C.")
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT|auto",
        help="Join a Ray that runs already, of which this machine is a node; default: start one.",
    ),
]
MetricsPort = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the Prometheus metrics.")]


@app.command()
def run(
    context: typer.Context,
    cameras: CamerasArgument,
    model: Model = None,
    classes: Classes = None,
    duration: Duration = None,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an annotated MP4 of each camera to DIR.")
    ] = None,
    as_json: Json = False,
    gate: Annotated[
        bool | None, typer.Option(help="Skip the detector while nothing moves.", show_default=False)
    ] = None,
    metrics_port: MetricsPort = None,
    address: Address = None,
) -> None:
    """Detect, track and count on cameras, and write the detection log."""
    from flows.runtime.run_values import RunOptions

    options = RunOptions(duration, annotate, metrics_port, address=address)
    read_cameras(
        context,
        cameras,
        {"model": model, "gate": gate, "classes": parse_classes(classes)},
        options,
        as_json=as_json,
    )


@app.command()
def up(
    context: typer.Context,
    cameras: Annotated[
        Path | None,
        typer.Argument(metavar="[CAMERAS.YAML]", help="Camera file; without one the app adds cameras."),
    ] = None,
    model: Model = None,
    classes: Classes = None,
    duration: Duration = None,
    policy: PolicyFile = None,
    metrics_port: MetricsPort = None,
    address: Address = None,
    dashboard: Annotated[bool, typer.Option(help="Serve Ray's dashboard on loopback.")] = True,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the cameras run, in the Ray of --address.")
    ] = False,
) -> None:
    """Run cameras, train new models on drift and labels, and serve the app."""
    from flows.runtime.run_values import RunOptions
    from flows.service.policy_file import read_policy

    options = RunOptions(
        duration,
        metrics_port=metrics_port,
        policy=read_policy(policy),
        app=True,
        dashboard=dashboard,
        address=address,
    )
    flags = {"model": model, "learn": True, "classes": parse_classes(classes)}
    if detach:
        detach_cameras(context, cameras, flags, options)
    else:
        read_cameras(context, cameras, flags, options, as_json=False)


def parse_classes(flag: str | None) -> dict[str, list[str]] | None:
    """The value of ``--classes`` as the setting has it; None where the flag is not given.

    Raises:
        ConfigError: The flag is malformed.
    """
    from streetloop.counted_classes import parse_class_flag

    return None if flag is None else parse_class_flag(flag)


def detach_cameras(
    context: typer.Context, path: Path | None, flags: dict[str, Any], options: "RunOptions"
) -> None:
    """Run the cameras of a file in an actor that outlives the command.

    Args:
        context: Of the command.
        path: The camera file; None if there is none, which takes an app.
        flags: Settings that override those of the file; None overrides nothing.
        options: Of the run.

    Raises:
        StreetloopError: The run did not start.
    """
    from flows.cli.run_log import open_log
    from flows.runtime.cluster.ray_address import find_lasting_ray
    from streetloop.host.output import RAY_OUTPUT, foreign_output_to

    file, settings, options = _read_input(context, path, flags, options)
    with open_log(settings.log_format) as log, foreign_output_to(settings.home / RAY_OUTPUT):
        found = find_lasting_ray(options.address, os.environ, log.say)
        from flows.runtime.control_plane.client import start_detached  # imports Ray

        start_detached(found, file.cameras, settings, options, log.say)
    where = f" --address {options.address}" if options.address else ""
    sentence = (
        f"the cameras run: watch them by `streetloop attach{where}`, end them by `streetloop down{where}`"
    )
    results().print(sentence, soft_wrap=True, markup=False)


def require_surroundings(file: "CameraFile", settings: "Settings") -> "EventSinks":
    """Refuse what no run could start with: variables, the home, exporters.

    Returns:
        The event sinks of the file, with the values of variables.

    Raises:
        ConfigError: Something is missing; the message names it.
    """
    from streetloop.alerting.sink_config import resolve_sinks
    from streetloop.host.home import require_home
    from streetloop.host.proxies import require_http_client
    from streetloop.host.tracing import require_exporter

    require_home(settings.home)
    require_exporter(settings.otlp_url)
    of_http = (camera.uri.scheme.removeprefix("snapshot+") in {"http", "https"} for camera in file.cameras)
    if any(of_http) or any(sink.type == "webhook" for sink in file.sinks.values()):
        require_http_client(os.environ)
    return resolve_sinks(file.sinks, os.environ)


def read_cameras(
    context: typer.Context, path: Path | None, flags: dict[str, Any], options: "RunOptions", *, as_json: bool
) -> None:
    """Run the cameras of a file with a live table, and print the summary.

    Args:
        context: Of the command.
        path: The camera file; None if there is none, which takes an app.
        flags: Settings that override those of the file; None overrides nothing.
        options: Of the run.
        as_json: Print the summary as JSON.

    Raises:
        typer.Exit: With code 1 if the summary names problems.
        StreetloopError: The run did not start.
    """
    from flows.cli.run_log import open_log
    from streetloop.host.output import RAY_OUTPUT, foreign_output_to

    file, settings, options = _read_input(context, path, flags, options)
    # Seconds to import: after what is refused.
    from flows.cli.tables.live_table import LiveTable, print_summary
    from flows.runtime.session import run_streams

    table = LiveTable(Path(settings.model).name)
    with open_log(settings.log_format) as log:
        with foreign_output_to(settings.home / RAY_OUTPUT), log.showing(table):
            summary = run_streams(file.cameras, settings, options, show=table.update, say=log.say)
        if as_json:
            print_json(summary.as_json())
        else:
            print_summary(results(), summary)
        for problem in summary.problems:
            log.complain(problem)
    if summary.ray_died is not None:
        end_at_once(1)
    if summary.problems:
        raise typer.Exit(1)


def _read_input(
    context: typer.Context, path: Path | None, flags: dict[str, Any], options: "RunOptions"
) -> "tuple[CameraFile, Settings, RunOptions]":
    """The camera file, and settings and options with what the file says of them."""
    from flows.cli.context import settings_of
    from flows.cli.run_log import resolve_format
    from flows.runtime.cluster.ray_address import require_ray
    from streetloop.cameras.camera_file import CameraFile, load_cameras

    file = CameraFile(cameras=[]) if path is None else load_cameras(path, may_be_empty=options.app)
    given = {name: value for name, value in flags.items() if value is not None}
    given = {**file.settings, **given}
    log_format = resolve_format(settings_of(context, **given).log_format)
    settings = settings_of(context, **{**given, "log_format": log_format})
    sinks = require_surroundings(file, settings)
    require_ray(options.address, os.environ)
    return file, settings, dataclasses.replace(options, sinks=sinks, mutes=file.mute)
