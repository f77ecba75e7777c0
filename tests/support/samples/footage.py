"""A morning of a camera in a home: segments of 720p, what was found in them, and an event."""

import hashlib
import subprocess
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from flows.stream.ingest.accounting import Fate, SettledFrame
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.frame_log import FrameLog
from streetloop.clock import SystemClock
from streetloop.ledger.events import begin_event, end_event
from streetloop.ledger.segments import Segment, add_segment
from tests.support.control_service import Content
from tests.support.stream_flow.build import found, frame, result

YESTERDAY = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), time(), UTC)
NINE_S = 9 * 3600
SEGMENT_S, SEGMENTS = 20, 4
"""From nine o'clock on; the third is missing, the last is H.265."""

BOX = (200, 150, 500, 400)


def clip(path: Path, codec: str = "libx264") -> Path:
    """Twenty seconds of a test picture, 720p25, with a key frame every two seconds."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi"]
    command += ["-i", f"testsrc2=size=1280x720:rate=25:duration={SEGMENT_S}", "-c:v", codec]
    command += ["-preset", "ultrafast", "-b:v", "2M", "-g", "50", "-bf", "0", "-pix_fmt", "yuv420p"]
    command += ["-tag:v", "hvc1", "-x265-params", "log-level=none"] if codec == "libx265" else []
    subprocess.run([*command, str(path)], check=True)
    return path


def add_morning(content: Content, folder: Path, camera: str = "a40") -> list[Segment]:
    """Segments from nine o'clock of yesterday on, with boxes in all of them and an event."""
    videos = {codec: clip(folder / f"{codec}.mp4", codec).read_bytes() for codec in ("libx264", "libx265")}
    segments = []
    for number in (0, 1, 3):
        data = videos["libx265" if number == 3 else "libx264"]
        start = YESTERDAY + timedelta(seconds=NINE_S + number * SEGMENT_S)
        segment = Segment(
            key=f"archive/camera={camera}/day={start:%Y-%m-%d}/{number}.mp4",
            camera_id=camera,
            started_at=start,
            ended_at=start + timedelta(seconds=SEGMENT_S),
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            codec="hevc" if number == 3 else "h264",
            width=1280,
            height=720,
            motion=0.5 if number == 1 else 0.0,
            events=0.0,
            run="r",
            frame_id=number * SEGMENT_S * 25,
            pts_offset=float(number * SEGMENT_S),
        )
        content.store.put(segment.key, data)
        add_segment(content.ledger, segment)
        segments.append(segment)
    _add_log(content, camera)
    event = begin_event(content.ledger, "queue", YESTERDAY + timedelta(seconds=NINE_S + 25), camera)
    end_event(content.ledger, event, YESTERDAY + timedelta(seconds=NINE_S + 35))
    return segments


def _add_log(content: Content, camera: str) -> None:
    log = DetectionLog(content.store, "detections/run=r", "w-0", [camera], ("car",), 1e9, SystemClock())
    frames = FrameLog(content.store, "frames/run=r", "w-0", 1e9)
    for number in range(0, SEGMENTS * SEGMENT_S * 25, 5):
        at = YESTERDAY + timedelta(seconds=NINE_S + number / 25)
        seen = frame(number, camera_id=camera, captured_at=at)
        log.take(result(seen, found(BOX), [7]))
        frames.add(SettledFrame(camera, number, seen.pts, at, Fate.DETECTED, None, "v", "b"))
    log.close()
    frames.close()
