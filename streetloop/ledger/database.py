"""Opening the ledger, bringing it up to date, and its transactions."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from streetloop.ledger.engine import connect, make_engine, reader_of, require_unicode, shown, translated
from streetloop.ledger.migrate import is_current, migrate, refuse_foreign

PATIENCE_S = 30.0
"""How long a write waits for another's transaction, in seconds, where nobody waits for it."""
_fences: dict[URL, Callable[[Connection], None]] = {}


class Ledger:
    """An open ledger. Safe to use from several threads and processes at once.

    Args:
        engine: Of a database that is up to date, made by `streetloop.ledger.engine`.
        patience_s: How long a transaction waits for a server that is away, in seconds.
    """

    def __init__(self, engine: Engine, patience_s: float = PATIENCE_S) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._patience_s = patience_s

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done within happens as a whole, or not at all if an error leaves it.

        It waits for the transaction of another process, and for a server that is being restarted,
        for as long as `open_ledger` was told. A server that goes away within it is an error.

        Raises:
            LedgerError: The database refused or could not be reached.
        """
        with (
            translated(self._engine),
            connect(self._engine, self._patience_s) as connection,
            connection.begin(),
        ):
            if (fence := _fences.get(self._engine.url)) is not None:
                fence(connection)
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All that is read within is of one moment; it waits for nobody who writes.

        Raises:
            LedgerError: The database refused or could not be reached.
        """
        with translated(self._engine), self._reader.begin() as connection:
            yield connection

    @property
    def shown(self) -> str:
        """Its URL without the password."""
        return shown(self._engine)

    @contextlib.contextmanager
    def fenced(self, check: Callable[[Connection], None]) -> Iterator[None]:
        """Have every transaction of this process on the same database begin with a check.

        It holds for the ``with`` block, and for all ledgers that the process opens with this URL.

        Args:
            check: Raises an error if this process may not write any more.
        """
        _fences[self._engine.url] = check
        try:
            yield
        finally:
            del _fences[self._engine.url]

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
        url: As SQLAlchemy writes them: ``sqlite:///folder/ledger.db``,
            ``postgresql+psycopg://user:password@host/name``.
        patience_s: How long a write waits for another's transaction, in seconds. A smaller value
            answers sooner whoever waits; a larger one loses nothing to a long backup.

    Raises:
        LedgerError: It cannot be opened; the message shows no password.
    """
    engine = make_engine(url, patience_s)
    ledger = Ledger(engine, patience_s)
    with ledger.snapshot() as connection:
        require_unicode(connection)
        if is_current(connection):
            return ledger
        refuse_foreign(connection, shown(engine))
    with ledger.transaction() as connection:
        # One process migrates; others that start at the same moment wait for its transaction.
        migrate(connection, shown(engine))
    return ledger
