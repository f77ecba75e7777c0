"""What a command that runs for long says on standard error: text for people, or JSON."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any, Protocol

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from flows.cli.output import complain, exit_code
from streetloop.errors import StreetloopError
from streetloop.host.structured_log import begin_json_log
from streetloop.host.tracing import span_ids

_log = logging.getLogger(__name__)

_BAD_INPUT = 2


class RunLog(Protocol):
    """Where sentences for people go."""

    def say(self, sentence: str) -> None:
        """Say what is done now."""

    def complain(self, sentence: str) -> None:
        """Say what is wrong."""

    def showing(self, table: RenderableType) -> contextlib.AbstractContextManager[Any]:
        """Show a table that changes within the ``with`` block."""


class TextLog:
    """A `RunLog` for people."""

    def __init__(self) -> None:
        self._console: Console | None = None

    def say(self, sentence: str) -> None:
        """See `RunLog.say`."""
        (self._console or Console(stderr=True)).print(f"{sentence} ...", style="dim")

    def complain(self, sentence: str) -> None:
        """See `RunLog.complain`."""
        complain(sentence)

    @contextlib.contextmanager
    def showing(self, table: RenderableType) -> Iterator[None]:
        """See `RunLog.showing`."""
        live = Live(table, console=Console(stderr=True), refresh_per_second=4, transient=True)
        self._console = live.console
        try:
            with live:
                yield
        finally:
            self._console = None


class JsonLog:
    """A `RunLog` for programs: what is said is a line of the log."""

    def say(self, sentence: str) -> None:
        """See `RunLog.say`."""
        _log.info("%s", sentence)

    def complain(self, sentence: str) -> None:
        """See `RunLog.complain`."""
        _log.error("%s", sentence)

    def showing(self, _: RenderableType) -> contextlib.AbstractContextManager[Any]:
        """See `RunLog.showing`."""
        return contextlib.nullcontext()


def resolve_format(log_format: str) -> str:
    """``json`` or ``text``: of ``auto`` text on a terminal, and JSON elsewhere."""
    if log_format != "auto":
        return log_format
    return "text" if sys.stderr.isatty() else "json"


@contextlib.contextmanager
def open_log(log_format: str) -> Iterator[RunLog]:
    """The log of a command.

    Args:
        log_format: ``json`` or ``text``.

    Raises:
        typer.Exit: The command failed, and the log says why.
        StreetloopError: The input is wrong, which is said as text.
    """
    if log_format == "text":
        yield TextLog()
        return
    end, log = begin_json_log(span_ids), JsonLog()
    try:
        yield log
    except StreetloopError as error:
        code = exit_code(error)
        if code == _BAD_INPUT:
            raise  # nothing has started: one sentence for whoever typed the command
        log.complain(str(error))
        raise typer.Exit(code) from None
    finally:
        end()
