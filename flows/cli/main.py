"""The command line: a command reads its options, calls a service or a flow, and prints."""

import errno
import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from flows.cli.file_arguments import refuse_addresses_in
from flows.cli.output import complain, exit_code, say, sentences_of

_MODULES = (
    "run",
    "demo",
    "operations.detached",
    "operations.health",
    "serve",
    "cameras",
    "history.counts",
    "history.events",
    "history.archive",
    "history.replay",
    "history.storage",
    "history.sinks",
    "drift",
    "labels",
    "models.training",
    "models.evaluation",
    "models.bench",
    "models.registry",
    "models.datasets",
    "history.tracks",
    "learning",
    "rollouts",
    "observability.report",
    "observability.ask",
    "observability.trace",
    "observability.dashboards",
    "simulate",
    "operations.ledger",
    "operations.backup",
    "operations.plan",
    "operations.support",
)
"""Modules of commands, in the order of the help; each has an ``app``."""

_OF_FILES = {errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ELOOP}
_HELP_NAMES = ["--help", "-h"]
_WANTS_HELP = "streetloop.wants_help"
_Misuse: Any = typer.BadParameter.__base__
"""What the parser raises: the command was typed wrongly."""


class _Commands(TyperGroup):
    """Knows beforehand whether a command is asked for its help only; tells no secrets."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _Misuse as error:
            from streetloop.secrets import redact

            error.message = redact(error.message)  # which quotes what was typed
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        ctx.meta[_WANTS_HELP] = not set(_HELP_NAMES).isdisjoint(args)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": _HELP_NAMES},
)
for name in _MODULES:
    app.add_typer(import_module(f"flows.cli.{name}").app)
refuse_addresses_in(app)


@app.callback()
def streetloop(context: typer.Context) -> None:
    """Keep the detectors of a city's traffic cameras accurate, unattended."""
    if context.meta.get(_WANTS_HELP):
        return
    from streetloop.host.home import spare_user_home
    from streetloop.settings import misspelled, read_settings

    context.obj = read_settings()
    for sentence in misspelled(os.environ):
        say(sentence)
    spare_user_home(os.environ, context.obj.home)


def main() -> None:
    """Run the command line.

    Errors that are raised on purpose become sentences on standard error, a line a mistake. The exit
    code is 2 for a wrong input (camera file, setting, flag, model, dataset), and 1 for all else.
    """
    from streetloop.errors import StreetloopError
    from streetloop.host.proxies import exempt_loopback

    exempt_loopback(os.environ)
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if not os.environ.get("COLUMNS", "1").strip("0"):
        del os.environ["COLUMNS"]  # of a terminal without a size, in which nothing would be printed
    try:
        app()
    except StreetloopError as error:
        for sentence in sentences_of(error):
            complain(sentence)
        raise SystemExit(exit_code(error)) from None
    except OSError as error:
        # What nobody foresaw of a file; the place in the code says nothing to its owner.
        if error.filename is None or error.errno not in _OF_FILES:
            raise
        complain(f"{error.filename}: {error.strerror}")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
