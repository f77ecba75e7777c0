"""What a camera costs: seconds of a core per frame, and bytes of log, for `streetloop plan`.

    python -m benchmarks.capacity [--seconds 30]

- decode: PyAV on a 720p street, and letterboxing into the model's input, by the time that the
  process had a core: other programs on the machine do not count;
- log: the same street through the stream flow in this process, at 10 frames a second, then the
  size of what it wrote. An object holds 30 s, as with the default of `log_flush_s`.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.reports.tracks.camera_run import local_detector
from flows.reports.tracks.recorded_source import RecordedSource
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.frame_log import FrameLog
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from streetloop.video import VideoReader
from train.model.preprocess import input_shape, letterbox_into

_CLIP = DATA / "videos/dual-carriageway_720p.mp4"
_SIZE = 640
_LATE_S = 3600.0  # all is written at the end, into one object


def cores(clip: Path) -> dict[str, float]:
    """Milliseconds of a core per frame."""
    frames, decode_s, letterbox_s = 0, 0.0, 0.0
    for _ in range(3):
        with VideoReader(str(clip), str(clip)) as reader:
            height, width = input_shape(reader.info.width, reader.info.height, _SIZE)
            image = np.empty((height, width, 3), np.uint8)
            pictures = reader.pictures()
            while True:
                began = time.process_time()
                found = next(pictures, None)
                decoded = time.process_time()
                decode_s += decoded - began
                if found is None:
                    break
                letterbox_into(image, found[1].bgr())
                letterbox_s += time.process_time() - decoded
                frames += 1
    return {"decode_ms": 1000 * decode_s / frames, "letterbox_ms": 1000 * letterbox_s / frames}


def logs(clip: Path, seconds: float) -> dict[str, float]:
    """Bytes of the detection log and of the frame log, of one object each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), model=str(WEIGHTS), gate=False)
        camera = parse_camera({"id": "a", "uri": f"{clip.as_uri()}?loop=1", "fps": 10})
        clock, store = SystemClock(), FolderStore(settings.store)
        with local_detector(settings) as (detector, contract):
            boxes = DetectionLog(store, "detections", "0", ["a"], contract.names, _LATE_S, clock)
            frames = FrameLog(store, "frames", "0", _LATE_S)
            pipeline = StreamPipeline(
                [(camera, RecordedSource(camera, clock, seconds))],
                lambda _: detector,
                settings,
                clock,
                [boxes, frames],
                names=contract.names,
                model_input=contract.input,
                on_settled=frames.add,
            )
            pipeline.start()
            while not pipeline.wait(1.0):
                pass
            pipeline.close()
            detected = pipeline.snapshot()["a"].account.detected
        (rows, size), (decoded, frame_size) = (
            _sizes(settings.store / name) for name in ("detections", "frames")
        )
    return {
        "detections_per_frame": rows / detected,
        "bytes_per_detection": size / rows,
        "bytes_per_decoded_frame": frame_size / decoded,
    }


def _sizes(folder: Path) -> tuple[int, int]:
    """Rows and bytes of the Parquet files below a folder."""
    files = list(folder.rglob("*.parquet"))
    return sum(pq.read_metadata(file).num_rows for file in files), sum(f.stat().st_size for f in files)


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the stream whose logs are measured")
    options = parse_options(parser)
    figures = {**cores(_CLIP), **logs(_CLIP, options.seconds)}
    for name, value in figures.items():
        print(f"{name:>24} {value:10.2f}")
    finish(options, {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    main()
