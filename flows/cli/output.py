"""What commands print: results on standard output, everything else on standard error."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from streetloop.secrets import redact

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]


def print_json(content: Any) -> None:
    """Print plain values, or the views of a control service, as JSON on standard output."""
    sys.stdout.write(json.dumps(plain(content), indent=2) + "\n")


def plain(content: Any) -> Any:
    """Views, also in lists and dictionaries, as plain values with the keys of the API."""
    if isinstance(content, list):
        return [plain(one) for one in content]
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    dump = getattr(content, "model_dump", None)
    return content if dump is None else dump(mode="json", by_alias=True)


def results() -> Console:
    """The console of results: standard output."""
    return Console(highlight=False)


def borderless(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table without a border.

    Args:
        columns: Headings of text columns, which fold.
        numbers: Headings of the columns after them, which are aligned to the right.
    """
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def end_at_once(code: int) -> NoReturn:
    """End the process where the interpreter's own end would wait for the threads of a dead Ray.

    Args:
        code: The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def say(sentence: str) -> None:
    """Print what a command did, or does now, on standard error, without secrets of addresses."""
    Console(stderr=True).print(redact(sentence), highlight=False, markup=False, soft_wrap=True)


def complain(sentence: str) -> None:
    """Print an error on standard error, without secrets of addresses."""
    console = Console(stderr=True)
    console.print("[bold red]error:[/] ", end="")
    console.print(redact(sentence), markup=False, highlight=False, soft_wrap=True)


def sentences_of(error: Exception) -> list[str]:
    """What an error says, a line each: all mistakes of a file, or one sentence.

    A library's text of several lines, as of a model that it cannot read, becomes one.
    """
    from streetloop.errors import ConfigError, DatasetError

    text = str(error)
    return text.splitlines() if isinstance(error, ConfigError | DatasetError) else [" ".join(text.split())]


def exit_code(error: Exception) -> int:
    """2 for a wrong input (camera file, setting, flag, model, dataset), 1 for everything else."""
    from streetloop.errors import ConfigError, DatasetError, ModelError

    return 2 if isinstance(error, ConfigError | DatasetError | ModelError) else 1


def write_page(path: Path, page: str) -> None:
    """Write an HTML page.

    Raises:
        ConfigError: The file cannot be written.
    """
    from streetloop.errors import ConfigError
    from streetloop.host.files import write_whole
    from streetloop.host.paths import is_folder

    if not is_folder(path.parent, ConfigError):
        raise ConfigError(f"{path}: cannot be written: there is no folder {path.parent}")
    try:
        write_whole(path, page)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
