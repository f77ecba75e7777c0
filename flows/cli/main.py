"""The command line. It reads what the user says, calls a flow and prints; it decides nothing."""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from flows.cli.cameras import app as camera_app
from flows.cli.labels import label_app, server_app
from flows.cli.learning import app as learn_app
from flows.cli.live_table import LiveTable, print_summary
from flows.cli.rollouts import PolicyFile, read_policy
from flows.cli.rollouts import app as rollout_app
from flows.cli.simulate import city_content, export
from flows.cli.training import evaluate, lineage, models, reproduce, train
from flows.demo.scenario import write_demo
from flows.demo.terminal import play
from flows.reports.drift_html import write_report
from flows.reports.drift_status import drift_state, print_state
from flows.reports.recordings import compare_recordings, print_verdict
from flows.runtime.api_server import serve_api
from flows.runtime.session import RunOptions, run_streams
from flows.service.camera_check import check_cameras
from streetloop.cameras import load_cameras
from streetloop.errors import ConfigError, ModelError, StreetloopError
from streetloop.ledger import open_ledger
from streetloop.settings import BASELINE, Settings, read_settings
from streetloop.storage.open import open_store

app = typer.Typer(
    help="streetloop keeps the detectors of a city's traffic cameras right.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CameraPath = Annotated[Path, typer.Argument(metavar="CAMERAS.YAML", help="The camera file.")]
Model = Annotated[
    str | None,
    typer.Option(help="Model file (.pt or .onnx), file:// URI, name such as yolo26n.pt, or baseline."),
]


@app.command()
def run(
    cameras: CameraPath,
    model: Model = None,
    duration: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds to run; default: until Ctrl-C.")
    ] = None,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an annotated MP4 a camera there.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on stdout, and only that.")
    ] = False,
    gate: Annotated[
        bool | None, typer.Option(help="Skip the detector while nothing moves.", show_default=False)
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Prometheus metrics.")
    ] = None,
) -> None:
    """Read the cameras: detect, track, count, and write the detection log."""
    options = RunOptions(duration, annotate, metrics_port)
    _read(cameras, {"model": model, "gate": gate}, options, as_json)


@app.command()
def up(
    cameras: CameraPath,
    model: Model = None,
    duration: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds to run; default: until Ctrl-C.")
    ] = None,
    policy: PolicyFile = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the Prometheus metrics.")
    ] = None,
) -> None:
    """As `run`, and what is learned from drift and labels becomes new models by itself."""
    options = RunOptions(duration, metrics_port=metrics_port, policy=read_policy(policy), app=True)
    _read(cameras, {"model": model, "learn": True}, options, as_json=False)


def _read(cameras: Path, flags: dict[str, Any], options: RunOptions, as_json: bool) -> None:
    file = load_cameras(cameras)
    settings = _settings({**file.settings, **flags}, file.settings)
    console = Console(stderr=True)
    table = LiveTable(Path(settings.model).name)
    live = Live(table, console=console, refresh_per_second=4, transient=True)
    # Ray reports dead processes on standard output, which belongs to the summary.
    with contextlib.redirect_stdout(sys.stderr), live:
        summary = run_streams(
            file.cameras,
            settings,
            options,
            show=table.update,
            say=lambda text: live.console.print(f"{text} ...", style="dim"),
        )
    if as_json:
        sys.stdout.write(json.dumps(summary.as_json(), indent=2) + "\n")
    else:
        print_summary(Console(), summary)
    for problem in summary.problems:
        _complain(problem)
    if summary.problems:
        raise typer.Exit(1)


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Without the app; exit code 0 only if the loop closed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
    label_studio: Annotated[
        bool, typer.Option("--label-studio", help="You label, in a Label Studio of your own.")
    ] = False,
    duration: Annotated[
        float | None, typer.Option(min=1.0, help="Watch four streets for so many seconds instead.")
    ] = None,
) -> None:
    """Night falls on four simulated streets, and the loop closes: some ten minutes, offline."""
    home = _settings({}, {}).home
    if duration is None:
        if not play(home, as_json, app=not once, label_studio=label_studio):
            raise typer.Exit(1)
        return
    run(write_demo(home / "demo"), BASELINE, duration, home / "demo", as_json)
    if not as_json:
        Console().print(f"annotated videos: {(home / 'demo').absolute()}/*.mp4", highlight=False)


@app.command()
def check(
    cameras: CameraPath, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False
) -> None:
    """Say of every camera whether it opens, what it is, and what is wrong."""
    file = load_cameras(cameras)
    console = Console()
    rows: list[dict[str, Any]] = []
    for result in check_cameras(file.cameras):
        info = result.info
        rows.append(
            {
                "camera": result.camera.id,
                "uri": str(result.camera.uri),
                "ok": info is not None,
                "problem": result.problem,
                "codec": info and info.codec,
                "width": info and info.width,
                "height": info and info.height,
                "fps": info and info.fps,
            }
        )
        if as_json:
            continue
        if info is not None:
            rate = f"{info.fps:g} fps" if info.fps else "rate unknown"
            what = f"{info.codec} {info.width}x{info.height} {rate}"
            console.print(f"[green]ok[/]    {result.camera.id}  {what}", highlight=False)
        else:
            console.print("[bold red]fails[/]", result.camera.id, end="  ", highlight=False)
            console.print(result.problem, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


@app.command()
def simulate(
    uri: Annotated[str | None, typer.Argument(metavar="URI", help="sim://city/camera?options")] = None,
    frames: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many frames.")] = 100,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to.")] = Path("simulated"),
    show: Annotated[bool, typer.Option("--list", help="List what exists instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: print JSON.")] = False,
) -> None:
    """Write a clip of the simulated city, and its truth for YOLO and COCO."""
    if show:
        _list_city(as_json)
        return
    if uri is None:
        raise ConfigError("say which camera, such as sim://kingsport/crossing; --list shows all")
    export(uri, frames, out)
    Console().print(f"{frames} frames in {out.absolute()}", highlight=False, soft_wrap=True)


def _list_city(as_json: bool) -> None:
    content = city_content()
    if as_json:
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return
    console = Console(highlight=False)
    for city, cameras in content["cities"].items():
        for camera in cameras:
            console.print(f"sim://{city}/{camera}", soft_wrap=True)
    console.print(f"conditions: {', '.join(content['conditions'])}", soft_wrap=True)
    console.print(f"events: {', '.join(content['events'])}", soft_wrap=True)


drift_app = typer.Typer(help="Is the world still the one the model was trained on?")
app.add_typer(drift_app, name="drift")


for command in (train, evaluate, models, lineage, reproduce):
    app.command()(command)
app.add_typer(camera_app, name="camera")
app.add_typer(label_app, name="label", no_args_is_help=True)
app.add_typer(learn_app, name="learn")
app.add_typer(rollout_app, name="rollout")
app.add_typer(server_app, name="labelstudio", no_args_is_help=True)


@drift_app.callback(invoke_without_command=True)
def drift(
    context: typer.Context,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report with plots and pictures.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Is the world still the one the model was trained on? The state of every watched camera."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings({}, {})
    store = open_store(settings)
    states = drift_state(settings, store, open_ledger(settings.ledger), camera, _complain)
    if html is not None:
        write_report(html, states, store)
    if as_json:
        content = {name: state.as_json() for name, state in states.items()}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        print_state(Console(highlight=False), states)
        if html is not None:
            Console().print(f"report: {html.absolute()}", highlight=False, soft_wrap=True)


@drift_app.command()
def compare(
    reference: Annotated[
        str,
        typer.Argument(
            help="A clip, a folder of images, a sim:// URI, or CAMERA@START/END of a camera's past."
        ),
    ],
    window: Annotated[str, typer.Argument(help="The same, of the time since.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Compare two stretches of one camera, and name what changed."""
    verdict = compare_recordings(reference, window, open_store(_settings({}, {})))
    if as_json:
        sys.stdout.write(json.dumps(verdict.as_json(), indent=2) + "\n")
    else:
        print_verdict(Console(highlight=False), verdict)


@app.command()
def serve(
    model: Model = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port.")] = 8000,
) -> None:
    """Serve POST /predict and its OpenAPI page until Ctrl-C."""
    console = Console(stderr=True)
    serve_api(
        _settings({"model": model}, {}), host, port, say=lambda text: console.print(text, highlight=False)
    )


def _settings(values: dict[str, Any], from_file: dict[str, Any]) -> Settings:
    """Flags over the file's ``settings:`` over the environment."""
    return read_settings(**{**from_file, **{k: v for k, v in values.items() if v is not None}})


def _complain(sentence: str) -> None:
    Console(stderr=True).print("[bold red]error:[/] ", end="")
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; errors of ours become one sentence and exit code 2."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        app()
    except StreetloopError as error:
        _complain(str(error))
        raise SystemExit(2 if isinstance(error, ConfigError | ModelError) else 1) from None


if __name__ == "__main__":
    main()
