"""``streetloop archive`` as people and programs use it."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError
from streetloop.ledger.events import begin_event
from streetloop.ledger.segments import find_segments
from tests.support.control_service import Content
from tests.support.samples.recordings import add_recording

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def archive(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["archive", *arguments], env={"COLUMNS": "200", **environment})


def test_segments_are_listed_for_people_and_programs(home: Content) -> None:
    segment = add_recording(home, "a40", NOW - timedelta(minutes=5))
    assert segment.key in archive("list", "a40").stdout
    (row,) = json.loads(archive("list", "a40", "--from", "1h", "--json").stdout)
    assert row["bytes"] == segment.bytes
    assert "nothing was recorded" in archive("list", "a40", "--from", "1m").stdout


def test_without_a_camera_the_sums_of_all_are_listed(home: Content) -> None:
    at = NOW.replace(minute=30, second=0, microsecond=0) - timedelta(hours=2)
    first, second = (add_recording(home, "a40", at + timedelta(seconds=s)) for s in (0, 5))
    add_recording(home, "b4", at, motion=0.0)
    a40, b4 = json.loads(archive("list", "--from", "4h", "--json").stdout)
    assert a40 == {
        "camera_id": "a40",
        "start": f"{at:%Y-%m-%dT%H:%M}:00Z",
        "end": f"{at:%Y-%m-%dT%H:%M}:07Z",
        "segments": 2,
        "bytes": first.bytes + second.bytes,
        "recorded_s": 4.0,
        "motion_s": 4.0,
        "gaps_s": 3.0,
    }
    assert (b4["camera_id"], b4["segments"], b4["motion_s"]) == ("b4", 1, 0.0)
    assert "a40" in archive("list", "--from", "4h").stdout
    assert "nothing was recorded" in archive("list", "--from", "4h", "--to", "190m").stdout


def test_a_stretch_is_exported_with_its_manifest(home: Content, tmp_path: Path) -> None:
    add_recording(home, "a40", NOW - timedelta(minutes=5))
    out = tmp_path / "out.mp4"
    view = json.loads(archive("export", "a40", "--from", "1h", "--out", str(out), "--json").stdout)
    manifest = json.loads(out.with_suffix(".json").read_text())
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert view["sha256"] == manifest["sha256"] == digest
    assert manifest["camera_id"] == "a40"


def test_rules_remove_what_is_old_but_not_what_an_event_points_to(home: Content) -> None:
    old, named, near, new = (add_recording(home, "a40", NOW - timedelta(days=days)) for days in (9, 8, 7, 1))
    begin_event(home.ledger, "stopped_vehicle", near.started_at, "a40", ended_at=near.ended_at)
    number = begin_event(home.ledger, "stopped_vehicle", NOW, "crossing", ended_at=NOW)
    with home.ledger.transaction() as connection:
        from streetloop.ledger.schema.tables import events

        connection.execute(events.update().where(events.c.id == number).values(evidence=[named.key]))
    rules = {"STREETLOOP_ARCHIVE_KEEP": json.dumps({"motion": {"days": 3}})}
    would = json.loads(archive("prune", "--dry-run", "--json", **rules).stdout)
    assert would["dry_run"] is True
    assert [(one["key"], one["class"], one["reason"]) for one in would["segments"]] == [
        (old.key, "motion", "age")
    ]
    assert would["bytes"] == would["by_class"]["motion"] == old.bytes
    assert len(find_segments(home.ledger)) == 4

    done = json.loads(archive("prune", "--json", **rules).stdout)
    assert [one["key"] for one in done["segments"]] == [old.key]
    kept = [named.key, near.key, new.key]
    assert [one.key for one in find_segments(home.ledger)] == kept
    assert sorted(home.store.keys("archive/")) == sorted(kept)


def test_a_camera_may_have_rules_of_its_own(home: Content, tmp_path: Path) -> None:
    old = add_recording(home, "a40", NOW - timedelta(days=9))
    file = tmp_path / "cameras.yaml"
    file.write_text(
        "cameras: [{id: a40, uri: 'sim://larkfield/gantry', record: off, keep: {motion: {days: 3}}}]\n"
        "settings: {archive_keep: {motion: {days: 30}}}\n"
    )
    found = json.loads(archive("prune", "--dry-run", "--json", "--file", str(file)).stdout)
    assert [one["key"] for one in found["segments"]] == [old.key]


def test_storage_is_shown_by_class(home: Content) -> None:
    segment = add_recording(home, "a40", NOW)
    view = json.loads(CliRunner().invoke(app, ["storage", "--json"]).stdout)
    classes = {one["name"]: one for one in view["classes"]}
    assert classes["archive"] == {
        "name": "archive",
        "bytes": segment.bytes,
        "objects": 1,
        "day_bytes": segment.bytes,
    }
    assert view["bytes"] == sum(one["bytes"] for one in view["classes"])
    assert view["days_left"] > 0
    assert "archive" in CliRunner().invoke(app, ["storage"]).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "nobody"), "no camera 'nobody'"),
        (("list", "a40", "--from", "soon"), "is no time"),
        (("export", "a40", "--from", "1h", "--out", "x.avi"), "ends in .mp4"),
        (("export", "a40", "--from", "1m", "--out", "x.mp4"), "nothing was recorded"),
    ],
)
def test_what_is_wrong_is_said(home: Content, arguments: tuple[str, ...], words: str) -> None:
    add_recording(home, "a40", NOW - timedelta(minutes=5))
    result = archive(*arguments)
    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)
