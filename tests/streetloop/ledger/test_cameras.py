"""Changes of cameras: the last word counts, and all are kept."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from streetloop.errors import LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import CameraChange, change_camera, last_change, newest_changes
from tests.support.samples.older_ledger import older_ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A = {"id": "a", "uri": "rtsp://u:p@10.0.0.7/a", "lines": {"ä": [[0, 0], [1, 1]]}}


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


def test_without_a_change_there_is_none(ledger: Ledger) -> None:
    assert (last_change(ledger), newest_changes(ledger)) == (0, [])


def test_a_change_is_read_as_it_was_written(ledger: Ledger) -> None:
    oslo = timezone(timedelta(hours=1))
    change_camera(ledger, "a", A, "ann", NOON.astimezone(oslo))
    assert newest_changes(ledger) == [CameraChange(1, "a", A, "ann", NOON)]
    assert newest_changes(ledger)[0].at.tzinfo is UTC


def test_the_last_word_counts_in_the_order_of_the_first(ledger: Ledger) -> None:
    for camera, document in [("b", A), ("a", A), ("c", A), ("a", None), ("b", {"id": "b"})]:
        change_camera(ledger, camera, document, "ann", NOON)
    found = newest_changes(ledger)
    assert [(one.camera_id, one.document) for one in found] == [("b", {"id": "b"}), ("a", None), ("c", A)]
    assert last_change(ledger) == 5


def test_a_removed_camera_may_come_back(ledger: Ledger) -> None:
    for document in (A, None, A):
        change_camera(ledger, "a", document, "ann", NOON)
    assert [one.document for one in newest_changes(ledger)] == [A]


def test_ids_that_differ_by_case_are_two(ledger: Ledger) -> None:
    change_camera(ledger, "a", A, "ann", NOON)
    change_camera(ledger, "A", None, "ann", NOON)
    assert [one.camera_id for one in newest_changes(ledger)] == ["a", "A"]


def test_a_long_name_of_somebody_is_cut(ledger: Ledger) -> None:
    change_camera(ledger, "a", None, "x" * 5000, NOON)
    assert newest_changes(ledger)[0].author == "x" * 100


def test_a_change_without_a_time_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="time zone"):
        change_camera(ledger, "a", None, "ann", NOON.replace(tzinfo=None))
    assert last_change(ledger) == 0


def test_changes_of_many_at_once_are_all_there(ledger: Ledger) -> None:
    def change(name: str) -> None:
        for _ in range(10):
            change_camera(ledger, name, A, name, NOON)

    threads = [threading.Thread(target=change, args=(f"c{k}",)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert last_change(ledger) == 60
    assert {one.camera_id for one in newest_changes(ledger)} == {f"c{k}" for k in range(6)}


def test_a_ledger_of_before_gets_the_table(empty_url: str) -> None:
    engine = older_ledger(empty_url, "v4")
    ledger = open_ledger(empty_url)
    change_camera(ledger, "a", A, "ann", NOON)
    assert [one.document for one in newest_changes(ledger)] == [A]
    columns = {column["name"] for column in inspect(engine).get_columns("camera_changes")}
    assert columns == set(CameraChange.__dataclass_fields__)
    ledger.close()
    engine.dispose()


# Passwords

SECRET = "hunter2-of-north-gate"
WITH_SECRET = {"id": "a", "uri": f"rtsp://admin:{SECRET}@10.0.0.7/a?token={SECRET}"}


def _is_written(folder: Path) -> bool:
    return any(SECRET.encode() in file.read_bytes() for file in folder.iterdir())


def test_a_secret_is_apart_from_the_document_and_comes_back_with_it(ledger: Ledger) -> None:
    change_camera(ledger, "a", WITH_SECRET, "ann", NOON)
    assert newest_changes(ledger)[0].document == WITH_SECRET
    with ledger.transaction() as connection:
        stored = str(connection.execute(text("select document from camera_changes")).scalar_one())
    assert "***" in stored
    assert SECRET not in stored


@pytest.mark.parametrize("then", [None, {"id": "a", "uri": "rtsp://10.0.0.7/a"}, A])
def test_what_takes_a_secret_away_wipes_it(ledger: Ledger, then: dict[str, object] | None) -> None:
    change_camera(ledger, "a", WITH_SECRET, "ann", NOON)
    change_camera(ledger, "a", then, "ann", NOON)
    with ledger.snapshot() as connection:
        kept = connection.execute(text("select uri from camera_secrets")).scalars().all()
    assert not any(SECRET in uri for uri in kept)
    assert newest_changes(ledger)[0].document == then


def test_a_secret_that_is_wiped_is_not_in_the_files(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    change_camera(ledger, "a", WITH_SECRET, "ann", NOON)
    assert _is_written(tmp_path)
    change_camera(ledger, "a", None, "ann", NOON)
    assert not _is_written(tmp_path)
    ledger.close()


def test_a_secret_of_another_camera_stays(ledger: Ledger) -> None:
    change_camera(ledger, "a", WITH_SECRET, "ann", NOON)
    change_camera(ledger, "b", A, "ann", NOON)
    change_camera(ledger, "b", None, "ann", NOON)
    assert newest_changes(ledger)[0].document == WITH_SECRET


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "ledger.db").touch(mode=0o644)
    ledger = open_ledger(f"sqlite:///{home / 'ledger.db'}")
    change_camera(ledger, "a", WITH_SECRET, "ann", NOON)
    assert home.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in home.iterdir()} == {0o600}
    ledger.close()


def test_passwords_of_before_move_out_of_the_documents(empty_url: str) -> None:
    engine = older_ledger(empty_url, "v7")
    gone = WITH_SECRET | {"id": "gone"}
    with engine.begin() as connection:
        for camera, document in (("a", WITH_SECRET), ("gone", gone), ("gone", None), ("b", {"id": "b"})):
            stored = None if document is None else json.dumps(document)
            values = {"camera": camera, "document": stored, "at": "2026-03-01 12:00:00"}
            connection.execute(
                text(
                    "insert into camera_changes (camera_id, document, author, at)"
                    " values (:camera, :document, 'ann', :at)"
                ),
                values,
            )
    engine.dispose()
    ledger = open_ledger(empty_url)
    found = {one.camera_id: one.document for one in newest_changes(ledger)}
    assert found == {"a": WITH_SECRET, "gone": None, "b": {"id": "b"}}
    with ledger.transaction() as connection:
        documents = connection.execute(text("select document from camera_changes")).scalars().all()
        kept = connection.execute(text("select camera_id from camera_secrets")).scalars().all()
    assert not any(SECRET in str(document) for document in documents)
    assert kept == ["a"]
    ledger.close()
