"""What recording costs, and how fast the index of the archive is.

    python -m benchmarks.archive [--seconds 60] [--json]

Recording: a 720p clip at 25 frames a second, H.264 at 2 Mbit/s, with a key frame every second, is
decoded as fast as it goes; the share of a core is that of the recorder's own CPU time in the media
time. Memory: two processes that read the clip with several readers, one with recorders and one
without, at 25 frames a second; the difference of their unshared memory (median of the last twenty
seconds) by the number of readers.
Index: a day of 100 cameras in segments of a minute, 144,000 rows. Replay: frames a second of a
recorded and detected street, decoding included, beside those of the bare model, which gets the same
pictures letterboxed.
"""

import itertools
import multiprocessing
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from benchmarks.material import DATA
from benchmarks.report import finish, new_parser, parse_options
from flows.archive.segment_detections import detect_segment, streams_of
from flows.archive.served_log import ServedBoxes, ServedFrame
from flows.archive.timeline import day_of
from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.recording.recorder import CameraRecorder
from flows.stream.recording.spool import Spool
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.ledger.history.recorded_hours import find_hours, hours_of, index_hours
from streetloop.ledger.schema.tables import segments
from streetloop.ledger.segments import Segment, add_segment, find_segments
from streetloop.settings import BASELINE, Settings
from streetloop.sqlite_url import sqlite_url
from streetloop.storage.store import FolderStore
from streetloop.types import Frame
from streetloop.video import Encoded, VideoReader
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor
from train.model.preprocess import letterbox

_CAMERAS, _MINUTES = 100, 1440
_READERS = 4
_BATCH, _SHOWN, _ROUNDS = 8, timedelta(seconds=8), 5
_MB = 2**20


class _Timed(CameraRecorder):
    """Adds up the CPU time of its thread."""

    cpu_s = 0.0
    pictures = 0

    def take(
        self, frame: Frame, encoded: Encoded | None, *, wanted: bool, moving: bool | None, fps: float = 0.0
    ) -> None:
        began = time.thread_time()
        super().take(frame, encoded, wanted=wanted, moving=moving, fps=fps)
        self.cpu_s += time.thread_time() - began
        self.pictures += 1


class _Nowhere(Mailbox):
    """Takes no frame."""

    def put(self, frame: Frame, capacity: int = 16) -> bool:  # noqa: ARG002
        return True


def camera_clip(folder: Path, seconds: float) -> Path:
    """A clip as a camera sends it."""
    source, out = DATA / "videos/dual-carriageway_720p.mp4", folder / "camera.mp4"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-stream_loop", "-1", "-i", str(source)]
    command += ["-t", str(seconds), "-r", "25", "-an", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-bf", "0", "-g", "25", "-b:v", "2M", str(out)]
    subprocess.run(command, check=True)
    return out


def record(
    clip: Path, folder: Path, readers: int, *, is_recorded: bool, paced: bool = False
) -> tuple[float, int, float]:
    """CPU seconds of the recorders, pictures, and unshared memory at the end in MB."""
    clock = SystemClock()
    spool = Spool(folder, 10**12, 0)
    recorders = [
        _Timed(f"c{number}", "continuous", spool, "run", 60.0, clock, live=False) for number in range(readers)
    ]
    running = [_reader(clip, recorder, clock, is_recorded, paced) for recorder in recorders]
    process, used = psutil.Process(), [0]
    for reader in running:
        reader.start()
    while not all(reader.finished for reader in running):
        used.append(process.memory_full_info().uss)
        running[0].join(0.5)
    cpu_s = sum(recorder.cpu_s for recorder in recorders)
    return cpu_s, sum(recorder.pictures for recorder in recorders), statistics.median(used[-40:]) / _MB


def _reader(clip: Path, recorder: _Timed, clock: SystemClock, is_recorded: bool, paced: bool) -> CameraReader:
    camera = parse_camera({"id": "a", "uri": f"file://{clip}?live={int(paced)}"})
    account = FrameAccount()
    mailbox = _Nowhere(account, 1e9, threading.Condition())
    source = open_source(camera, clock)
    return CameraReader(camera, source, mailbox, account, clock, recorder=recorder if is_recorded else None)


def memory_mb(clip: Path, folder: Path) -> float:
    """What a recorder adds to a reader, in MB; each measure in a process of its own."""
    used = []
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for is_recorded in (False, True):
            how = {"is_recorded": is_recorded, "paced": True}
            used.append(pool.apply(record, (clip, folder / f"{is_recorded}", _READERS), how)[2])
    return (used[1] - used[0]) / _READERS


def fill(url: str) -> datetime:
    """A day of all cameras; returns its begin."""
    ledger, day = open_ledger(url), datetime(2026, 3, 1, tzinfo=UTC)
    minute = timedelta(minutes=1)
    with ledger.transaction() as connection:
        for camera in range(_CAMERAS):
            rows = [
                {
                    "key": f"archive/camera=c{camera}/day=2026-03-01/{number}.mp4",
                    "camera_id": f"c{camera}",
                    "started_at": day + number * minute,
                    "ended_at": day + (number + 1) * minute,
                    "bytes": 15_000_000,
                    "sha256": "0" * 64,
                    "codec": "h264",
                    "width": 1280,
                    "height": 720,
                    "gaps": [],
                    "motion": 0.5,
                    "events": 0.0,
                    "run": "r",
                    "frame_id": number * 1500,
                    "pts_offset": number * 60.0,
                }
                for number in range(_MINUTES)
            ]
            connection.execute(insert(segments), rows)
            hours = hours_of(day, day + timedelta(days=1))
            index_hours(connection, [(f"c{camera}", hour) for hour in hours])
    ledger.close()
    return day


def list_ms(url: str, day: datetime, camera: str | None) -> float:
    """The best of five listings of a day, in milliseconds; of all cameras, with all stretches."""
    ledger, found, end = open_ledger(url), [], day + timedelta(days=1)
    for _ in range(5):
        began = time.perf_counter()
        if camera is None:
            assert (
                len([day_of(hours, day, end) for hours in find_hours(ledger, day, end).values()]) == _CAMERAS
            )
        else:
            assert len(find_segments(ledger, camera, day, end)) == _MINUTES
        found.append((time.perf_counter() - began) * 1000)
    ledger.close()
    return min(found)


def add_ms(url: str, day: datetime) -> float:
    """The median of twenty entries of a segment, in milliseconds."""
    ledger, found = open_ledger(url), []
    for number in range(20):
        start = day + timedelta(hours=23, minutes=59, seconds=number)
        segment = Segment(f"archive/{number}.mp4", "c7", start, start, 1, "", "h264", 1280, 720)
        began = time.perf_counter()
        add_segment(ledger, segment)
        found.append((time.perf_counter() - began) * 1000)
    ledger.close()
    return statistics.median(found)


def replay_share(clip: Path, folder: Path, model: str) -> tuple[float, float]:
    """Speed of a replay by that of the bare model: by the wall, and by CPU time.

    The best of five rounds each, in which both take turns.
    """
    settings = Settings(home=folder / "home")
    file, streams = open_model(model, settings.models), streams_of(settings.threads)

    def predictor(streams: int) -> Predictor:
        options = settings.backend, settings.threads, settings.precision, streams
        return Predictor(file, open_backend(file, *options), settings.image_size)

    bare_model, replayed = predictor(1), predictor(streams)
    store = FolderStore(folder / "store")
    store.put("archive/clip.mp4", clip.read_bytes())
    day = datetime(2026, 3, 1, tzinfo=UTC)
    segment = Segment("archive/clip.mp4", "a", day, day + _SHOWN, 1, "", "h264", 1280, 720)
    nothing = ServedBoxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), (), np.empty(0, np.int64))
    frames = [
        ServedFrame(number, number / 25, "detected", "v", "b", nothing)
        for number in range(round(_SHOWN.total_seconds() * 25))
    ]
    with VideoReader(str(clip), clip.name) as reader:
        pictures = [picture.bgr() for _, picture in itertools.islice(reader.pictures(), len(frames))]
    height, width = bare_model.input_size(1280, 720)
    inputs = np.stack([letterbox(image, width, height)[0] for image in pictures])

    def bare() -> None:
        for start in range(0, len(inputs), _BATCH):
            bare_model.detect(inputs[start : start + _BATCH], settings.track_floor)

    def replay() -> None:
        found = detect_segment(store, segment, frames, replayed, settings.track_floor, streams)
        assert len(found.frame_id) == len(frames)

    rounds = [(_seconds(bare), _seconds(replay)) for _ in range(_ROUNDS)]
    bares, replays = (np.min([one[which] for one in rounds], axis=0) for which in (0, 1))
    return float(bares[0] / replays[0]), float(bares[1] / replays[1])


def _seconds(work: Callable[[], None]) -> tuple[float, float]:
    """By the wall, and of the CPU."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="media time that is recorded")
    parser.add_argument("--model", default=BASELINE, help="model of the replay")
    options = parse_options(parser)
    folder = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    clip = camera_clip(folder, options.seconds)
    cpu_s, pictures, _ = record(clip, folder / "spool", 1, is_recorded=True)
    url = sqlite_url(folder / "ledger.db")
    day = fill(url)
    wall, cpu = replay_share(clip, folder, options.model)
    measured = {
        "recorder, share of a core at 720p25": round(cpu_s / (pictures / 25), 4),
        "recorder, memory beside decoding, MB": round(memory_mb(clip, folder), 1),
        "replay, speed by that of the bare model": round(wall, 3),
        "replay, the same by CPU time": round(cpu, 3),
        "index, a day of one camera of 100, ms": round(list_ms(url, day, "c50"), 1),
        "index, a day of 100 cameras, ms": round(list_ms(url, day, None), 1),
        "index, one segment more, ms": round(add_ms(url, day), 1),
    }
    table = Table("what", "measured", title="the archive")
    for name, value in measured.items():
        table.add_row(name, f"{value:g}")
    Console().print(table)
    finish(options, measured)


if __name__ == "__main__":
    main()
