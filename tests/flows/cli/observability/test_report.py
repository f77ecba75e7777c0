"""``streetloop report``, ``incidents``, ``trace`` and ``dashboards``."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError
from tests.docs.pages import DOCS, rows
from tests.support.control_service import Content, content, empty  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def _home(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("STREETLOOP_HOME", str(content.settings.home))


def say(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.stdout


def test_a_report_for_people_and_one_for_programs(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    said = say("report", "--since", "24h", "--html", str(page))
    assert "There were 3 incidents between " in said
    assert "To do: " in said
    assert "<h1>Incident report</h1>" in page.read_text()
    report = json.loads(say("report", "--json", "--camera", "a40"))
    assert [one["cameras"] for one in report["incidents"]] == [["a40"], ["a40"]]
    assert report["text"][0]["source"] == "template"
    section = DOCS["reports.md"].partition("## Incidents")[0]
    listed = {key for cells in rows(section) if len(cells) == 2 for key in re.findall(r"`(\w+)`", cells[0])}
    assert report.keys() == listed
    answer = json.loads(say("ask", "which cameras drifted today?", "--json"))
    assert answer.keys() == {"sql", "columns", "rows"}


def test_incidents_are_listed_and_compared() -> None:
    found = json.loads(say("incidents", "list", "--json"))
    assert [one["id"] for one in found] == [3, 2, 1]
    assert "frozen picture" in say("incidents", "list")
    (other,) = json.loads(say("incidents", "similar", "1", "--limit", "1", "--json"))
    assert other["incident"] == found[1]
    assert "compared by" in say("incidents", "similar", "1")


def test_dashboards_are_written(tmp_path: Path) -> None:
    files = json.loads(say("dashboards", "export", str(tmp_path / "monitoring"), "--json"))["files"]
    assert len(files) == 7
    assert all(Path(file).is_file() for file in files)


def test_a_trace_for_people_and_one_for_programs(content: Content) -> None:  # noqa: F811
    labeled = json.loads(say("trace", "event:1", "--json"))
    assert (labeled["asked"], [one["id"] for one in labeled["events"]]) == ("event:1", [1])
    assert labeled["gaps"][0] == "event 1 (frozen picture) did not begin in a single frame"
    said = say("trace", "event:1")
    assert "event 1 frozen picture a40" in said
    assert "in no log: " in said
    refused = CliRunner().invoke(app, ["trace", "nothing"]).exception
    assert isinstance(refused, ConfigError)
    assert "give the digest of a frame" in str(refused)
