"""Stretches of a camera's past, clips, folders and simulated cameras, compared."""

import re
from collections.abc import Iterable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from rich.console import Console

from drift.measurement.period import DriftPeriod
from drift.period_log import PeriodLog
from drift.series import SeriesVerdict
from flows.reports.recordings import compare_recordings, print_verdict
from streetloop.errors import ConfigError
from streetloop.storage.store import FolderStore
from tests.drift.support import MIX, START, breathing
from tests.support.samples.odd_clips import steady, write_stamped

AT_NIGHT = {"brightness": -0.3, "contrast": -0.1, "noise": 5.0, "saturation": -0.1}
# START is midnight: day until 10:00, night from there on.
DAY, LATER = "a@2026-03-02T00:00/2026-03-02T05:00", "a@2026-03-02T05:00/2026-03-02T09:30"
NIGHT = "a@2026-03-02T10:00/2026-03-02T11:00"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    store = FolderStore(tmp_path_factory.mktemp("store"))
    _write(store, breathing(600), breathing(90, 600, AT_NIGHT))
    return store


def _write(store: FolderStore, *minutes: Iterable[DriftPeriod]) -> None:
    log = PeriodLog(store)
    for some in minutes:
        for one in some:
            log.append(one)
    log.flush()


def test_a_night_is_told_from_the_day_before(store: FolderStore) -> None:
    verdict = compare_recordings(DAY, NIGHT, store)
    assert verdict.enough
    assert verdict.causes[0].name == "night"
    assert verdict.results["brightness"].alarm
    assert verdict.results["brightness"].change == pytest.approx(-0.3, abs=0.03)


def test_two_stretches_of_one_day_are_alike(store: FolderStore) -> None:
    verdict = compare_recordings(DAY, LATER, store)
    assert verdict.enough
    assert verdict.causes == []


def test_other_traffic_is_told_from_the_past_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    freight = {**dict.fromkeys(MIX, 1), "truck": 14}
    _write(store, breathing(300), breathing(120, 300, mix=freight))
    now = "a@2026-03-02T05:00/2026-03-02T07:00"
    assert compare_recordings(DAY, now, store).causes[0].name == "traffic mix"


def test_a_stretch_goes_from_its_first_minute_to_before_its_last(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    _write(store, breathing(50), breathing(100, 50, AT_NIGHT))
    until = START + timedelta(minutes=50)
    day = f"a@{START:%Y-%m-%dT%H:%M}/{until:%Y-%m-%dT%H:%M}"
    night = f"a@{until:%Y-%m-%dT%H:%M}/{until + timedelta(minutes=40):%Y-%m-%dT%H:%M}"
    verdict = compare_recordings(day, night, store)
    assert verdict.results["brightness"].statistic == 1.0, "not a minute is on the wrong side"


@pytest.mark.parametrize(
    "night",
    [
        "a@2026-03-02T10:00Z/2026-03-02T11:00Z",
        "a@2026-03-02T11:00+01:00/2026-03-02T12:00+01:00",
        "a@2026-03-02T05:00-05:00/2026-03-02 11:00",
        "a@20260302T1000/20260302T1100",
    ],
)
def test_times_are_utc_unless_they_say_otherwise(store: FolderStore, night: str) -> None:
    expected = compare_recordings(DAY, NIGHT, store)
    assert compare_recordings(DAY, night, store).as_json() == expected.as_json()


def test_times_without_an_offset_are_of_the_time_zone(store: FolderStore) -> None:
    expected = compare_recordings(DAY, NIGHT, store)
    berlin = ZoneInfo("Europe/Berlin")
    night = "a@2026-03-02T11:00/2026-03-02T12:00"
    utc_day = DAY.replace("/", "Z/") + "Z"
    assert compare_recordings(utc_day, night, store, berlin).as_json() == expected.as_json()


def test_too_short_a_stretch_is_not_enough(store: FolderStore) -> None:
    verdict = compare_recordings(DAY, "a@2026-03-02T10:00/2026-03-02T10:02", store)
    assert (verdict.enough, verdict.causes) == (False, [])
    assert verdict.missing > 0
    assert f"not enough yet: {verdict.missing} more" in _printed(verdict)


def _printed(verdict: SeriesVerdict) -> str:
    sink = StringIO()
    print_verdict(Console(file=sink, width=120), verdict)
    return sink.getvalue()


def test_for_people_there_is_a_row_a_feature_and_the_causes(store: FolderStore) -> None:
    said = _printed(compare_recordings(DAY, NIGHT, store))
    assert "drift; likely causes:" in said
    assert re.search(r"^  night \(\d+ %\): .*darker", said, re.MULTILINE)
    row = next(line for line in said.splitlines() if line.startswith("brightness"))
    assert row.endswith("alarm")
    assert "no drift" in _printed(compare_recordings(DAY, LATER, store))


def test_a_past_and_pictures_have_the_features_of_pictures_in_common(
    store: FolderStore, tmp_path: Path
) -> None:
    _folder(tmp_path / "now", 20)
    verdict = compare_recordings(DAY, str(tmp_path / "now"), store)
    assert "brightness" in verdict.results
    assert "confidence" not in verdict.results


def _folder(folder: Path, count: int, level: int = 120) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(count):
        noise = rng.normal(0, 10, (90, 160, 3))
        cv2.imwrite(str(folder / f"frame_{k}.png"), np.clip(level + noise, 0, 255).astype(np.uint8))


def test_a_file_that_is_named_like_a_past_is_the_file(tmp_path: Path, store: FolderStore) -> None:
    folder = tmp_path / "a@2026-03-02T00:00"
    folder.mkdir()
    _folder(folder / "2026-03-02T05:00", 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        verdict = compare_recordings(DAY, NIGHT, store)
    assert "confidence" not in verdict.results, "it is a folder of images"


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("a40@2026-03-02T00:00/2026-03-02T01:00", "nothing is known of a40 from .*; cameras: a$"),
        ("a@2026-03-05T00:00/2026-03-05T01:00", "nothing is known of a from 2026-03-05T00:00"),
        ("a@2026-03-02T05:00/2026-03-02T04:00", "the period does not end after it begins"),
        ("a@yesterday/today", "'yesterday' is no time; write 2026-11-21T08:00"),
        ("a@2026-03-02T00:00/2026-13-02T00:00", "'2026-13-02T00:00' is no time"),
        ("a@0001-01-01T00:00+14:00/2026-03-02T00:00", "is no time"),
        ("a@2026-03-02T00:00", "no such clip or folder"),
        ("../a@2026-03-02T00:00/2026-03-02T01:00", "no such clip or folder"),
        ("nowhere.mp4", "no such clip or folder"),
        ("rtsp://u:p@h/a", "^a recording: that is an address, not a file; name a clip, a folder"),
        ("u:p@h/a", "^a recording: that is an address, not a file; name a clip, a folder"),
        (f"/{'n' * 300}.mp4", "cannot be read: File name too long"),
        ("sim://kingsport/crossing", "say how long it is with frames=300"),
    ],
)
def test_what_cannot_be_read_is_named(store: FolderStore, window: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compare_recordings(DAY, window, store)


def test_a_folder_without_images_is_named(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no images"):
        compare_recordings(DAY, str(tmp_path), store)
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match="is not an image that can be read"):
        compare_recordings(DAY, str(tmp_path), store)


def test_before_anything_was_watched_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cameras: none was watched yet"):
        compare_recordings(DAY, NIGHT, FolderStore(tmp_path))


def test_simulated_cameras_compare(tmp_path: Path) -> None:
    uri = "sim://larkfield/gantry?size=64x64&frames=60&fps=1"
    verdict = compare_recordings(uri, f"{uri}&condition=night", FolderStore(tmp_path))
    assert verdict.causes[0].name == "night"


@pytest.mark.parametrize("name", ["a#b.mp4", "sp ace é/a b.mp4", "100%25.mp4"])
def test_a_clip_of_any_name_compares_as_a_path_and_as_an_address(
    name: str, tmp_path: Path, store: FolderStore
) -> None:
    clip = tmp_path / name
    clip.parent.mkdir(exist_ok=True)
    write_stamped(clip, steady(5))
    assert not compare_recordings(str(clip), clip.as_uri(), store).enough  # but both were read


def test_an_address_with_an_open_number_sign_says_how_to_write_it(store: FolderStore) -> None:
    with pytest.raises(ConfigError, match="write # as %23"):
        compare_recordings("file:///clips/a#b.mp4", DAY, store)
