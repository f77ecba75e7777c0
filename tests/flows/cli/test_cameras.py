"""``streetloop camera`` as people and programs use it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.cameras import change_camera, last_change, newest_changes
from streetloop.settings import Settings
from tests.support.control_service import FILE, PASSWORD

SIM = "sim://larkfield/gantry"


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger(Settings().ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def file(tmp_path: Path) -> tuple[str, str]:
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": list(FILE)}))
    return "--file", str(path)


def camera(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["camera", *arguments], env={"COLUMNS": "200"})
    assert PASSWORD not in result.output + str(result.exception)
    return result


def listed(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(camera("list", "--json", *arguments).stdout)
    return found


def test_without_cameras_it_says_what_to_do() -> None:
    assert "no camera yet" in camera("list").stdout
    assert listed() == []


def test_those_of_the_file_are_listed_without_passwords(file: tuple[str, str]) -> None:
    shown = camera("list", *file).stdout
    assert "rtsp://***@10.0.0.7/a40" in shown
    first, second = listed(*file)
    assert first == {
        "id": "a40",
        "uri": "rtsp://***@10.0.0.7/a40",
        "city": "London",
        "site": None,
        "fps": 10.0,
        "transport": "tcp",
        "record": "off",
        "lines": {"in": [[0.2, 0.7], [0.6, 0.7]]},
        "classes": None,
    }
    assert second["id"] == "crossing"


def test_a_camera_is_added_changed_and_removed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    uri = f"rtsp://bob:{PASSWORD}@10.0.0.8/new"
    made = camera(
        "add",
        "new",
        uri,
        "--city",
        "[b]Oslo[/b]",
        "--fps",
        "5",
        "--transport",
        "udp",
        "--line",
        "in=0,0.5,1,0.5",
        "--line",
        "out=0,0.6,1,0.6",
    )
    assert made.exit_code == 0, made.output
    assert "[b]Oslo[/b]" in camera("list").stdout
    (change,) = newest_changes(ledger)
    assert (change.author, change.document) == (
        "dora",
        {
            "id": "new",
            "uri": uri,
            "city": "[b]Oslo[/b]",
            "fps": 5.0,
            "transport": "udp",
            "lines": {"in": [[0.0, 0.5], [1.0, 0.5]], "out": [[0.0, 0.6], [1.0, 0.6]]},
        },
    )

    assert camera("edit", "new", "--fps", "7", "--city", "").exit_code == 0
    (change,) = newest_changes(ledger)
    assert change.document is not None
    assert (change.document["fps"], change.document["uri"]) == (7.0, uri), "the password is kept"
    assert "city" not in change.document
    assert list(change.document["lines"]) == ["in", "out"]

    assert camera("remove", "new").exit_code == 0
    assert listed() == []


def test_a_camera_of_the_file_is_changed_and_removed(file: tuple[str, str], ledger: Ledger) -> None:
    assert camera("edit", "a40", "--fps", "2", *file).exit_code == 0
    assert newest_changes(ledger)[0].document == {**FILE[0], "fps": 2.0}
    assert camera("edit", "a40", "--classes", "car,heavy=bus+truck", *file).exit_code == 0
    assert camera("edit", "a40", "--fps", "3", *file).exit_code == 0
    classes = {"car": ["car"], "heavy": ["bus", "truck"]}
    assert newest_changes(ledger)[0].document == {**FILE[0], "fps": 3.0, "classes": classes}
    assert camera("remove", "a40", *file).exit_code == 0
    assert [one["id"] for one in listed(*file)] == ["crossing"]


def test_recording_is_turned_on_and_off_and_what_has_no_option_stays(
    file: tuple[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    hidden = {"mask": [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]]], "keep": {"motion": {"days": 3.0}}}
    document = {**FILE[0], **hidden}
    change_camera(ledger, "a40", document, "dora", datetime.now(UTC))
    for mode in ("motion", "off"):
        assert camera("edit", "a40", "--record", mode, *file).exit_code == 0
        assert listed(*file)[0]["record"] == mode
        found = newest_changes(ledger)[0].document
        assert found is not None
        assert {name: found.get(name) for name in hidden} == hidden


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("add", "a b", SIM), ConfigError, "must be 1 to 64 letters"),
        (("add", "new", "ftp://h"), ConfigError, "unknown scheme"),
        (("add", "new", f"rtsp://u:{PASSWORD}@h[/"), ConfigError, "no valid URI"),
        (("add", "new", "sim://atlantis/x"), ConfigError, "atlantis"),
        (("add", "new", SIM, "--fps", "-1"), ConfigError, "fps"),
        (("add", "new", SIM, "--record", "on"), ConfigError, "off, continuous, motion, events"),
        (("add", "new", SIM, "--line", "x"), ConfigError, "write NAME=X1,Y1,X2,Y2"),
        (("add", "new", SIM, "--line", "x=0,0,9,9"), ConfigError, "lines.x"),
        (("edit", "new", "--fps", "1"), NotFound, "give --file"),
        (("remove", "new"), NotFound, "give --file"),
        (("list", "--file", "none.yaml"), ConfigError, "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(
    ledger: Ledger, arguments: tuple[str, ...], kind: type[Exception], words: str
) -> None:
    result = camera(*arguments)
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)
    assert last_change(ledger) == 0


def test_a_list_is_imported_whole_or_not_at_all(file: tuple[str, str], tmp_path: Path) -> None:
    table = tmp_path / "fleet.CSV"
    table.write_text(f"id;uri;fps\na40;rtsp://***@10.0.0.7/a40;5\nb1;{SIM};\n")
    done = camera("import", str(table), *file)
    assert "1 camera is added, 1 changed, 0 as before; running streams take it up" in done.stderr
    again = json.loads(camera("import", str(table), "--json", *file).stdout)
    assert again == {"added": [], "changed": [], "unchanged": ["a40", "b1"]}
    assert [(one["id"], one["fps"]) for one in listed(*file)] == [
        ("a40", 5),
        ("crossing", None),
        ("b1", None),
    ]
    table.write_text(f"id,uri,fps\nb2,{SIM},\nb3,{SIM},0\n")
    refused = camera("import", str(table), *file)
    assert isinstance(refused.exception, ConfigError)
    assert f"{table}: camera 'b3': fps" in str(refused.exception)
    assert len(listed(*file)) == 3


def test_an_id_of_the_file_is_taken(file: tuple[str, str]) -> None:
    assert "is there already" in str(camera("add", "A40", SIM, *file).exception)


def test_a_site_is_given_and_taken_away() -> None:
    camera("add", "b4", "sim://larkfield/gantry", "--site", "depot")
    assert listed()[0]["site"] == "depot"
    camera("edit", "b4", "--fps", "5")
    assert listed()[0]["site"] == "depot"
    camera("edit", "b4", "--site", "")
    assert listed()[0]["site"] is None
