"""``streetloop bench``: the fastest accurate way to run a model here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from flows.reports.bench.bench import Bench
    from flows.reports.bench.choice import BenchRow

app = typer.Typer()

_MAX_LISTED, _MAX_BATCH, _MIN_SIZE, _MAX_SIZE, _STRIDE = 8, 256, 32, 4096, 32


@app.command()
def bench(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="File, version or alias.")],
    sizes: Annotated[
        str | None,
        typer.Option(
            metavar="PIXELS,...", help="Longest sides of the input; by default image_size and 3/4 of it."
        ),
    ] = None,
    batches: Annotated[
        str | None,
        typer.Option(metavar="N,...", help="Pictures of one inference; by default 1 and max_batch."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="Measured time of a combination.")] = 3.0,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER_OR_CLIP", help="Pictures for the difference; by default the simulated city."
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="DIGEST_OR_YAML", help="Labeled images for mAP50-95, as evaluate takes them."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the best row's settings to a camera file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure speed and accuracy of a model here, by backend, precision, batch and size."""
    settings = settings_of(context)
    image_size = settings.image_size
    smaller = max(_MIN_SIZE, image_size * 3 // 4 // _STRIDE * _STRIDE)
    wanted_sizes = _numbers("--sizes", sizes, _MIN_SIZE, _MAX_SIZE, _STRIDE) or (image_size, smaller)
    wanted_batches = _numbers("--batches", batches, 1, _MAX_BATCH) or (1, settings.max_batch)

    from flows.reports.bench.bench import BenchRequest, run_bench
    from streetloop.cameras.camera_file import load_cameras
    from streetloop.cameras.settings_edit import write_settings

    if write is not None:
        served = load_cameras(write).settings.get("model", settings.model)
        if served != model:
            say(f"{write}: its cameras are served by {served}; what is measured and written is of {model}")
    request = BenchRequest(wanted_sizes, wanted_batches, seconds, images, dataset)
    found = run_bench(model, request, settings, lambda why: say(f"not measured: {why}"), say)
    if as_json:
        print_json([{**row.as_json(), "best": k == found.best} for k, row in enumerate(found.rows)])
    else:
        _print(found)
    if write is not None:
        write_settings(write, found.rows[found.best].settings)
        say(f"{write}: {_in_words(found.rows[found.best])}")


def _numbers(flag: str, text: str | None, least: int, most: int, step: int = 1) -> tuple[int, ...]:
    """The numbers of a list, each once; none where the flag is not given.

    Raises:
        ConfigError: One is no whole number within the bounds, or there are too many.
    """
    from streetloop.errors import ConfigError

    if text is None:
        return ()
    words = [word.strip() for word in text.split(",")]
    found = tuple(dict.fromkeys(int(word) for word in words if word.isascii() and word.isdigit()))
    if len(words) > _MAX_LISTED or not all(word.isascii() and word.isdigit() for word in words):
        raise ConfigError(
            f"{flag} {text[:60]!r}: write 1 to {_MAX_LISTED} numbers, such as {most // 8},{most // 4}"
        )
    for number in found:
        if not least <= number <= most or number % step:
            kind = f"multiples of {step} " if step > 1 else ""
            raise ConfigError(f"{flag} {number}: must be {kind}from {least} to {most}")
    return found


def _print(found: "Bench") -> None:
    scored = any(row.map50_95 is not None for row in found.rows)
    numbers = ("batch", "input", "fps", "cpu ms", *(["mAP50-95"] if scored else []), "same", "px", "conf.")
    table = borderless("", "backend", numbers=numbers)
    table.columns[1].no_wrap = True
    for number, row in enumerate(found.rows):
        best = number == found.best
        score = ["" if row.map50_95 is None else f"{row.map50_95:.4f}"] if scored else []
        table.add_row("*" if best else "", *_speed(row), *score, *_moved(row), style="bold" if best else "")
    results().print(table)
    results().print(f"* best, as settings: {_in_words(found.rows[found.best])}", soft_wrap=True)


def _speed(row: "BenchRow") -> list[str]:
    size = f"{row.width}x{row.height}"
    return [f"{row.backend}/{row.precision}", str(row.batch), size, f"{row.fps:.1f}", f"{row.cpu_ms:.1f}"]


def _moved(row: "BenchRow") -> list[str]:
    moved = row.difference
    if moved is None:
        return ["", "", ""]
    pixels = "" if moved.pixels is None else f"{moved.pixels:.2f}"
    confidence = "" if moved.confidence is None else f"{moved.confidence:.3f}"
    return [f"{moved.agreement:.1%}", pixels, confidence]


def _in_words(row: "BenchRow") -> str:
    return ", ".join(f"{name}: {value}" for name, value in row.settings.items())
