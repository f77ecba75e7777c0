"""Cameras of the service: added, changed and removed over a real ledger."""

import threading
from pathlib import Path

import pytest

from flows.service.control_service import ControlService
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger.cameras import change_camera, last_change, newest_changes
from tests.support.control_service import FILE, NOW, PASSWORD, Content, refused, running
from tests.support.stream_flow.build import write_clip

SIM = {"id": "new", "uri": "sim://larkfield/gantry"}


def ids(content: Content) -> list[str]:
    return [view.id for view in content.service.cameras()]


def test_cameras_are_those_of_the_file_in_its_order(empty: Content) -> None:
    first, second = empty.service.cameras()
    assert (first.id, first.city, first.fps, first.transport) == ("a40", "London", 10, "tcp")
    assert first.lines["in"].points == ((0.2, 0.7), (0.6, 0.7))
    assert first.uri == "rtsp://***@10.0.0.7/a40"
    assert (second.id, second.state, second.frames.decoded) == ("crossing", "stopped", 0)


def test_what_runs_is_shown_as_it_runs(empty: Content) -> None:
    empty.live.append(running())
    empty.live.append(running("unknown"))
    first, second = empty.service.cameras()
    assert (first.state, first.frames.detected, second.state) == ("live", 60, "stopped")


@pytest.mark.parametrize("new", [True, False])
def test_no_password_is_ever_shown(empty: Content, new: bool) -> None:
    document = {"id": "b1" if new else "a40", "uri": f"rtsp://bob:{PASSWORD}@10.0.0.8/b1"}
    shown = empty.service.put_camera(document, "ann", new=new)
    assert PASSWORD not in repr(shown) + shown.model_dump_json()
    assert all(PASSWORD not in view.model_dump_json() for view in empty.service.cameras())
    assert newest_changes(empty.ledger)[0].document == document, "whoever opens it needs it"


def test_a_new_camera_is_the_last(empty: Content) -> None:
    shown = empty.service.put_camera({**SIM, "city": "larkfield"}, "ann", new=True)
    assert (shown.id, shown.city, shown.state) == ("new", "larkfield", "stopped")
    assert ids(empty) == ["a40", "crossing", "new"]
    (change,) = newest_changes(empty.ledger)
    assert (change.author, change.document) == ("ann", {**SIM, "city": "larkfield"})


def test_another_house_over_the_same_ledger_sees_it(empty: Content) -> None:
    empty.service.put_camera(SIM, "ann", new=True)
    again = ControlService(empty.settings, empty.file)
    assert [view.id for view in again.cameras()] == ["a40", "crossing", "new"]


@pytest.mark.parametrize("name", ["a40", "A40", "crossing", "CrossinG"])
def test_ids_differ_by_more_than_case(empty: Content, name: str) -> None:
    said = refused(ConfigError, lambda: empty.service.put_camera({**SIM, "id": name}, "ann", new=True))
    assert "is there already" in said
    assert last_change(empty.ledger) == 0


def test_an_id_is_free_again_once_its_camera_is_gone(empty: Content) -> None:
    empty.service.remove_camera("a40", "ann")
    empty.service.put_camera({**SIM, "id": "A40"}, "ann", new=True)
    assert ids(empty) == ["crossing", "A40"]


def test_of_two_who_add_the_same_camera_at_once_one_is_refused(empty: Content) -> None:
    refusals: list[ConfigError] = []

    def add() -> None:
        try:
            empty.service.put_camera(SIM, "ann", new=True)
        except ConfigError as error:
            refusals.append(error)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refusals), last_change(empty.ledger)) == (5, 1)


def test_a_camera_that_is_changed_keeps_its_place(empty: Content) -> None:
    empty.service.put_camera({"id": "a40", "uri": "sim://larkfield/gantry"}, "ann", new=False)
    first, _ = empty.service.cameras()
    assert (first.id, first.uri, first.city, first.lines) == ("a40", "sim://larkfield/gantry", None, {})


def test_an_address_that_was_shown_and_is_sent_back_keeps_its_password(empty: Content) -> None:
    shown = empty.service.cameras()[0]
    empty.service.put_camera({"id": "a40", "uri": shown.uri, "fps": 5}, "ann", new=False)
    (change,) = newest_changes(empty.ledger)
    assert change.document == {"id": "a40", "uri": FILE[0]["uri"], "fps": 5.0}


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a40", "rtsp://***@10.0.0.9/a40"),
        ("a40", "rtsp://***@10.0.0.7/other"),
        ("new", "rtsp://***@10.0.0.7/a40"),
    ],
    ids=["another host", "another path", "another camera"],
)
def test_a_hidden_password_goes_nowhere_else(empty: Content, name: str, uri: str) -> None:
    document = {"id": name, "uri": uri}
    said = refused(ConfigError, lambda: empty.service.put_camera(document, "ann", new=name == "new"))
    assert "write them again" in said
    assert last_change(empty.ledger) == 0


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sim://atlantis/crossing", "atlantis"),
        ("sim://kingsport/crossing?weather=odd", "weather"),
        ("file://relative.mp4", "file:///absolute/path.mp4"),
        ("file:///there/is/none.mp4", "none.mp4"),
        ("file:///etc/passwd", "passwd"),
        ("gopher://host", "unknown scheme"),
        (f"rtsp://u:{PASSWORD}@[host/a", "no valid URI"),
    ],
)
def test_what_cannot_be_a_camera_is_refused_before_anything_runs(
    empty: Content, uri: str, words: str
) -> None:
    for new, name in ((True, "new"), (False, "crossing")):
        document = {"id": name, "uri": uri}
        said = refused(ConfigError, lambda d=document, n=new: empty.service.put_camera(d, "ann", new=n))
        assert words in said
    assert last_change(empty.ledger) == 0


def test_a_recording_is_a_camera(empty: Content, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [90] * 5)
    shown = empty.service.put_camera({"id": "clip", "uri": f"file://{clip}"}, "ann", new=True)
    assert shown.uri == f"file://{clip}"


def test_who_is_not_there_is_neither_changed_nor_removed(empty: Content) -> None:
    service = empty.service
    assert "no camera 'new'" in refused(NotFound, lambda: service.put_camera(SIM, "ann", new=False))
    assert "no camera 'x'" in refused(NotFound, lambda: service.remove_camera("x", "ann"))
    assert len(refused(NotFound, lambda: service.remove_camera("x" * 9000, "ann"))) < 200
    assert last_change(empty.ledger) == 0


def test_a_removed_camera_is_gone_and_its_past_stays(content: Content) -> None:
    content.service.remove_camera("a40", "ann")
    assert ids(content) == ["crossing"]
    refused(NotFound, lambda: content.service.remove_camera("a40", "ann"))
    page = content.service.events("a40", None, only_open=False, offset=0, limit=10)
    assert len(page.items) == 2
    assert all(event.ended_at is not None for event in page.items), "nothing goes on there"
    (state,) = [state for state in content.service.drift() if state.camera_id == "a40"]
    assert not state.drifts


def test_a_change_that_cannot_be_read_is_said_and_health_says_so_too(empty: Content) -> None:
    change_camera(empty.ledger, "a40", {"id": "a40", "uri": "warp://host"}, "ann", NOW)
    assert "unknown scheme" in refused(ConfigError, empty.service.cameras)
    health = empty.service.health()
    assert (health.ok, health.cameras) == (False, 0)
    assert "unknown scheme" in health.problems[0]


def test_a_table_adds_and_changes_and_leaves_what_it_has_no_column_for(empty: Content) -> None:
    table = "id,uri,fps\na40,rtsp://***@10.0.0.7/a40,5\nb1,sim://larkfield/gantry,\ncrossing,{}\n"
    found = empty.service.import_cameras(table.format(FILE[1]["uri"]), "csv", "fleet.csv", "ann")
    assert (found.added, found.changed, found.unchanged) == (["b1"], ["a40"], ["crossing"])
    first, _, new = empty.service.cameras()
    assert (first.fps, first.city, list(first.lines)) == (5, "London", ["in"])
    assert (new.id, new.uri) == ("b1", "sim://larkfield/gantry")
    (change,) = [one for one in newest_changes(empty.ledger) if one.camera_id == "a40"]
    assert change.document is not None
    assert change.document["uri"] == FILE[0]["uri"], "the password stays"


def test_a_camera_of_a_yaml_list_is_as_the_list_has_it(empty: Content) -> None:
    text = "cameras: [{id: a40, uri: 'sim://larkfield/gantry'}]"
    assert empty.service.import_cameras(text, "yaml", "fleet.yaml", "ann").changed == ["a40"]
    first = empty.service.camera("a40")
    assert (first.city, first.fps, dict(first.lines)) == (None, None, {})


def test_a_list_with_mistakes_changes_nothing_and_tells_all_of_them(empty: Content) -> None:
    before = last_change(empty.ledger)

    def said(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            empty.service.import_cameras(text, "csv", "fleet.csv", "ann")
        return str(caught.value)

    wrong = said("id,uri,fps\nb1,sim://larkfield/gantry,0\nb2,foo://x,1\nb1,sim://larkfield/gantry,1\n")
    for part in ("camera 'b1': fps", "camera 'b2': uri: unknown scheme", "camera 'b1' is there twice"):
        assert f"fleet.csv: {part}" in wrong
    twins = said("id,uri\nCrossing,sim://larkfield/gantry\nb1,sim://nowhere/x\n")
    assert "camera 'Crossing' is there in another case" in twins
    assert len(twins.splitlines()) == 2
    assert last_change(empty.ledger) == before
