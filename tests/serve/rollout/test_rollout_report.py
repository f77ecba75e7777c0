"""Both models side by side, for people and for programs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.reports.rollout_html import rollout_page
from serve.rollout.policy import Policy
from serve.rollout.rollout_report import classes_of, tables_of
from serve.rollout.rollout_summary import RolloutSummary
from serve.rollout.statistics.camera_stats import CameraStats, ServedStats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import DetectionCounts
from serve.rollout.statistics.evidence import Calls, Evidence, Scores
from serve.rollout.summarize import summarize
from streetloop.control.views import RolloutView
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger import open_ledger
from streetloop.ledger.rollouts import RolloutCommand, request_command
from streetloop.settings import Settings
from tests.support.samples.evidence import evidence, situation
from tests.support.stage import Stage

NASTY = "<script>alert('x')</script>&amp;"
LED = CameraStats(
    ServedStats(3000, 9000, 3600.0, 40, 90), ServedStats(1000, 3300, 1200.0, 6, 12),
    Moments.of(0.9, 0.8), Moments.of(0.05, 0.03),
)  # fmt: skip
KEPT = CameraStats(champion=ServedStats(4000, 4000, 1800.0, 10, 3))
CAMERAS = {"a": LED, "b": KEPT}
SCORES = {"all": Scores(DetectionCounts(70, 10, 100), DetectionCounts(80, 8, 100))}


def evidence_of(**other: object) -> Evidence:
    """Something of everything."""
    found = evidence(class_bus=0.02, city_Oslo=0.1, calls=Calls(500, 2, 0, 1))
    return replace(found, scores=SCORES, cameras=CAMERAS, **other)  # type: ignore[arg-type]


SUMMARY = summarize(situation(evidence_of()), Policy(), {"a": "Oslo", "b": None})


def cells(group: str = "all") -> dict[str, tuple[str, str, str, str]]:
    rows = tables_of(SUMMARY)[group]
    return {row.name: (row.champion, row.challenger, row.difference, row.interval) for row in rows}


def test_all_comes_first_and_each_city_and_class_has_its_own() -> None:
    assert list(tables_of(SUMMARY)) == ["all", "city:Oslo"]
    assert list(classes_of(SUMMARY)) == ["bus"]
    assert tables_of(RolloutSummary()) == classes_of(RolloutSummary()) == {}


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("cameras", ("2", "1", "", "")),
        ("frames served", ("7,000", "1,000", "", "")),
        ("detections a frame", ("1.86", "3.30", "", "")),
        ("boxes that both have", ("", "", "85.0 %", "")),
        ("confidence of those", ("", "", "+0.040", "")),
        ("broken tracks in 1,000 s", ("9.3", "5.0")),
        ("calls", ("2,000", "500", "", "")),
        ("failed", ("0", "2", "", "")),
        ("... of them not in time", ("0", "1", "", "")),
        ("precision", ("87.5 %", "90.9 %", "", "")),
        ("recall", ("70.0 %", "80.0 %", "", "")),
    ],
)
def test_each_measure_stands_beside_the_other_models(measure: str, words: tuple[str, ...]) -> None:
    assert cells()[measure][: len(words)] == words


def test_a_ratio_is_that_of_cameras_that_both_served_and_has_its_interval() -> None:
    # Of camera a: 40 in 3,600 s and 6 in 1,200 s; what b showed is another street.
    _, _, times, interval = cells()["broken tracks in 1,000 s"]
    assert times == "x0.46"
    low, high = map(float, interval.split(" to "))
    assert low < 0.46 < high
    assert cells()["computing time a frame"][2] == "x1.00"
    assert cells()["F1, 200 blocks"][2] == "+0.100"


def test_a_city_has_its_own_cameras() -> None:
    assert cells("city:Oslo")["frames served"] == ("3,000", "1,000", "", "")
    assert "calls" not in cells("city:Oslo")


def test_a_class_has_what_is_known_of_it() -> None:
    bus = classes_of(SUMMARY)["bus"]
    assert (bus["F1"], bus["champion recall"]) == ("+0.020", "")
    few = summarize(situation(evidence(blocks=10, class_bus=0.3)), Policy())
    assert (classes_of(few)["bus"]["F1"], classes_of(few)["bus"]["interval"]) == ("-", "")


# On a ledger


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A rollout in its first canary, in the ledger of this home."""
    stage = Stage(tmp_path, dict.fromkeys("abcd", f"O{NASTY}slo"))
    stage.ledger = open_ledger(Settings().ledger)
    stage.begin()
    stage.fleet.gives = evidence_of()
    stage.ask()
    stage.until_served(1)
    stage.look()
    yield stage
    stage.close()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["rollout", "report", *arguments], env={"COLUMNS": "160"})
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_newest_is_reported_unless_another_is_asked_for(stage: Stage) -> None:
    for shown in (run(), run("1")):
        assert "rollout 1: version 2 against 1: running, canary 25 %" in shown
        assert "broken tracks in 1,000 s" in shown
        assert "start (ann): version 2 is tried" in shown
    assert json.loads(run("--json"))["evidence"]["served"]["all"]["challenger"]["cameras"] == 1
    with pytest.raises(NotFound, match="there is no rollout 7"):
        run("7")


def test_what_was_found_is_still_there_once_it_is_over(stage: Stage) -> None:
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    report = json.loads(run("1", "--json"))
    assert report["state"] == "rolled back"
    assert tables_of(RolloutSummary.from_json(report["evidence"]))["all"]
    assert report["decisions"][-1]["author"] == "bob"


def test_without_any_rollout_that_is_said() -> None:
    with pytest.raises(NotFound, match="no rollout yet"):
        run()


class _Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_is_complete_has_no_links_and_escapes_what_people_wrote(stage: Stage) -> None:
    report = json.loads(run("--json"))
    report["author"] = NASTY
    report["decisions"][0] |= {"reason": NASTY, "author": NASTY, "action": NASTY}
    report["evidence"]["waits_for"] = [NASTY]
    report["evidence"]["verdict"] = {"accepted": False, "reasons": [NASTY], "says": NASTY}
    page = _Page(rollout_page(RolloutView(**report)))
    assert "script" not in page.tags
    assert page.links == []
    assert page.words.count(NASTY) >= 6
    for words in ("Rollout 1", "city:O", "broken tracks", "detect better", "Decisions", "+0.100"):
        assert words in page.words


def test_a_page_has_the_times_of_a_zone(stage: Stage) -> None:
    report = json.loads(run("--json"))
    report["started_at"] = report["decisions"][0]["at"] = "2026-07-01T22:30:00Z"
    words = _Page(rollout_page(RolloutView(**report), ZoneInfo("Europe/Berlin"))).words
    assert "2026-07-02 00:30 CEST" in words
    assert "2026-07-02 00:30:00" in words
    assert "when (Europe/Berlin)" in words


def test_a_page_of_what_just_began_can_be_written(stage: Stage, tmp_path: Path) -> None:
    request_command(stage.ledger, RolloutCommand.ROLL_BACK, "bob")
    stage.look(0.5)
    stage.ask("3")
    run("--html", str(tmp_path / "page.html"))
    assert "Nothing is measured yet" in (tmp_path / "page.html").read_text()
    with pytest.raises(ConfigError, match="cannot be written"):
        run("--html", str(tmp_path / "none" / "page.html"))
