"""Opening the ledger, bringing it up to date, and its transactions."""

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from streetloop.errors import LedgerError
from streetloop.files import keep_private

PATIENCE_S = 30.0
"""How long a write waits for another's transaction, in seconds, where nobody waits for it."""
_READS_ONLY = "reads_only"  # an option of a connection
_MIGRATIONS = Path(__file__).parent / "migrations"


class Ledger:
    """An open ledger. Safe to use from several threads and processes at once.

    Args:
        engine: Of a database that is up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{_READS_ONLY: True})

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done within happens as a whole, or not at all if an error leaves it.

        It waits for the transaction of another process, for as long as `open_ledger` was told.

        Raises:
            LedgerError: The database refused or could not be reached.
        """
        with _translated(self._engine), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All that is read within is of one moment; it waits for nobody who writes.

        Raises:
            LedgerError: The database refused or could not be reached.
        """
        with _translated(self._engine), self._reader.begin() as connection:
            yield connection

    def purge(self) -> None:
        """Leave nothing of deleted rows in the files of the database, if another process lets us.

        SQLite overwrites what is deleted, but its log keeps the pages as they were before.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with contextlib.suppress(SQLAlchemyError, sqlite3.Error), self._engine.connect() as connection:
            # Not in a transaction, which SQLAlchemy would begin by itself.
            driver = connection.connection.driver_connection
            if driver is not None:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_ledger(url: str, patience_s: float = PATIENCE_S) -> Ledger:
    """Open a ledger, make it if there is none, and bring its tables up to date.

    Args:
        url: As SQLAlchemy writes them: ``sqlite:///folder/ledger.db``, ``postgresql://...``.
        patience_s: How long a write waits for another's transaction, in seconds. A smaller value
            answers sooner whoever waits; a larger one loses nothing to a long backup.

    Raises:
        LedgerError: It cannot be opened; the message shows no password.
    """
    engine = _engine(url, patience_s)
    ledger = Ledger(engine)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with ledger.snapshot() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    if found == tuple(ScriptDirectory.from_config(config).get_heads()):
        return ledger
    try:
        with ledger.transaction() as connection:
            # One process migrates; others that start at the same moment wait for its transaction.
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerError(
            f"the ledger {_shown(engine)} is of another version of streetloop: {error}"
        ) from error
    return ledger


@contextlib.contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(f"the ledger {_shown(engine)}: {_reason(error)}") from error


def _engine(url: str, patience_s: float) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
            keep_private(Path(str(address.database)))
        engine = create_engine(address)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # `from None`: the vendor's message may show the URL with its password.
        raise LedgerError(
            f"the ledger's URL is not understood ({type(error).__name__}); "
            "write sqlite:///folder/ledger.db or postgresql+psycopg://user:password@host/name"
        ) from None
    except OSError as error:
        raise LedgerError(f"the ledger's folder cannot be made: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, patience_s))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(patience_s: float, connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, see below
    connection.execute(f"PRAGMA busy_timeout = {round(patience_s * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # passwords are deleted, too


def _begin_sqlite(connection: Connection) -> None:
    # At once for writing: a transaction that first reads and then writes could be refused late.
    reads = connection.get_execution_options().get(_READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _shown(engine: Engine) -> str:
    # Without its query, which may hold a password, too.
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _reason(error: SQLAlchemyError) -> str:
    """Without the statement and its values, which may be anybody's."""
    original = getattr(error, "orig", None)
    if "database is locked" in str(original):
        return "another process holds it; try again when that is done (database is locked)"
    return f"{type(error).__name__}: {original if original is not None else error}"
