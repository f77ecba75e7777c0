"""``streetloop drift`` as a user types it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drift.period_log import PeriodLog
from flows.cli.main import main
from streetloop.control.views import DriftView, FeatureView
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.drift.support import breathing

BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)

Run = Callable[..., int]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def streetloop(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("STREETLOOP_MODEL", "nothing.onnx")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["streetloop", "drift", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return code if isinstance(code, int) else 0

    return run


@pytest.fixture
def watched() -> None:
    """``a`` was as it was for some hours, then darker."""
    log = PeriodLog(FolderStore(Settings().store))
    for one in (
        *breathing(200, start=BEGIN),
        *breathing(40, 200, {"brightness": -0.3, "contrast": -0.1}, start=BEGIN),
    ):
        log.append(one)
    log.flush()


@pytest.mark.usefixtures("watched")
def test_the_state_is_printed(streetloop: Run, capsys: Said) -> None:
    assert streetloop() == 0
    said = capsys.readouterr()
    assert "a " in said.out
    assert "own past, " in said.out
    assert "departs most" in said.out
    assert " of 1.0" in said.out
    assert said.err == ""


@pytest.mark.usefixtures("watched")
def test_the_state_is_json_and_nothing_else(streetloop: Run, capsys: Said, tmp_path: Path) -> None:
    assert streetloop("--json", "--html", str(tmp_path / "r.html")) == 0
    state = json.loads(capsys.readouterr().out)
    assert list(state) == ["a"]
    assert state["a"]["reference"]["source"] == "own past"
    assert set(state["a"]) == {*DriftView.model_fields, "drift", "missing"}
    assert set(state["a"]["features"]["brightness"]) == set(FeatureView.model_fields)
    assert (tmp_path / "r.html").is_file()


@pytest.mark.usefixtures("watched")
def test_one_camera_can_be_asked_for(streetloop: Run, capsys: Said) -> None:
    assert streetloop("--camera", "a", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)) == ["a"]


@pytest.mark.usefixtures("watched")
def test_a_report_is_written_and_named(streetloop: Run, capsys: Said, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert streetloop("--html", str(path)) == 0
    assert f"report: {path}" in capsys.readouterr().out
    assert "data:image/png" in path.read_text()


def test_before_anything_was_watched_people_are_told_what_to_do(
    streetloop: Run, capsys: Said, tmp_path: Path
) -> None:
    assert streetloop() == 0
    assert "no camera was watched yet: `streetloop run CAMERAS.YAML`" in capsys.readouterr().out
    assert streetloop("--json") == 0
    assert json.loads(capsys.readouterr().out) == {}
    assert streetloop("--html", str(tmp_path / "r.html")) == 0
    assert "No camera was monitored yet" in (tmp_path / "r.html").read_text()


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--camera", "a40"], "camera 'a40' was never watched; known are a"),
        (["--camera", "../a"], "was never watched"),
        (["--html", "nowhere/r.html"], "nowhere/r.html: cannot be written"),
        (["compare", "a@noon/night", "a@x/y"], "'noon' is no time"),
        (["compare", "b@2026-03-02/2026-03-03", "c.mp4"], "nothing is known of b"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, streetloop: Run, capsys: Said
) -> None:
    assert streetloop(*arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""


@pytest.mark.usefixtures("watched")
def test_stretches_of_the_past_compare(streetloop: Run, capsys: Said) -> None:
    split, end = BEGIN + timedelta(minutes=200), BEGIN + timedelta(minutes=240)
    before = f"a@{BEGIN:%Y-%m-%dT%H:%M}/{split:%Y-%m-%dT%H:%M}"
    since = f"a@{split:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}"
    assert streetloop("compare", before, since, "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["drift"], verdict["causes"][0]["name"], verdict["enough"]) == (True, "night", True)
    assert streetloop("compare", before, since) == 0
    said = capsys.readouterr().out
    assert "likely causes:" in said
    assert "  night (" in said
