"""What was served in a recorded stretch, from the detection log and the frame log."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.stream.pipeline import FRAME_IDS_PER_GENERATION
from flows.stream.sinks import detection_log, frame_log
from flows.stream.sinks.parquet_objects import hour_of
from streetloop.ledger.segments import Segment
from streetloop.storage.store import ObjectStore
from streetloop.types import Floats, Ints

_HOUR = timedelta(hours=1)
_MARGIN_S = 0.5  # of media time: frames at the seams of two segments are in both


@dataclass(frozen=True, slots=True)
class ServedBoxes:
    """The boxes of one frame.

    Attributes:
        xyxy: (N, 4) float32, in pixels of the picture.
        confidence: (N,) float32.
        class_name: N names.
        track_id: (N,) int64; -1 without a track.
    """

    xyxy: Floats
    confidence: Floats
    class_name: Sequence[str]
    track_id: Ints


@dataclass(frozen=True, slots=True)
class ServedFrame:
    """What became of one frame when it was seen.

    Attributes:
        frame_id: Its number in the run.
        second: Where it is in the segment.
        fate: See `flows.stream.ingest.accounting.Fate`.
        model_version: The model that answered; None if none did.
        backend: What computed the answer.
        boxes: What was found.
    """

    frame_id: int
    second: float
    fate: str
    model_version: str | None
    backend: str | None
    boxes: ServedBoxes


def served_frames(store: ObjectStore, segment: Segment) -> list[ServedFrame]:
    """The frames of a segment as they were served, in order of time.

    Args:
        store: Has the logs.
        segment: The segment; none are found where it does not say of which run it is.

    Raises:
        StoreError: A log cannot be read.
    """
    if segment.run is None or segment.pts_offset is None or segment.frame_id is None:
        return []
    frames = _rows(store, "frames", segment, frame_log.SCHEMA)
    found = _rows(store, "detections", segment, detection_log.SCHEMA)
    boxes = _boxes_by_frame(found)
    return [
        ServedFrame(
            row["frame_id"],
            row["pts"] - segment.pts_offset,
            row["fate"],
            row["model_version"],
            row["backend"],
            boxes.get(row["frame_id"], _NOTHING),
        )
        for row in frames.sort_by("pts").to_pylist()
    ]


def _rows(store: ObjectStore, log: str, segment: Segment, schema: pa.Schema) -> pa.Table:
    """The rows of a log that are of a segment."""
    assert segment.pts_offset is not None
    assert segment.frame_id is not None
    parts = [schema.empty_table()]
    hour = segment.started_at - timedelta(seconds=_MARGIN_S)
    hours = set()
    while hour < segment.ended_at + _HOUR:
        hours.add(hour_of(hour))
        hour += _HOUR
    for name in sorted(hours):
        prefix = f"{log}/run={segment.run}/camera={segment.camera_id}/hour={name}/"
        for key in store.keys(prefix):
            parts.append(pq.read_table(io.BytesIO(store.get(key)), schema=schema))
    table = pa.concat_tables([part.select(schema.names) for part in parts])
    pts, frame_id = table["pts"].to_numpy(), table["frame_id"].to_numpy()
    length_s = (segment.ended_at - segment.started_at).total_seconds()
    second = pts - segment.pts_offset
    # Media time begins again in the next worker of a run.
    is_same = frame_id // FRAME_IDS_PER_GENERATION == segment.frame_id // FRAME_IDS_PER_GENERATION
    return table.filter(pa.array(is_same & (second >= -_MARGIN_S) & (second <= length_s + _MARGIN_S)))


def _boxes_by_frame(table: pa.Table) -> dict[int, ServedBoxes]:
    if not table.num_rows:
        return {}
    frame_id = table["frame_id"].to_numpy()
    xyxy = np.stack([table[corner].to_numpy() for corner in ("x1", "y1", "x2", "y2")], axis=1)
    confidence = table["confidence"].to_numpy()
    names = np.array(table["class_name"].to_pylist(), object)
    track_id = np.array([-1 if one is None else one for one in table["track_id"].to_pylist()])
    order = np.argsort(frame_id, kind="stable")
    ids, starts = np.unique(frame_id[order], return_index=True)
    return {
        int(one): ServedBoxes(
            xyxy[rows].astype(np.float32),
            confidence[rows].astype(np.float32),
            list(names[rows]),
            track_id[rows].astype(np.int64),
        )
        for one, rows in zip(ids, np.split(order, starts[1:]), strict=True)
    }


_NOTHING = ServedBoxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), (), np.empty(0, np.int64))
