"""A real PostgreSQL for tests: one server a session, empty tables for each test."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from streetloop.ledger import open_ledger
from streetloop.ledger.schema.tables import metadata
from tests.support.servers.ports import free_port

USER = "streetloop"
PASSWORD = "open: sesame/@ postgres"
_LEDGER = "ledger"
_QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off"


@dataclass
class Postgres:
    """A running server.

    Attributes:
        folder: Its data, socket, password and log.
        port: Where it listens, on loopback.
        programs: Folder of its programs.
    """

    folder: Path
    port: int
    programs: Path
    made: list[str] = field(default_factory=list)

    def url(self, database: str = "postgres") -> str:
        """URL of a database, with the password."""
        url = make_url(f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}")
        return url.set(password=PASSWORD).render_as_string(hide_password=False)

    def empty(self) -> str:
        """URL of a new database without tables."""
        return self._create("template0")

    def migrated(self) -> str:
        """URL of a database whose tables are empty, as a new ledger's; one test at a time has it.

        Nobody is connected to it.
        """
        if _LEDGER not in self.made:
            open_ledger(self._create("template0", _LEDGER)).close()
        try:
            self._empty_tables()
        except SQLAlchemyError:  # a test broke them
            self.drop(self.url(_LEDGER))
            open_ledger(self._create("template0", _LEDGER)).close()
        return self.url(_LEDGER)

    def _empty_tables(self) -> None:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        self._execute(
            _LEDGER,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()",
            f"truncate {names} restart identity",
        )

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._execute("postgres", f"drop database if exists {make_url(url).database} with (force)")

    def stop(self) -> None:
        """End it as an administrator does: connections are closed, at once."""
        self._control("stop", "-m", "fast")

    def start(self) -> None:
        """Start it, on the same port and data, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} {_QUICK}"
        self._control("start", "-w", "-l", str(self.folder / "server.log"), "-o", options)

    def restart(self) -> None:
        """Restart it; every connection is lost."""
        self.stop()
        self.start()

    def _control(self, *arguments: str) -> None:
        command = [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(command, user=_owner(), cwd="/", stdout=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, (self.folder / "server.log").read_text()

    def _create(self, template: str, name: str | None = None) -> str:
        name = name or f"test_{uuid.uuid4().hex[:12]}"
        self._execute("postgres", f"create database {name} template {template} encoding 'UTF8'")
        self.made.append(name)
        return self.url(name)

    def _execute(self, database: str, *statements: str) -> None:
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()


def start() -> Iterator[Postgres]:
    """A server with nothing in it; skips where there is none, but in CI."""
    programs = _programs()
    if programs is None:
        lack = "the tests of PostgreSQL need the Debian package postgresql"
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    # Not in pytest's folder, which the owner of the server may not enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        yield from _run(folder, programs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, programs: Path) -> Iterator[Postgres]:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if (owner := _owner()) is not None:
        for path in (folder, secret):
            shutil.chown(path, owner)
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "--pwfile", str(secret)]
    command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"]
    subprocess.run(command, user=owner, cwd="/", check=True, capture_output=True)
    server = Postgres(folder, free_port(), programs)
    server.start()
    try:
        yield server
    finally:
        with contextlib.suppress(AssertionError):  # a test may have stopped it
            server.stop()


def _programs() -> Path | None:
    found = shutil.which("initdb", path=os.pathsep.join([*_debian(), os.environ["PATH"]]))
    return None if found is None else Path(found).parent


def _debian() -> list[str]:
    return sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


def _owner() -> str | None:
    """Who runs it; the server refuses to run as root."""
    return pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
