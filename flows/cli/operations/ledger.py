"""``streetloop ledger``: the database of what happened and what is to be done."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.context import settings_of
from flows.cli.output import Json, borderless, print_json, results, say

if TYPE_CHECKING:
    from streetloop.settings import Settings

app = typer.Typer()
ledger_app = typer.Typer(no_args_is_help=True, help="Move the ledger to another database.")
app.add_typer(ledger_app, name="ledger")


@ledger_app.callback()
def ledger() -> None:
    """Move the ledger to another database."""


@ledger_app.command()
def copy(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="Database to copy to. Default: STREETLOOP_LEDGER_URL.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the home's SQLite ledger to an empty database, such as PostgreSQL."""
    from streetloop.host.home import lock_home

    settings = settings_of(context)
    url = _target(settings, to)
    with lock_home(settings.home):
        shown, rows = _copy(settings, url)
    if as_json:
        print_json({"to": shown, "rows": rows})
        return
    table = borderless("table", numbers=("rows",))
    for name, count in rows.items():
        table.add_row(name, str(count))
    results().print(table)
    say(f"copied to {shown}; set STREETLOOP_LEDGER_URL to use it from now on")


def _target(settings: "Settings", to: str | None) -> str:
    from streetloop.errors import ConfigError

    if to is None and settings.ledger_url is None:
        raise ConfigError("give --to URL, or set STREETLOOP_LEDGER_URL to the database to copy to")
    return to if to is not None else settings.ledger


def _copy(settings: "Settings", url: str) -> tuple[str, dict[str, int]]:
    """Copy the home's ledger; the target as it may be shown, and the rows by table."""
    from streetloop.errors import ConfigError
    from streetloop.ledger import open_ledger
    from streetloop.ledger.transfer import copy_ledger
    from streetloop.sqlite_url import sqlite_path, sqlite_url

    file = settings.home / "ledger.db"
    if not file.is_file():
        raise ConfigError(f"{settings.home} has no ledger to copy: {file.name} is not there")
    if (same := sqlite_path(url)) is not None and same.absolute() == file.absolute():
        raise ConfigError("the ledger cannot be copied onto itself: name another database")
    source, target = open_ledger(sqlite_url(file)), open_ledger(url)
    try:
        return target.shown, copy_ledger(source, target)
    finally:
        source.close()
        target.close()
