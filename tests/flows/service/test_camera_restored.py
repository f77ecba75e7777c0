"""A camera that was removed is added again as it was."""

import time
from typing import Any

import pytest

from flows.service.control_service import ControlService
from flows.service.parts.cameras import UNDO_S
from serve.web.access.roles import AccessTokens, Guard
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.cameras import newest_changes
from tests.support.control_service import FILE, PASSWORD, Content, api_of, problem_of, refused
from tests.support.control_service import empty as empty


def test_it_has_its_password_and_all_settings_again(empty: Content) -> None:
    before = empty.service.camera("a40")
    empty.service.remove_camera("a40", "ann")
    assert PASSWORD not in repr(newest_changes(empty.ledger)), "the ledger has wiped it"
    assert empty.service.restore_camera("a40", "bob") == before
    assert [view.id for view in empty.service.cameras()] == ["a40", "crossing"]
    (change,) = newest_changes(empty.ledger)
    assert (change.author, change.document) == ("bob", {**FILE[0], "fps": 10.0})


def test_it_is_restored_once(empty: Content) -> None:
    empty.service.remove_camera("a40", "ann")
    empty.service.restore_camera("a40", "ann")
    said = refused(NotFound, lambda: empty.service.restore_camera("a40", "ann"))
    assert said == "no camera 'a40' was removed here in the last 10 minutes"


@pytest.mark.parametrize(("after_s", "is_there"), [(UNDO_S - 1, True), (UNDO_S + 1, False)])
def test_it_is_remembered_for_ten_minutes(
    empty: Content, monkeypatch: pytest.MonkeyPatch, after_s: float, is_there: bool
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("flows.service.parts.cameras.time.monotonic", lambda: now)
    empty.service.remove_camera("crossing", "ann")
    now += after_s
    if is_there:
        empty.service.restore_camera("crossing", "ann")
    else:
        refused(NotFound, lambda: empty.service.restore_camera("crossing", "ann"))
    assert ("crossing" in [view.id for view in empty.service.cameras()]) is is_there


def test_another_process_does_not_know_it(empty: Content) -> None:
    empty.service.remove_camera("a40", "ann")
    other = ControlService(empty.settings, empty.file)
    refused(NotFound, lambda: other.restore_camera("a40", "ann"))


def test_an_id_that_is_taken_again_stays_with_the_new_camera(empty: Content) -> None:
    empty.service.remove_camera("a40", "ann")
    document = {"id": "a40", "uri": "sim://larkfield/gantry"}
    empty.service.put_camera(document, "bob", new=True)
    assert "is there already" in refused(ConfigError, lambda: empty.service.restore_camera("a40", "ann"))
    assert empty.service.camera("a40").uri == document["uri"]


def test_the_api_restores_for_an_admin(empty: Content) -> None:
    client = api_of(empty, guard=Guard(AccessTokens(admin="root", operator="ops")))
    admin: dict[str, Any] = {"headers": {"authorization": "Bearer root"}}
    problem_of(client.post("/cameras/a40/restore", **admin), 404)
    before = client.get("/cameras/a40", **admin).json()
    assert client.delete("/cameras/a40", **admin).status_code == 204
    problem_of(client.post("/cameras/a40/restore", headers={"authorization": "Bearer ops"}), 403)
    answer = client.post("/cameras/a40/restore", **admin)
    assert (answer.status_code, answer.json()) == (200, before)
    assert PASSWORD not in answer.text
