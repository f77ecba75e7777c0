"""What the motion gate saves and what it costs.

    python -m benchmarks.gate

A quiet street from real footage: the three passes of cars in the Intel clip, and between them its
own empty road, played forwards and backwards until it has lasted a minute. Both runs see every
frame. A gated frame's answer is that of the last detected frame; the truth is what the ungated run
found (confidence >= 0.25).
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.stream.analysis.results import Result
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from streetloop.video import VideoReader, VideoWriter
from train.evaluation.coco_map import coco_map
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor

_QUIET_S = 60.0
_LINES = {"upper": ((0.0, 0.3), (1.0, 0.3)), "middle": ((0.0, 0.55), (1.0, 0.55)),
          "lower": ((0.0, 0.75), (1.0, 0.75))}  # fmt: skip


@dataclass
class Collector:
    """A sink that keeps the boxes of every detected frame."""

    boxes: dict[int, Detections] = field(default_factory=dict)

    def take(self, result: Result) -> None:
        self.boxes[result.frame.frame_id] = result.tracked.detections

    def close(self) -> None:
        pass


def quiet_street(clip: Path, out: Path) -> Path:
    """Write the street that the module's docstring describes."""
    with VideoReader(str(clip), clip.name) as reader:
        fps = reader.info.fps
        pictures = [picture.bgr() for _, picture in reader.pictures()]

    def part(start_s: float, end_s: float) -> list[Image]:
        return pictures[round(start_s * fps) : round(end_s * fps)]

    def stretched(images: list[Image]) -> list[Image]:
        there_and_back = images + images[::-1]
        return there_and_back * round(_QUIET_S * fps / len(there_and_back))

    street = [
        *part(0, 10),
        *stretched(part(10, 13.5)),
        *part(13.5, 21),
        *stretched(part(21, 24.5)),
        *part(24.5, 30),
    ]
    writer = VideoWriter(out)
    for index, image in enumerate(street):
        writer.write(image, index / fps)
    writer.close()
    return out


def watch(clip: Path, settings: Settings, detector: LocalDetector) -> tuple[Collector, object]:
    camera = Camera(id="street", uri=f"file://{clip}?live=0", lines=_LINES)  # type: ignore[arg-type]
    collector = Collector()
    source = open_source(camera, SystemClock())
    pipeline = StreamPipeline([(camera, source)], lambda _: detector, settings, SystemClock(), [collector])
    pipeline.start()
    pipeline.wait(3600)
    pipeline.close()
    return collector, pipeline.snapshot()["street"]


def held(boxes: dict[int, Detections], frames: int) -> list[Detections]:
    """The answer for every frame: its own, or that of the last detected one."""
    answers: list[Detections] = []
    latest = Detections.empty()
    for frame in range(frames):
        latest = boxes.get(frame, latest)
        answers.append(latest)
    return answers


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--model", default=str(WEIGHTS))
    parser.add_argument("--clip", type=Path, help="a clip of your own instead")
    options = parse_options(parser)
    folder = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    clip = options.clip or quiet_street(
        DATA / "videos/car-detection_intel_768x432.mp4", folder / "street.mp4"
    )
    model = open_model(options.model, folder)
    table = Table(title=f"motion gate on {clip.name}, {model.version}")
    for name in ("gate", "frames", "detector frames", "fewer", "line counts", "mAP50-95", "mAP50"):
        table.add_column(name, justify="right")
    runs = {}
    figures: dict[str, Any] = {}
    for gate in (False, True):
        settings = Settings(home=folder, gate=gate)
        detector = LocalDetector(
            Predictor(model, open_backend(model, "auto", settings.threads)), settings.track_floor
        )
        runs[gate] = watch(clip, settings, detector)
    frames = runs[False][1].account.decoded
    truth = held({k: d.take(d.confidence >= 0.25) for k, d in runs[False][0].boxes.items()}, frames)
    for gate, (collector, status) in runs.items():
        score = coco_map(truth, held(collector.boxes, frames))
        figures["gated" if gate else "ungated"] = {
            "frames": frames,
            "detected": status.account.detected,
            "lines": {name: totals.directions() for name, totals in status.lines.items()},
            "map50_95": round(score.map50_95, 4),
            "map50": round(score.map50, 4),
        }
        lines = {name: (c.into, c.out) for name, c in status.lines.items()}
        table.add_row(
            "on" if gate else "off",
            str(frames),
            str(status.account.detected),
            f"{frames / status.account.detected:.2f}x",
            str(lines),
            f"{score.map50_95:.3f}",
            f"{score.map50:.3f}",
        )
    Console(width=160).print(table)
    finish(options, figures)


if __name__ == "__main__":
    main()
