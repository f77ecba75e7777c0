"""``streetloop export-tracks``: a camera's tracks from the detection log as a MOT file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from flows.reports.tracks.mot_files import NO_CLASS, MotTracks, write_mot
from flows.stream.pipeline import FRAME_IDS_PER_GENERATION
from streetloop.errors import ConfigError, NotFound
from streetloop.storage.store import ObjectStore
from streetloop.types import Ints

_LOG = "detections/run="
_CORNERS = ("x1", "y1", "x2", "y2")
_COLUMNS = ["frame_id", "pts", "track_id", *_CORNERS, "confidence"]
_MAX_BOXES = 2_000_000


@dataclass(frozen=True, slots=True)
class ExportedTracks:
    """What was written.

    Attributes:
        run: The run that the tracks are of.
        boxes: Number of boxes.
        tracks: Number of tracks.
    """

    run: str
    boxes: int
    tracks: int


def export_tracks(
    store: ObjectStore, camera_id: str, path: Path, run: str | None = None, seconds: float | None = None
) -> ExportedTracks:
    """Write the tracks of one camera in one run as a MOT file.

    Frame 1 is the camera's first frame in the run. Boxes without a track are left out.

    Args:
        store: Holds the detection log.
        camera_id: The camera.
        path: The file.
        run: Name of the run, as in ``detections/run=NAME``; None takes the camera's newest.
        seconds: Media time to export from the run's beginning, of the first worker that read the
            camera; None exports all of it.

    Raises:
        NotFound: The log has no such run of the camera.
        ConfigError: The file cannot be written, or would be too large.
        StoreError: The log cannot be read.
    """
    keys = [key for key in store.keys(_LOG) if f"/camera={camera_id}/" in key]
    chosen = _chosen(sorted({key.removeprefix(_LOG).partition("/")[0] for key in keys}), camera_id, run)
    tracks = _read(store, [key for key in keys if key.startswith(f"{_LOG}{chosen}/")], seconds)
    try:
        write_mot(path, tracks)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    return ExportedTracks(chosen, len(tracks), tracks.objects())


def _chosen(runs: Sequence[str], camera_id: str, run: str | None) -> str:
    if not runs:
        raise NotFound(f"the detection log has no camera {camera_id!r}; `streetloop run` writes it")
    if run is not None and run not in runs:
        raise NotFound(f"camera {camera_id!r} has no run {run!r}; its newest are {', '.join(runs[-3:])}")
    return run or runs[-1]


def _read(store: ObjectStore, keys: Sequence[str], seconds: float | None) -> MotTracks:
    parts: list[NDArray[np.float64]] = [np.empty((0, 8))]
    boxes = 0
    for key in keys:
        part = _rows(pq.read_table(io.BytesIO(store.get(key)), columns=_COLUMNS), seconds)
        parts.append(part)
        boxes += len(part)
        if boxes > _MAX_BOXES:
            raise ConfigError(f"more than {_MAX_BOXES} boxes; export fewer with --seconds")
    rows = np.concatenate(parts)
    generation = rows[:, 0] // FRAME_IDS_PER_GENERATION
    if seconds is not None and len(rows):
        rows = rows[generation == generation.min()]  # media time begins again in the next worker
    rows[:, 0] = numbered(rows[:, 0].astype(np.int64))
    return MotTracks.of(rows)


def numbered(frame_id: Ints) -> Ints:
    """Frame numbers from 1; a worker's frames follow those of the worker before it.

    >>> numbered(np.array([0, 2, FRAME_IDS_PER_GENERATION, FRAME_IDS_PER_GENERATION + 4])).tolist()
    [1, 3, 4, 8]

    Args:
        frame_id: (N,) ids as the detection log has them.

    Returns:
        (N,) their numbers.
    """
    generation, number = np.divmod(frame_id, FRAME_IDS_PER_GENERATION)
    before = 0
    for one in np.unique(generation):
        mine = generation == one
        number[mine] += before + 1
        before = int(number[mine].max())
    return number


def _rows(table: pa.Table, seconds: float | None) -> NDArray[np.float64]:
    """Rows of `MotTracks.table` from rows of the detection log, with frame ids for numbers."""
    table = table.filter(pc.is_valid(table["track_id"]))
    if seconds is not None:
        table = table.filter(pa.array(table["pts"].to_numpy() < seconds))
    corners = np.stack([table[name].to_numpy() for name in _CORNERS], axis=1).astype(np.float64)
    return np.column_stack(
        [
            table["frame_id"].to_numpy(),
            table["track_id"].to_numpy(),
            corners[:, :2],
            corners[:, 2:] - corners[:, :2],
            table["confidence"].to_numpy(),
            np.full(len(corners), NO_CLASS),
        ]
    )
