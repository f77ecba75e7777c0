import contextlib
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, inspect, select

from streetloop.errors import ConfigError, LedgerError, LedgerUrlInvalid
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.events import begin_event, list_events
from streetloop.ledger.migrate import newest_version
from streetloop.ledger.schema.tables import events, metadata
from streetloop.settings import Settings
from tests.support.samples.older_ledger import older_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _url(path: Path) -> str:
    return f"sqlite:///{path / 'ledger.db'}"


def _insert(ledger: Ledger, kind: str, fail: bool = False) -> None:
    with ledger.transaction() as connection:
        connection.execute(events.insert().values(kind=kind, started_at=NOON, detail={}))
        if fail:
            raise RuntimeError("on the way")


def test_a_ledger_that_is_not_there_is_made_with_its_folder(tmp_path: Path) -> None:
    ledger = open_ledger(_url(tmp_path / "a" / "b"))
    assert list_events(ledger) == []
    ledger.close()
    assert (tmp_path / "a" / "b" / "ledger.db").is_file()


def test_what_was_written_is_there_when_it_is_opened_again(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    begin_event(ledger, "drift", NOON)
    ledger.close()
    again = open_ledger(ledger_url)
    assert [event.kind for event in list_events(again)] == ["drift"]


def test_the_migrations_make_the_tables_that_are_written_to(empty_url: str) -> None:
    older_ledger(empty_url, "v1").dispose()
    ledger = open_ledger(empty_url)
    with ledger.transaction() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_a_new_ledger_has_the_version_and_the_tables_of_all_migrations(empty_url: str) -> None:
    ledger = open_ledger(empty_url)
    with ledger.transaction() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_heads() == (newest_version(),)


def test_a_new_ledger_is_as_one_that_all_migrations_made(tmp_path: Path) -> None:
    old, new = (f"sqlite:///{tmp_path / name}" for name in ("old.db", "new.db"))
    older_ledger(old, "v1").dispose()
    for url in (old, new):
        open_ledger(url).close()
    assert _defaults(old) == _defaults(new)


def _defaults(url: str) -> dict[str, dict[str, str | None]]:
    """Of all columns of all tables, in their order."""
    engine = create_engine(url)
    found = inspect(engine)
    tables = {
        name: {column["name"]: column["default"] for column in found.get_columns(name)}
        for name in found.get_table_names()
    }
    engine.dispose()
    return tables


def test_a_transaction_that_fails_leaves_nothing(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    _insert(ledger, "before")
    with pytest.raises(RuntimeError):
        _insert(ledger, "during", fail=True)
    _insert(ledger, "after")
    assert {event.kind for event in list_events(ledger)} == {"before", "after"}


def test_a_moment_without_a_zone_is_refused_and_leaves_nothing(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    with pytest.raises(LedgerError, match="time zone"):
        begin_event(ledger, "drift", NOON.replace(tzinfo=None))
    assert list_events(ledger) == []


def test_moments_come_back_in_utc(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    begin_event(ledger, "drift", NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    (event,) = list_events(ledger)
    assert event.started_at == NOON
    assert event.started_at.utcoffset() == timedelta(0)


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(empty_url: str) -> None:
    open_ledger(empty_url).close()
    _execute(empty_url, "update alembic_version set version_num = 'v99'")
    before = _columns(empty_url)
    with pytest.raises(LedgerError, match="another version of streetloop"):
        open_ledger(empty_url)
    assert _columns(empty_url) == before


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _columns(url: str) -> dict[str, list[str]]:
    """Names of all tables and their columns."""
    engine = create_engine(url)
    found = inspect(engine)
    tables = {
        name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()
    }
    engine.dispose()
    return tables


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerError, match="not a database; name another file, or bring back a backup"):
        open_ledger(_url(tmp_path))


def test_a_file_of_another_program_gets_no_tables(tmp_path: Path) -> None:
    _execute(_url(tmp_path), "create table moz_places (url text)")
    with pytest.raises(LedgerError, match="something else, with moz_places; name another file"):
        open_ledger(_url(tmp_path))
    assert _columns(_url(tmp_path)) == {"moz_places": ["url"]}


def test_a_database_of_something_else_is_refused_and_left_alone(empty_url: str) -> None:
    _execute(empty_url, "create table findings (poem text)")
    with pytest.raises(LedgerError, match="findings"):
        open_ledger(empty_url)
    assert _columns(empty_url) == {"findings": ["poem"]}


@pytest.mark.parametrize("where", ["folder.db", "file/ledger.db", "x" * 300 + "/ledger.db"])
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError):
        open_ledger(f"sqlite:///{tmp_path / where}")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense:hunter2",
        "nosuch://user:hunter2@host/name",
        "postgresql://user:hunter2@host:port/name",
        "postgresql://user:1/hunter2@host/name",
        "postgresql://user:pass@[hunter2/name",
        "postgresql://user:hunter2@127.0.0.1:1/name?connect_timeout=2",
        "postgresql://user@127.0.0.1:1/name?connect_timeout=hunter2",
        "postgresql://user@127.0.0.1:1/name?password=hunter2",
        "sqlite:///ledger.db?timeout=hunter2",
        "sqlite://user:hunter2@host/ledger.db",
        "sqlite:///file:no/such/ledger.db?mode=ro&uri=true&password=hunter2",
    ],
)
def test_no_error_shows_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerError) as caught:
        open_ledger(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in str(caught.value.__cause__)


@pytest.mark.parametrize("url", ["", "ledger.db", "nosuch://host/name"])
def test_a_url_that_is_not_understood_says_how_to_write_one(url: str) -> None:
    with pytest.raises(LedgerError, match=r"sqlite:///folder/ledger\.db"):
        open_ledger(url)


@pytest.mark.parametrize("name", ["ä b 100%", "p%41x", "100%25", "what?", "a#b", "a&mode=ro"])
def test_a_home_of_any_name_has_a_ledger(name: str, tmp_path: Path) -> None:
    ledger = open_ledger(Settings(home=tmp_path / name).ledger)
    begin_event(ledger, "drift", NOON)
    ledger.close()
    assert (tmp_path / name / "ledger.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_another_that_writes_while_a_new_ledger_is_opened_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another process holds it"):
            open_ledger(f"sqlite:///{path}", patience_s=0.1)
        threading.Timer(0.5, other.execute, ["COMMIT"]).start()
        open_ledger(f"sqlite:///{path}", patience_s=30.0).close()


def _write_some(url: str, kind: str, count: int) -> None:
    ledger = open_ledger(url)
    for number in range(count):
        begin_event(ledger, kind, NOON + timedelta(seconds=number))
    ledger.close()


def test_processes_migrate_and_write_one_ledger_at_once(empty_url: str) -> None:
    spawned = multiprocessing.get_context("forkserver")
    spawned.set_forkserver_preload(["streetloop.ledger.events"])
    writers = [spawned.Process(target=_write_some, args=(empty_url, f"writer-{k}", 25)) for k in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    ledger = open_ledger(empty_url)
    written = list_events(ledger, most=1000)
    assert len(written) == len({event.id for event in written}) == 100
    assert {event.kind for event in written} == {f"writer-{k}" for k in range(4)}


_KILLED = """
import os, sys
from datetime import UTC, datetime
from streetloop.ledger import open_ledger
from streetloop.ledger.schema.tables import events
with open_ledger(sys.argv[1]).transaction() as connection:
    connection.execute(events.insert().values(kind="half", started_at=datetime.now(UTC), detail={}))
    os._exit(9)
"""


def test_a_process_that_dies_in_a_transaction_leaves_nothing_and_no_lock(ledger_url: str) -> None:
    died = subprocess.run([sys.executable, "-c", _KILLED, ledger_url], check=False)
    assert died.returncode == 9
    ledger = open_ledger(ledger_url)
    assert list_events(ledger) == []
    begin_event(ledger, "drift", NOON)
    assert len(list_events(ledger)) == 1


@contextlib.contextmanager
def _held(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program, such as a backup, holds the database for writing."""
    other = sqlite3.connect(path / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        other.rollback()
        other.close()


def test_reads_wait_for_nobody_who_writes(tmp_path: Path) -> None:
    ledger = open_ledger(_url(tmp_path))
    begin_event(ledger, "drift", NOON)
    with _held(tmp_path) as other:
        other.execute("delete from events")
        began = time.monotonic()
        assert [event.kind for event in list_events(ledger)] == ["drift"]
        assert [event.kind for event in list_events(open_ledger(_url(tmp_path)))] == ["drift"]
        assert time.monotonic() - began < 5


def test_a_write_gives_up_when_its_patience_ends_and_says_why(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url, patience_s=0.2)
    with open_ledger(ledger_url).transaction(), pytest.raises(LedgerError, match="another process holds it"):
        begin_event(ledger, "drift", NOON)
    begin_event(ledger, "drift", NOON)
    assert len(list_events(ledger)) == 1


def test_all_that_is_read_in_a_snapshot_is_of_one_moment(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    count = select(func.count()).select_from(events)
    with ledger.snapshot() as connection:
        before = connection.execute(count).scalar()
        begin_event(ledger, "drift", NOON)
        assert connection.execute(count).scalar() == before == 0
    assert len(list_events(ledger)) == 1


def test_numbers_rise_in_the_order_of_commits(ledger_url: str) -> None:
    """Who asks for what is newer than a number misses nothing that was written at the same time."""
    ledger, other = open_ledger(ledger_url), open_ledger(ledger_url)
    begun, seen = threading.Event(), []

    def write() -> None:
        begun.set()
        seen.append(begin_event(other, "second", NOON))

    with ledger.transaction() as connection:
        writer = threading.Thread(target=write)
        writer.start()
        begun.wait(60)
        connection.execute(events.insert().values(kind="first", started_at=NOON, detail={}))
    writer.join(60)
    first, second = sorted(list_events(ledger), key=lambda event: event.id)
    assert (first.kind, second.kind, second.id) == ("first", "second", seen[0])
    ledger.close()
    other.close()


@pytest.mark.parametrize(
    "url", ["mysql://u:hunter2@h/db", "oracle://u:hunter2@h/db", "postgres//u:hunter2@h", "ledger.db"]
)
def test_a_url_of_another_kind_is_a_wrong_setting_and_says_how_to_write_it(url: str) -> None:
    with pytest.raises(LedgerUrlInvalid, match=r"write sqlite:///folder/ledger.db or postgresql") as caught:
        open_ledger(url)
    assert isinstance(caught.value, ConfigError)  # exit code 2
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_server_that_is_away_is_told_in_one_line(scheme: str) -> None:
    """``postgres://`` is what hosts of databases hand out."""
    with pytest.raises(LedgerError, match=r"the ledger postgresql://u:\*\*\*@127.0.0.1:1/db: ") as caught:
        open_ledger(f"{scheme}://u:hunter2@127.0.0.1:1/db", patience_s=0.1)
    assert len(str(caught.value).splitlines()) == 1
