"""Recorded segments in a home."""

import hashlib
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from streetloop.ledger.segments import Segment, add_segment
from tests.support.control_service import Content
from tests.support.stream_flow.build import write_clip


def add_recording(content: Content, camera: str, start: datetime, **changes: object) -> Segment:
    """Two seconds of a camera, in the store and in the index."""
    with tempfile.TemporaryDirectory() as folder:
        data = write_clip(Path(folder) / "clip.mp4", [90] * 20, fps=10).read_bytes()
    key = f"archive/camera={camera}/day={start:%Y-%m-%d}/{start:%H%M%S%f}.mp4"
    segment = Segment(
        key=key,
        camera_id=camera,
        started_at=start,
        ended_at=start + timedelta(seconds=2),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        codec="h264",
        width=64,
        height=48,
        motion=0.25,
        events=0.0,
    )
    segment = replace(segment, **changes)  # type: ignore[arg-type]
    content.store.put(segment.key, data)
    add_segment(content.ledger, segment)
    return segment
