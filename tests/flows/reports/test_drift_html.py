"""The report is one file that needs nothing else."""

import base64
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from drift.monitor import LiveWatch
from drift.period_log import PeriodLog
from flows.reports.drift_html import report_page
from flows.reports.drift_status import DriftStatus, drift_state
from streetloop.images import decode_image
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.types import Image
from tests.drift.support import breathing
from tests.flows.reports.test_drift_status import AT_NIGHT, BEGIN

DAY = np.full((90, 160, 3), 180, np.uint8)
NIGHT = np.full((90, 160, 3), 20, np.uint8)


class _Page(HTMLParser):
    """What is in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def pictures(self) -> list[Image]:
        found = []
        for address in self.addresses:
            found.append(decode_image(base64.b64decode(address.split(",")[1])))
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Night has fallen on ``dark``; ``young`` has just come."""
    home = tmp_path_factory.mktemp("home")
    settings = _settings(home)
    watch = LiveWatch(
        ["dark", "young"],
        settings,
        FolderStore(settings.store),
        open_ledger(settings.ledger),
        None,
        lambda _: None,
    )
    for one in (
        *breathing(150, start=BEGIN, camera_id="dark", picture=DAY),
        *breathing(30, 150, AT_NIGHT, start=BEGIN, camera_id="dark", picture=NIGHT),
        *breathing(20, start=BEGIN, camera_id="young"),
    ):
        watch.take([one])
    watch.close()
    return home


def _settings(home: Path) -> Settings:
    return Settings(home=home, model=str(home / "nothing.onnx"))


def _states(home: Path) -> dict[str, DriftStatus]:
    settings = _settings(home)
    return drift_state(settings, FolderStore(settings.store), open_ledger(settings.ledger))


def _report(home: Path, states: dict[str, DriftStatus] | None = None) -> str:
    states = _states(home) if states is None else states
    return report_page(states, FolderStore(_settings(home).store))


@pytest.fixture(scope="module")
def text(home: Path) -> str:
    return _report(home)


def test_its_times_are_of_a_zone(home: Path) -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    page = report_page(_states(home), FolderStore(_settings(home).store), kathmandu)
    words = " ".join(" ".join(_Page(page).words).split())
    assert f"{(BEGIN + timedelta(minutes=150)).astimezone(kathmandu):%Y-%m-%d %H:%M}" in words
    assert f"{BEGIN + timedelta(minutes=150):%Y-%m-%d %H:%M}" not in words
    assert "+0545" in words


def test_it_needs_nothing_from_anywhere(text: str) -> None:
    page = _Page(text)
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", re.sub(r"base64,[^\"]+", "", text))
    assert not {"script", "link", "iframe", "object"} & set(page.tags)


def test_it_has_the_state_the_causes_and_what_helps(text: str) -> None:
    words = " ".join(" ".join(_Page(text).words).split())
    assert "2 cameras" in words
    assert "likely night" in words
    assert "own past, 150 minutes" in words
    assert f"{BEGIN + timedelta(minutes=150):%Y-%m-%d %H:%M}" in words
    assert "ongoing" in words
    assert "labels" in words
    assert "not enough yet (55 more minutes)" in words


def test_it_shows_a_picture_of_the_reference_and_one_of_now_and_the_plots(text: str) -> None:
    before, now, plots = _Page(text).pictures
    assert before.mean() == pytest.approx(180, abs=3)
    assert now.mean() == pytest.approx(20, abs=3)
    assert plots.shape[1] > 800
    assert plots.std() > 5, "there is something on it"


def test_every_feature_has_its_row_with_the_alarms(text: str) -> None:
    rows = re.findall(r"<tr><td>(\w+)</td><td>[^<]+</td>(.*?)</tr>", text, re.DOTALL)
    dark = dict(rows[: len(rows) // 2])
    assert "alarm" in dark["brightness"]
    assert "alarm" not in dark["confidence"]
    young = dict(rows[len(rows) // 2 :])
    assert set(dark) == set(young)
    assert all("not enough yet" in row for row in young.values())


def test_names_are_shown_and_not_run(home: Path) -> None:
    name = "<script>alert('x')</script>\"><img src=http://evil/>"
    text = _report(home, {name: _states(home)["young"]})
    assert "<script" not in text
    assert "<img src=http" not in text
    assert name in "".join(_Page(text).words)


def test_before_any_camera_was_watched_it_says_what_to_do(tmp_path: Path) -> None:
    text = _report(tmp_path / "empty", {})
    words = " ".join(" ".join(_Page(text).words).split())
    assert "0 cameras" in words
    assert "No camera was monitored yet" in words
    assert "streetloop run CAMERAS.YAML" in words


def test_a_camera_that_was_not_watched_for_weeks_has_a_section(tmp_path: Path) -> None:
    log = PeriodLog(FolderStore(_settings(tmp_path / "home").store))
    for one in breathing(20, start=BEGIN - timedelta(days=60)):
        log.append(one)
    log.flush()
    text = _report(tmp_path / "home")
    assert "not watched for weeks" in text
    assert _Page(text).addresses == []


def test_names_in_any_script_survive(home: Path) -> None:
    text = _report(home, {"straße": _states(home)["young"]})
    assert "straße" in text
