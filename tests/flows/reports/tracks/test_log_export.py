import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import flows.reports.tracks.log_export as log_export
from flows.cli.main import app
from flows.reports.tracks.log_export import export_tracks
from flows.reports.tracks.mot_files import read_mot
from flows.stream.pipeline import FRAME_IDS_PER_GENERATION
from flows.stream.sinks.detection_log import DetectionLog
from streetloop.errors import ConfigError, NotFound
from streetloop.storage.store import FolderStore
from streetloop.types import UNCONFIRMED
from tests.support.stream_flow.build import NOON, found, frame, result
from tests.support.stream_flow.fakes import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Two runs of camera a; the second has two tracks over two hours, and camera b saw nothing."""
    store = FolderStore(tmp_path / "home/store")
    _write(store, "run1", 1)
    _write(store, "run2", 4)
    return store


def _write(store: FolderStore, run: str, frames: int) -> None:
    clock = FakeClock()
    log = DetectionLog(store, f"detections/run={run}", "worker0-0", ["a", "b"], ("car",), 30.0, clock)
    for k in range(frames):
        at = NOON.replace(hour=12 + k // 3)
        boxes = found((10, 20, 30, 50), (1, 2, 3, 4), (5, 6, 7, 8), confidence=0.75)
        log.take(result(frame(k, pts=k / 10, captured_at=at), boxes, [4, 7, UNCONFIRMED]))
    log.close()


def test_the_newest_run_becomes_a_mot_file(store: FolderStore, tmp_path: Path) -> None:
    done = export_tracks(store, "a", tmp_path / "found.txt")
    assert (done.run, done.boxes, done.tracks) == ("run2", 8, 2)
    assert (tmp_path / "found.txt").read_text().splitlines()[:3] == [
        "1,4,10.00,20.00,20.00,30.00,0.75,-1,-1",
        "1,7,1.00,2.00,2.00,2.00,0.75,-1,-1",
        "2,4,10.00,20.00,20.00,30.00,0.75,-1,-1",
    ]
    assert read_mot(tmp_path / "found.txt", truth=False).frame.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_log_of_an_older_version_is_read(store: FolderStore, tmp_path: Path) -> None:
    for key in list(store.keys("detections/run=run2/")):
        table, file = pq.read_table(io.BytesIO(store.get(key))), io.BytesIO()
        pq.write_table(table.drop_columns(["counted", "weak"]), file)
        store.put(key, file.getvalue())
    assert export_tracks(store, "a", tmp_path / "found.txt").boxes == 8


def test_a_part_of_an_older_run_can_be_had(store: FolderStore, tmp_path: Path) -> None:
    assert export_tracks(store, "a", tmp_path / "found.txt", run="run1").boxes == 2
    assert export_tracks(store, "a", tmp_path / "found.txt", seconds=0.2).boxes == 4


def test_a_camera_that_saw_nothing_has_an_empty_file(store: FolderStore, tmp_path: Path) -> None:
    assert export_tracks(store, "b", tmp_path / "found.txt").boxes == 0
    assert (tmp_path / "found.txt").read_text() == ""


def test_frames_after_a_workers_death_follow_those_before(store: FolderStore, tmp_path: Path) -> None:
    log = DetectionLog(store, "detections/run=run2", "worker0-1", ["a"], ("car",), 30.0, FakeClock())
    log.take(result(frame(FRAME_IDS_PER_GENERATION + 2, pts=0.2), found((10, 20, 30, 50)), [9]))
    log.close()

    export_tracks(store, "a", tmp_path / "found.txt")
    assert sorted({*read_mot(tmp_path / "found.txt", truth=False).frame.tolist()}) == [1, 2, 3, 4, 7]
    assert export_tracks(store, "a", tmp_path / "found.txt", seconds=0.3).boxes == 6


def test_what_is_not_there_is_named(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no camera 'c'"):
        export_tracks(store, "c", tmp_path / "found.txt")
    with pytest.raises(NotFound, match="'a' has no run 'run3'; its newest are run1, run2"):
        export_tracks(store, "a", tmp_path / "found.txt", run="run3")


def test_too_many_boxes_are_refused(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_export, "_MAX_BOXES", 7)
    with pytest.raises(ConfigError, match="more than 7 boxes; export fewer with --seconds"):
        export_tracks(store, "a", tmp_path / "found.txt")


def test_the_command_says_what_it_wrote(store: FolderStore, tmp_path: Path) -> None:
    environment = {"STREETLOOP_HOME": str(tmp_path / "home")}
    out = tmp_path / "found.txt"
    done = CliRunner().invoke(app, ["export-tracks", "a", "--out", str(out)], env=environment)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"8 boxes of 2 tracks in {out}, from the run run2\n"
