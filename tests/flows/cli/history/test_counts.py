"""``streetloop counts`` as people and programs use it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app, main
from streetloop.settings import Settings
from tests.support.control_service import FILE, Content


@pytest.fixture
def content() -> Iterator[Content]:
    content = Content(Settings().home)
    now = datetime.now(UTC)
    content.add_counts(now, {("in", "in", "car"): 3, ("in", "out", "bus"): 1}, {"in": 60}, inferred=1)
    content.add_counts(now - timedelta(hours=3), {("in", "in", "car"): 5}, {"in": 60})
    yield content
    content.ledger.close()


@pytest.fixture
def file(tmp_path: Path) -> tuple[str, str]:
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": list(FILE), "settings": {"timezone": "Europe/Berlin"}}))
    return "--file", str(path)


def counts(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["counts", *arguments], env={"COLUMNS": "200"}, catch_exceptions=False)


@pytest.mark.usefixtures("content")
def test_json_is_a_row_for_each_bin_line_direction_and_class() -> None:
    rows: list[dict[str, Any]] = json.loads(counts("a40", "--since", "5m", "--bin", "1h", "--json").stdout)
    wanted = ["start", "end", "line", "direction", "class", "count", "inferred", "coverage"]
    assert all(list(row) == wanted for row in rows)
    assert sum(row["count"] for row in rows) == 4
    assert sum(row["inferred"] for row in rows) == 2
    (cars,) = (r for r in rows if (r["direction"], r["class"], r["count"] > 0) == ("in", "car", True))
    assert 0 < cars["coverage"] < 0.1
    start, end = (datetime.fromisoformat(cars[name]) for name in ("start", "end"))
    assert start <= datetime.now(UTC) < end == start + timedelta(hours=1)


@pytest.mark.usefixtures("content")
def test_csv_has_a_header_and_the_same_rows() -> None:
    asked = ("a40", "--since", "5m", "--bin", "1h")
    rows = list(csv.DictReader(io.StringIO(counts(*asked, "--csv").stdout)))
    same = json.loads(counts(*asked, "--json").stdout)
    assert rows == [{k: "" if v is None else str(v) for k, v in row.items()} for row in same]


@pytest.mark.usefixtures("content")
def test_the_table_shows_what_was_looked_at() -> None:
    said = counts("a40", "--since", "4h", "--bin", "5m").stdout
    assert "car 3" in said
    assert "car 5" in said
    assert "bus 1" in said
    assert "20%" in said
    assert said.count("UTC") == 4
    assert "rows are not shown: the camera was not looked at" in said


@pytest.mark.usefixtures("content")
def test_times_are_of_the_zone_of_flag_file_or_environment(
    file: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("a40", "--since", "1m", "--bin", "1h", "--json")

    def offset(*arguments: str) -> str:
        return str(json.loads(counts(*asked, *arguments).stdout)[0]["start"][19:])

    assert offset() == "Z"
    assert offset(*file) in {"+01:00", "+02:00"}
    assert offset(*file, "--timezone", "Asia/Kathmandu") == "+05:45"
    monkeypatch.setenv("STREETLOOP_TIMEZONE", "Asia/Kolkata")
    assert offset() == "+05:30"


@pytest.mark.usefixtures("content")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nobody",), "no camera 'nobody'.*give --file"),
        (("a40", "--bin", "2m"), "no bin '2m'; bins are 1m, 5m, 15m, 1h, 1d"),
        (("a40", "--since", "2999-01-01"), "'2999-01-01' is in the future"),
        (("a40", "--since", "yesterday"), "'yesterday' is no time; write"),
        (("a40", "--line", "out"), "no line 'out'; it has in"),
        (("a40", "--json", "--csv"), "not both"),
        (("a40", "--timezone", "Mars/Olympus"), "setting 'timezone': is no IANA time zone"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = _fails("counts", *arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert re.search(sentence, said), said


def test_a_camera_without_lines_and_a_bad_zone_in_a_file(
    file: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _fails("counts", "crossing", *file, monkeypatch=monkeypatch, capsys=capsys)
    assert "`streetloop camera edit crossing --line NAME=X1,Y1,X2,Y2` adds one" in said
    path = Path(file[1])
    path.write_text(path.read_text().replace("Europe/Berlin", "Europe/Bonn"))
    for command in (["run", file[1]], ["counts", "a40", *file]):
        said = _fails(*command, monkeypatch=monkeypatch, capsys=capsys)
        assert "setting 'timezone': is no IANA time zone; write a name such as Europe/Berlin" in said


def _fails(*arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.argv", ["streetloop", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    (sentence,) = said.err.strip().splitlines()
    return sentence


def test_speeds_are_in_json_in_csv_and_in_the_table(content: Content) -> None:
    car = ("in", "in", "car")
    content.add_counts(datetime.now(UTC), {car: 3}, speeds={(*car, 48): 2, (*car, 60): 1})
    asked = ("a40", "--since", "5m", "--bin", "1h")
    (speed,) = (row["speed"] for row in json.loads(counts(*asked, "--json").stdout) if "speed" in row)
    assert speed == {"timed": 3, "mean_kmh": 52.0, "p85_kmh": 60}
    rows = list(csv.DictReader(io.StringIO(counts(*asked, "--csv").stdout)))
    timed = [(row["timed"], row["mean_kmh"], row["p85_kmh"]) for row in rows]
    assert timed.count(("3", "52.0", "60")) == 1
    assert timed.count(("", "", "")) == len(rows) - 1
    said = counts(*asked).stdout
    assert "mean km/h (V85)" in said
    assert "car 52 (60)" in said
