"""Which cameras run: those of the file, with what was changed since."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from streetloop.cameras.camera_file import Camera, camera_document, parse_camera
from streetloop.cameras.camera_set import CameraDiff, CameraSet, CameraSetWatcher, merged
from streetloop.errors import ConfigError, LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import CameraChange, change_camera

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def cam(name: str, fps: float | None = None) -> Camera:
    document = {"id": name, "uri": f"rtsp://10.0.0.1/{name}", "fps": fps}
    return parse_camera({key: value for key, value in document.items() if value is not None})


def put(ledger: Ledger, camera: Camera) -> None:
    change_camera(ledger, camera.id, camera_document(camera), "ann", NOON)


def _change(name: str, camera: Camera | None) -> CameraChange:
    return CameraChange(1, name, camera and camera_document(camera), "ann", NOON)


# Merging


def test_a_changed_camera_keeps_its_place_and_new_ones_come_last() -> None:
    file = [cam("a"), cam("b"), cam("c")]
    changes = [_change("d", cam("d")), _change("b", cam("b", 5)), _change("a", None)]
    assert merged(file, changes) == [cam("b", 5), cam("c"), cam("d")]
    assert file == [cam("a"), cam("b"), cam("c")]


def test_what_is_removed_may_be_unknown() -> None:
    assert merged([cam("a")], [_change("gone", None)]) == [cam("a")]
    assert merged([], []) == []


def test_a_change_that_cannot_be_read_is_an_error_without_the_password() -> None:
    strange = CameraChange(1, "a", {"id": "a", "uri": "rtsp://u:hunter2@h/a", "lens": "wide"}, "ann", NOON)
    with pytest.raises(ConfigError, match="unknown key 'lens'") as caught:
        merged([], [strange])
    assert "hunter2" not in str(caught.value)


# The difference

_sets = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([None, 1.0, 2.0]), max_size=6).map(
    lambda rates: CameraSet(tuple(cam(name, fps) for name, fps in rates.items()))
)


@given(before=_sets, after=_sets)
def test_doing_what_the_difference_says_leads_from_one_to_the_other(
    before: CameraSet, after: CameraSet
) -> None:
    change = before.diff(after)
    left = [camera for camera in before if camera.id not in change.removed]
    assert {c.id: c for c in [*left, *change.added]} == {c.id: c for c in after}
    assert len(left) + len(change.added) == len(after.ids), "nothing runs twice"
    assert all(camera in before.cameras for camera in left), "what stays is not touched"
    assert not [c for c in change.added if c in before.cameras], "what is as it was is not started again"


@given(cameras=_sets)
def test_between_equals_there_is_no_difference(cameras: CameraSet) -> None:
    assert cameras.diff(CameraSet(cameras.cameras[::-1])) == CameraDiff()


# The watcher


def test_a_poll_says_what_changed_since_the_last(ledger: Ledger) -> None:
    watcher = CameraSetWatcher([cam("a"), cam("b")], ledger)
    assert watcher.poll() == CameraDiff()
    put(ledger, cam("c"))
    change_camera(ledger, "a", None, "ann", NOON)
    assert watcher.poll() == CameraDiff(("a",), (cam("c"),))
    assert watcher.poll() == CameraDiff()
    assert watcher.current.cameras == (cam("b"), cam("c"))


def test_a_changed_camera_stops_and_starts(ledger: Ledger) -> None:
    watcher = CameraSetWatcher([cam("a")], ledger)
    put(ledger, cam("a", 5))
    assert watcher.poll() == CameraDiff(("a",), (cam("a", 5),))


def test_what_was_changed_before_the_start_is_known_at_the_first_poll(ledger: Ledger) -> None:
    put(ledger, cam("b"))
    change_camera(ledger, "a", None, "ann", NOON)
    watcher = CameraSetWatcher([cam("a")], ledger)
    watcher.poll()
    assert watcher.current.cameras == (cam("b"),)


def test_a_change_that_was_taken_back_is_none(ledger: Ledger) -> None:
    watcher = CameraSetWatcher([cam("a")], ledger)
    watcher.poll()
    put(ledger, cam("a", 5))
    put(ledger, cam("a"))
    assert watcher.poll() == CameraDiff()


def test_a_set_that_somebody_holds_does_not_change(ledger: Ledger) -> None:
    watcher = CameraSetWatcher([cam("a")], ledger)
    held = watcher.current
    put(ledger, cam("b"))
    watcher.poll()
    assert held.ids == ("a",)
    assert watcher.current.ids == ("a", "b")


def test_a_poll_that_failed_is_made_good_by_the_next(ledger: Ledger) -> None:
    watcher = CameraSetWatcher([cam("a")], ledger)
    watcher.poll()
    with ledger.transaction() as connection:
        connection.execute(text("alter table camera_changes rename to away"))
    with pytest.raises(LedgerError):
        watcher.poll()
    assert watcher.current.cameras == (cam("a"),)
    with ledger.transaction() as connection:
        connection.execute(text("alter table away rename to camera_changes"))
    put(ledger, cam("b"))
    assert watcher.poll() == CameraDiff((), (cam("b"),))
