"""What only a server does: it refuses, is restarted, and may be away."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, make_url, text

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import change_camera
from streetloop.ledger.events import begin_event, list_events
from tests.support.servers.postgres import PASSWORD, Postgres

pytestmark = pytest.mark.postgres

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.migrated()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    ledger = open_ledger(url)
    yield ledger
    ledger.close()


def test_a_url_without_a_driver_is_understood(url: str) -> None:
    ledger = open_ledger(url.replace("postgresql+psycopg://", "postgresql://"))
    begin_event(ledger, "drift", NOON)
    assert len(list_events(ledger)) == 1
    ledger.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "not it"}, "password authentication failed"),
        ({"username": "nobody"}, "password authentication failed"),
        ({"database": "nowhere"}, '"nowhere" does not exist'),
        ({"port": 1}, "refused"),
    ],
)
def test_a_server_that_refuses_is_an_error_without_a_password(
    url: str, change: dict[str, object], says: str
) -> None:
    wrong = make_url(url).set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    with pytest.raises(LedgerError, match=says) as caught:
        open_ledger(wrong)
    for secret in (PASSWORD, "not it"):
        assert secret not in f"{caught.value} {caught.value.__cause__}"


def test_a_database_that_does_not_take_every_sign_is_refused(postgres: Postgres) -> None:
    engine = create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create database latin encoding 'LATIN1' template template0"))
    engine.dispose()
    with pytest.raises(LedgerError, match="UTF8"):
        open_ledger(postgres.url("latin"))
    postgres.drop(postgres.url("latin"))


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("insert into camera_secrets values ('a', 'rtsp://u:hunter2@10.0.0.7/b')", "camera_secrets_pkey"),
        ("update camera_secrets set camera_id = null", "null value"),
    ],
)
def test_an_error_shows_no_row(ledger: Ledger, statement: str, says: str) -> None:
    change_camera(ledger, "a", {"id": "a", "uri": "rtsp://admin:hunter2@10.0.0.7/a"}, "ann", NOON)
    with pytest.raises(LedgerError, match=says) as caught, ledger.transaction() as connection:
        connection.execute(text(statement))
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_connections_that_a_restart_broke_are_replaced(postgres: Postgres, ledger: Ledger) -> None:
    begin_event(ledger, "before", NOON)
    postgres.restart()
    assert [event.kind for event in list_events(ledger)] == ["before"]
    postgres.restart()
    begin_event(ledger, "after", NOON)
    assert {event.kind for event in list_events(ledger)} == {"before", "after"}


def test_a_write_waits_for_a_server_that_comes_back(postgres: Postgres, ledger: Ledger) -> None:
    postgres.stop()
    writer = threading.Thread(target=begin_event, args=(ledger, "meanwhile", NOON))
    try:
        writer.start()
        with pytest.raises(LedgerError, match="refused"):  # reads do not wait
            list_events(ledger)
    finally:
        postgres.start()
    writer.join(60)
    assert [event.kind for event in list_events(ledger)] == ["meanwhile"]


def test_a_write_gives_up_when_its_patience_ends(postgres: Postgres, url: str) -> None:
    ledger = open_ledger(url, patience_s=0.1)
    postgres.stop()
    try:
        with pytest.raises(LedgerError, match="refused"):
            begin_event(ledger, "lost", NOON)
    finally:
        postgres.start()
    begin_event(ledger, "kept", NOON)
    assert [event.kind for event in list_events(ledger)] == ["kept"]
    ledger.close()


def test_a_server_that_goes_away_in_a_transaction_leaves_nothing(postgres: Postgres, ledger: Ledger) -> None:
    def delete_twice() -> None:
        with ledger.transaction() as connection:
            connection.execute(text("delete from events"))
            postgres.restart()
            connection.execute(text("delete from events"))

    begin_event(ledger, "before", NOON)
    with pytest.raises(LedgerError, match="connection"):
        delete_twice()
    begin_event(ledger, "after", NOON)
    assert {event.kind for event in list_events(ledger)} == {"before", "after"}


def test_a_client_that_vanishes_in_a_transaction_does_not_keep_others_out_for_ever(ledger: Ledger) -> None:
    with ledger.snapshot() as connection:
        limit = connection.execute(text("show idle_in_transaction_session_timeout")).scalar_one()
    assert limit == "1min"


def test_a_snapshot_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="read-only"), ledger.snapshot() as connection:
        connection.execute(text("delete from events"))


def test_many_threads_share_few_connections(ledger: Ledger) -> None:
    kinds = [f"writer-{k}" for k in range(24)]
    writers = [threading.Thread(target=begin_event, args=(ledger, kind, NOON), daemon=True) for kind in kinds]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert {event.kind for event in list_events(ledger)} == set(kinds)
    query = "select count(*) from pg_stat_activity where datname = current_database()"
    with ledger.snapshot() as connection:
        assert connection.execute(text(query)).scalar_one() <= 12
