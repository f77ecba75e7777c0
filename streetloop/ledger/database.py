"""Opening the ledger, bringing it up to date, and its transactions."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from streetloop.errors import LedgerError

_BUSY_S = 30.0  # how long a writer waits for another's transaction
_MIGRATIONS = Path(__file__).parent / "migrations"


class Ledger:
    """An open ledger. Safe to use from several threads and processes at once.

    Args:
        engine: Of a database that is up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done within happens as a whole, or not at all if an error leaves it.

        Raises:
            LedgerError: The database refused or could not be reached.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger {_shown(self._engine)}: {_reason(error)}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_ledger(url: str) -> Ledger:
    """Open a ledger, make it if there is none, and bring its tables up to date.

    Args:
        url: As SQLAlchemy writes them: ``sqlite:///folder/ledger.db``, ``postgresql://...``.

    Raises:
        LedgerError: It cannot be opened; the message shows no password.
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            # One process migrates; others that start at the same moment wait for its transaction.
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise LedgerError(f"the ledger {_shown(engine)}: {_reason(error)}") from error
    except CommandError as error:
        raise LedgerError(
            f"the ledger {_shown(engine)} is of another version of streetloop: {error}"
        ) from error
    return Ledger(engine)


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
            Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
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
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, see below
    connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_S * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # At once for writing: a transaction that first reads and then writes could be refused late.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _shown(engine: Engine) -> str:
    # Without its query, which may hold a password, too.
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _reason(error: SQLAlchemyError) -> str:
    """Without the statement and its values, which may be anybody's."""
    original = getattr(error, "orig", None)
    return f"{type(error).__name__}: {original if original is not None else error}"
