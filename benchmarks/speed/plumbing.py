"""What a frame costs besides its detection: the stream flow with a detector that costs nothing.

    python -m benchmarks.plumbing [--seconds 15] [--profile]

Four cameras hand over the same decoded picture (352x288) as fast as it is taken. The flow batches,
sends to Ray Serve, receives, tracks, counts on a line, and writes both logs. Beside it, in turns,
the same batches go to Serve alone, two at a time. A detector's answer has eight boxes an image.
Milliseconds are of a core, over all processes; waiting costs nothing.
"""

import cProfile
import pstats
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.ray_cluster import local_ray
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.frame_log import FrameLog
from flows.stream.sinks.line_count_bins import LineCountBins
from flows.stream.sinks.stream_meter import StreamMeter
from flows.stream.sources.source import SourceFrame
from serve.detector.client import Answer, Pending
from serve.rollout.route_table import CHAMPION
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.clock import SystemClock
from streetloop.errors import SourceError
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.types import ArrayPicture, Detections, Image
from streetloop.video import VideoInfo

_WIDTH, _HEIGHT, _SIZE = 352, 288, 640
_CAMERAS, _BATCH, _BOXES, _FPS = 4, 8, 8, 10.0
_NAMES = ("car", "truck")
_WARM_UP_S = 3.0


class FreeDetector:
    """Answers every image with the same boxes, of cars that stand."""

    def __init__(self) -> None:
        corner = np.linspace(20, 500, _BOXES)
        boxes = np.stack([corner, corner / 2, corner + 60, corner / 2 + 40], axis=1)
        self._found = Detections(
            boxes.astype(np.float32), np.full(_BOXES, 0.8, np.float32), np.zeros(_BOXES, np.int64)
        )

    async def detect(self, reference: list[Any]) -> Answer:
        """See `serve.detector.deployment.Detector.detect`."""
        images: Image = await reference[0]
        return Answer("free", [self._found] * len(images), 0.0, "none/none")


class PreparedSource:
    """A `flows.stream.sources.source.Source` that hands over one picture again and again."""

    live = False
    nominal_fps = _FPS

    def __init__(self, until: threading.Event) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (_HEIGHT, _WIDTH, 3), np.uint8)
        self._picture, self._until = ArrayPicture(noise), until

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        raise NotImplementedError

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        number = 0
        while not (stop.is_set() or self._until.is_set()):
            yield SourceFrame(number / _FPS, self._picture)
            number += 1

    def is_final(self, _: SourceError) -> bool:
        """See `Source.is_final`."""
        return True

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""


def cores_s() -> float:
    """Seconds of a core that this process and its Ray have used so far."""
    own, used = psutil.Process(), 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        used += times.user + times.system
    return used


def flow(settings: Settings, seconds: float) -> tuple[int, float, float]:
    """Run the stream flow; frames, seconds and seconds of a core."""
    from serve.detector.serve_client import ServeDetector

    clock, store, until = SystemClock(), FolderStore(settings.store), threading.Event()
    line = {"gate": [[0.1, 0.5], [0.9, 0.5]]}
    cameras: list[Camera] = [
        parse_camera({"id": f"c{i}", "uri": "file:///nowhere.mp4", "fps": 1000, "lines": line})
        for i in range(_CAMERAS)
    ]
    boxes = DetectionLog(store, "detections", "0", [c.id for c in cameras], _NAMES, 5.0, clock)
    frames, meter = FrameLog(store, "frames", "0", 5.0), StreamMeter("w", clock)
    pipeline = StreamPipeline(
        [(camera, PreparedSource(until)) for camera in cameras],
        ServeDetector,
        settings,
        clock,
        [boxes, frames, LineCountBins(cameras), meter],
        names=_NAMES,
        on_settled=frames.add,
        on_batch=meter.answered,
    )

    def detected() -> int:
        return sum(status.account.detected for status in pipeline.snapshot().values())

    pipeline.start()
    time.sleep(_WARM_UP_S)
    before, began, used = detected(), time.monotonic(), cores_s()
    time.sleep(seconds)
    found = detected() - before, time.monotonic() - began, cores_s() - used
    until.set()
    pipeline.close()
    return found


def serve_alone(seconds: float) -> tuple[int, float, float]:
    """Send the same batches to Serve, two at a time; frames, seconds and seconds of a core."""
    from serve.detector.serve_client import ServeDetector

    detector, waiting, count = ServeDetector(CHAMPION), deque[Pending](), 0
    height = _SIZE * _HEIGHT // _WIDTH // 32 * 32 + 32
    began, used = time.monotonic(), cores_s()
    while time.monotonic() < began + seconds:
        waiting.append(detector.submit(np.zeros((_BATCH, height, _SIZE, 3), np.uint8)))
        if len(waiting) == 2:
            waiting.popleft().result(10.0)
            count += _BATCH
    return count, time.monotonic() - began, cores_s() - used


def measure(seconds: float, profile: bool) -> dict[str, float]:
    """Both in turns, on one Ray."""
    with tempfile.TemporaryDirectory() as folder, local_ray():
        import ray.serve

        ray.serve.start(proxy_location="Disabled")
        deployment = ray.serve.deployment(name="detector", max_ongoing_requests=64)(FreeDetector)
        ray.serve.run(deployment.bind(), name=CHAMPION, route_prefix=None)
        settings = Settings(home=Path(folder), gate=False, max_batch=_BATCH, image_size=_SIZE)
        serve_alone(_WARM_UP_S)
        runs = [(flow(settings, seconds), serve_alone(seconds)) for _ in range(2)]
        if profile:
            _profile(settings, seconds)
    found: dict[str, float] = {}
    for index, name in ((0, "flow"), (1, "serve")):
        frames, wall, cores = (sum(run[index][k] for run in runs) for k in range(3))
        found |= {f"{name}_fps": frames / wall, f"{name}_ms": 1000 * cores / frames}
    found["overhead_ms"] = found["flow_ms"] - found["serve_ms"]
    return {name: round(value, 3) for name, value in found.items()}


def _profile(settings: Settings, seconds: float) -> None:
    """Print where the threads of the flow spend their time."""
    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def profiled(self: threading.Thread) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].runcall(run, self)

    threading.Thread.run = profiled  # type: ignore[method-assign]
    try:
        flow(settings, seconds)
    finally:
        threading.Thread.run = run  # type: ignore[method-assign]
    stats = pstats.Stats(profiles[0])
    for one in profiles[1:]:
        stats.add(one)
    stats.sort_stats("tottime").print_stats(45)


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument("--profile", action="store_true", help="print where the flow's time goes")
    options = parse_options(parser)
    figures = measure(options.seconds, options.profile)
    for name, value in figures.items():
        print(f"{name:>14} {value:10.3f}")
    finish(options, figures)


if __name__ == "__main__":
    main()
