"""Engines of the ledger's databases.

SQLite and PostgreSQL give the same guarantees:

- One transaction writes at a time. What it has read is still so when it writes, and numbers of rows
  rise in the order of commits, which `cameras.last_change` relies on. SQLite has this by
  ``BEGIN IMMEDIATE``, PostgreSQL by an advisory lock that a transaction takes first.
- A snapshot reads one moment and waits for nobody who writes: SQLite's log, and REPEATABLE READ.
"""

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from streetloop.errors import LedgerError, LedgerUrlInvalid
from streetloop.host.files import keep_private

_HOST = re.compile(r"[\w.,:-]*")
_BROKEN = ("file is not a database", "disk image is malformed")
_NEW_FILE = "name another file, or bring back a backup by `streetloop restore`"
_READS_ONLY = "reads_only"  # an option of a connection
_HOW_TO_WRITE = "write sqlite:///folder/ledger.db or postgresql+psycopg://user:password@host/name"
_WRITERS_LOCK = 0x7374_7265_6574  # "street"; any number that nobody else in the database takes
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code of a lock that was waited for too long
_AGAIN_S = 0.2
_POOL: dict[str, Any] = {
    "pool_size": 2,  # kept open by each open ledger; a server has 100 connections by default
    "max_overflow": 10,
    "pool_recycle": 1800,
    "pool_pre_ping": True,  # a server that was restarted meanwhile is connected to anew
}
_LIBPQ = {
    "application_name": "streetloop",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    # A server that went away without a word is noticed within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
_SESSION = {
    # A client that went away in a transaction gives its lock back within a minute.
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def make_engine(url: str, patience_s: float) -> Engine:
    """An engine with the guarantees of this module; nothing is connected yet.

    Args:
        url: Of the database, as SQLAlchemy writes them.
        patience_s: How long a write waits for another's transaction, in seconds.

    Raises:
        LedgerUrlInvalid: The URL is not understood.
        LedgerError: The folder of a SQLite file cannot be made.
    """
    try:
        address = make_url(url)
        if address.drivername == "postgres":  # as hosts of databases write it
            address = address.set(drivername="postgresql")
        if address.get_backend_name() == "postgresql":
            return _postgresql(address, patience_s)
        return _sqlite(address, patience_s)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # `from None`: the vendor's message may show the URL with its password.
        raise LedgerUrlInvalid(
            f"the ledger's URL is not understood ({type(error).__name__}); {_HOW_TO_WRITE}"
        ) from None
    except OSError as error:
        raise LedgerError(f"the ledger's folder cannot be made: {error}") from error


def reader_of(engine: Engine) -> Engine:
    """The same engine, for transactions that only read, each of one moment."""
    options: dict[str, Any] = {_READS_ONLY: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


def connect(engine: Engine, patience_s: float) -> Connection:
    """A connection; a server that is away, as in a restart, is waited for.

    Args:
        engine: The engine.
        patience_s: How long to wait, in seconds.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            return engine.connect()
        except OperationalError:
            if engine.dialect.name != "postgresql" or time.monotonic() + _AGAIN_S > end:
                raise
            time.sleep(_AGAIN_S)  # a server that starts tells nobody


def require_unicode(connection: Connection) -> None:
    """Refuse a database that cannot hold every name of a camera or a class.

    Raises:
        LedgerError: It has another encoding than UTF-8.
    """
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise LedgerError(
            f"the ledger {shown(connection.engine)} is encoded in {encoding}: "
            "make its database with `createdb --encoding UTF8 --template template0`"
        )


@contextlib.contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Errors of the database as `LedgerError`, without passwords and without values of rows."""
    try:
        yield
    except SQLAlchemyError as error:
        sentence = f"the ledger {shown(engine)}: {_without_secrets(_reason(error), engine.url)}"
        raise LedgerError(sentence) from (error if _shows_nothing(error, engine.url) else None)


def shown(engine: Engine) -> str:
    """The URL without its password, and without its query, which may hold one, too."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def _postgresql(address: URL, patience_s: float) -> Engine:
    if "@" in (address.database or "") or not _HOST.fullmatch(address.host or ""):
        raise ValueError("a password with signs that are not escaped")
    given = {name: value for name, value in _LIBPQ.items() if name not in address.query}
    pool = {**_POOL, "pool_timeout": patience_s}
    engine = create_engine(address, connect_args=given, hide_parameters=True, **pool)
    event.listen(engine, "connect", partial(_prepare_postgresql, patience_s))
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_postgresql(patience_s: float, connection: Any, _: object) -> None:
    lock_timeout = {"lock_timeout": f"{max(1, round(patience_s * 1000))}ms"}
    with connection.cursor() as cursor:
        for name, value in {**_SESSION, **lock_timeout}.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if not connection.get_execution_options().get(_READS_ONLY):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")


def _sqlite(address: URL, patience_s: float) -> Engine:
    if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
        keep_private(Path(str(address.database)))
    engine = create_engine(address, hide_parameters=True)
    if engine.dialect.name != "sqlite":
        raise ValueError("another kind of database")
    event.listen(engine, "connect", partial(_prepare_sqlite, patience_s))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(patience_s: float, connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, see below
    connection.execute(f"PRAGMA busy_timeout = {round(patience_s * 1000)}")
    _write_ahead(connection, patience_s)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # passwords are deleted, too


def _write_ahead(connection: sqlite3.Connection, patience_s: float) -> None:
    """Keep a write-ahead log. SQLite's own timeout does not cover this change of a new database."""
    end = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() + _AGAIN_S > end:
                raise
            time.sleep(_AGAIN_S)  # the process that changes it tells nobody


def _begin_sqlite(connection: Connection) -> None:
    # At once for writing: a transaction that first reads and then writes could be refused late.
    reads = connection.get_execution_options().get(_READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _reason(error: SQLAlchemyError) -> str:
    """Without the statement and its values, which may be anybody's."""
    original = getattr(error, "orig", None)
    if getattr(original, "sqlstate", None) == _LOCK_NOT_AVAILABLE or "database is locked" in str(original):
        return "another process holds it; try again when that is done (database is locked)"
    said = getattr(getattr(original, "diag", None), "message_primary", None)  # its details show rows
    text = " ".join(str(said or (error if original is None else original)).split())  # of several lines
    cure = f"; {_NEW_FILE}" if any(broken in text for broken in _BROKEN) else ""
    return f"{type(error).__name__}: {text}{cure}"


def _shows_nothing(error: SQLAlchemyError, url: URL) -> bool:
    """True if an error may be printed with a traceback: it has no secret and no row in it."""
    detail = getattr(getattr(getattr(error, "orig", None), "diag", None), "message_detail", None)
    return detail is None and _without_secrets(str(error), url) == str(error)


def _without_secrets(text: str, url: URL) -> str:
    """``text`` without the password and the options of a URL."""
    options = [option for found in url.query.values() for option in _listed(found)]
    for secret in filter(None, [str(url.password or ""), *options]):
        text = text.replace(secret, "***")
    return text


def _listed(found: str | tuple[str, ...]) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else found
