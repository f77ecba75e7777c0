"""Night falls on a running camera: it is found, told, written down, and frames are kept."""

import json
from pathlib import Path

import pytest
import yaml

from drift.period_log import read_periods
from flows.reports.tracing.asked import parse_asked
from flows.reports.tracing.tracer import Tracer
from streetloop.ledger import open_ledger
from streetloop.ledger.events import list_events
from streetloop.ledger.findings import list_findings
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.programs.cli import Command

# As fast as it is analysed, and so the same each time: night falls on frame 80 of 180.
URI = "sim://larkfield/gantry?traffic=busy&condition=night@8:1&live=0&frames=180"
# Drift periods of half a second: thirty of them pass in fifteen seconds.
SETTINGS = {"drift_period_s": 0.5, "gate": False, "triage_period_s": 2.0, "image_size": 320}


@pytest.mark.ray
def test_a_run_finds_that_night_falls_and_keeps_frames_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREETLOOP_LOG_FORMAT", "auto")  # JSON, for standard error is a pipe
    path = tmp_path / "cameras.yaml"
    camera = {"id": "gantry", "uri": URI}
    path.write_text(yaml.safe_dump({"settings": SETTINGS, "cameras": [camera]}))
    home = tmp_path / "home"
    outcome = Command("run", str(path), "--duration", "200", "--json", home=home).finish(290)
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["cameras"]["gantry"]["detected"] == 180
    assert outcome.json["drift"]["gantry"][0]["name"] == "night"
    assert "gantry: drift since" in outcome.stderr

    log = [json.loads(line) for line in outcome.stderr.splitlines()]
    assert len({line["run"] for line in log if "run" in line}) == 1
    assert all("run" in line for line in log if line.get("camera"))

    settings = Settings(home=home)
    ledger = open_ledger(settings.ledger)
    (finding,) = list_findings(ledger, "gantry")
    assert finding.causes[0].name == "night"
    assert finding.asks_for_labels
    (event,) = [event for event in list_events(ledger) if event.kind == "drift"]
    assert (event.camera_id, event.started_at) == ("gantry", finding.since)
    begun = [line for line in log if line.get("event") == event.id]
    assert [line["camera"] for line in begun if "begins" in line["message"]] == ["gantry"]
    periods = list(read_periods(FolderStore(settings.store), "gantry"))
    assert len(periods) == 35, "of 18 seconds all but the one that had not ended"

    candidates = list_reviews(ledger, [ReviewState.CANDIDATE])
    assert len(candidates) >= 4
    assert {one.digest for one in candidates} <= {line.get("frame") for line in log}
    store = FolderStore(settings.store)
    for one in candidates:
        assert one.origin["uri"] == URI
        assert 0 <= one.origin["frame"] < 180
        assert store.get(one.image_key).startswith(b"\xff\xd8")
    assert any(one.origin["frame"] > 90 for one in candidates), "of the night, too"

    newest = max(candidates, key=lambda one: one.captured_at)
    way = Tracer(settings, ledger, store).trace(parse_asked(newest.digest))
    (seen,) = way.frames
    (run,) = {line["run"] for line in log if "run" in line}
    assert seen.name == f"{run}/gantry/{newest.origin['frame_id']}"
    assert (seen.fate, seen.model, seen.captured_at) == ("detected", newest.model_version, newest.captured_at)
    assert {line["frame_name"] for line in log if line.get("frame") == newest.digest} == {seen.name}
    # The newest candidate may be of a moment before the one since when it drifts.
    ended_at = event.ended_at or newest.captured_at
    was_open = event.started_at <= newest.captured_at <= ended_at
    assert (("drift", "open at the frame") in {(one.kind, one.link) for one in way.events}) == was_open
