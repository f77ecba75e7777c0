"""An object store that goes away during a run: nothing is lost, and it is said."""

import io
import os
import threading
import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from streetloop.ledger import open_ledger
from streetloop.ledger.events import list_events
from streetloop.settings import Settings
from streetloop.storage.minio import MinioStore
from tests.support.programs.cli import Command, camera_file
from tests.support.rollout import wait_for
from tests.support.servers.gateway import PASSWORD, USER, Gateway

pytestmark = [pytest.mark.ray, pytest.mark.minio]

_AWAY_S = float(os.environ.get("STREETLOOP_TEST_AWAY_S", "15"))
"""Set it to 120 to have the store away for as long as a restart of its machine takes."""
_FATES = ("detected", "gated", "dropped", "failed")


def test_a_store_that_is_away_costs_no_row_of_the_logs(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, home = f"b{uuid.uuid4().hex[:20]}", tmp_path / "home"
    for name, value in {
        "STORE_URL": f"s3://{bucket}",
        "S3_ENDPOINT": gateway.endpoint,
        "S3_ACCESS_KEY": USER,
        "S3_SECRET_KEY": PASSWORD,
        "LOG_FLUSH_S": "1",
    }.items():
        monkeypatch.setenv(f"STREETLOOP_{name}", value)
    store = MinioStore(bucket, "", gateway.access)
    street = {"id": "crossing", "uri": "sim://kingsport/crossing?size=320x192", "fps": 5}
    run = Command("run", camera_file(tmp_path, street), "--json", home=home)
    ledger = open_ledger(Settings(home=home).ledger)
    try:
        wait_for(lambda: list(store.keys("frames/run=")), "the first rows", 120.0, 0.5)
        gateway.kill()
        kinds = wait_for(lambda: {e.kind for e in list_events(ledger, most=100)}, "an event that says so")
        threading.Event().wait(_AWAY_S)
        gateway.start()
        for log in ("frames/run=", "detections/run="):
            before = len(list(store.keys(log)))
            wait_for(lambda: len(list(store.keys(log))) > before, "rows after its return", 60.0, 0.5)  # noqa: B023
    finally:
        run.interrupt()
        done = run.finish()
        ledger.close()
    assert "cannot store" in done.stderr, "a run that had trouble says so at its end"
    camera = done.json["cameras"]["crossing"]
    assert camera["detected"] > 0
    tables = [pq.read_table(io.BytesIO(store.get(key))) for key in store.keys("frames/run=")]
    fates = [fate for table in tables for fate in table["fate"].to_pylist()]
    assert {fate: fates.count(fate) for fate in _FATES} == {fate: camera[fate] for fate in _FATES}
    frames = [number for table in tables for number in table["frame_id"].to_pylist()]
    assert len(set(frames)) == len(frames) == camera["decoded"]
    assert kinds == {"store_failed"}
