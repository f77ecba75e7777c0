"""Bringing the tables of a ledger up to date, by Alembic."""

import re
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, text

from streetloop.errors import LedgerError
from streetloop.ledger.schema.tables import metadata

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = re.compile(r"v(\d+)_")
_KEPT_IN = "alembic_version"
_NAMED = 3  # of its tables


def newest_version() -> str:
    """The version that the tables have after the last migration.

    Example:
        >>> newest_version()[0]
        'v'
    """
    names = (_VERSION.match(path.name) for path in (_MIGRATIONS / "versions").glob("v*.py"))
    return f"v{max(int(name[1]) for name in names if name)}"


def is_current(connection: Connection) -> bool:
    """True if no migration is to be done.

    Every opening asks it, so it imports no Alembic.
    """
    if not inspect(connection).has_table(_KEPT_IN):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {_KEPT_IN}")).scalars().all()
    return list(found) == [newest_version()]


def refuse_foreign(connection: Connection, shown: str) -> None:
    """Refuse a file of another program, which would get our tables beside its own.

    Args:
        connection: To a ledger that is not up to date.
        shown: Its URL without a password, for the message.

    Raises:
        LedgerError: A SQLite file with tables, none of which is ours.
    """
    tables = inspect(connection).get_table_names()
    if connection.dialect.name == "sqlite" and tables and _KEPT_IN not in tables:
        some = ", ".join(sorted(tables)[:_NAMED])
        raise LedgerError(
            f"the ledger {shown} is a database of something else, with {some}; name another file"
        )


def _make(connection: Connection) -> None:
    metadata.create_all(connection)
    table = Table(_KEPT_IN, MetaData(), Column("version_num", String(32), primary_key=True))
    table.create(connection)
    connection.execute(table.insert().values(version_num=newest_version()))


def migrate(connection: Connection, shown: str) -> None:
    """Do the migrations that are missing, in the connection's transaction.

    A new ledger gets its tables at once: twenty migrations take ten times as long.

    Args:
        connection: To the ledger.
        shown: Its URL without a password, for the message.

    Raises:
        LedgerError: It is of another version of streetloop.
    """
    if not inspect(connection).get_table_names():
        _make(connection)
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(f"the ledger {shown} is of another version of streetloop: {error}") from error
