"""False alarms on recorded streets: clips on which nothing happens, and rules for all kinds.

    python -m benchmarks.street_anomalies [--json]

yolov8n at 640 pixels, five frames a second. Each clip has the zones that somebody drew on it; what
COCO calls neither vehicle, cycle nor person is an object.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.stream.analysis.camera_analysis import CameraAnalysis
from streetloop.cameras.anomaly_parameters import AnomalyKind
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings
from streetloop.types import ArrayPicture, Frame
from train.model.model_file import open_model
from train.model.predictor import Predictor

_FPS = 5.0
_ZONES = Path(__file__).with_name("street_anomalies.json")
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def alarms_of(
    clip: str, zones: dict[str, Any], predictor: Predictor, names: Sequence[str]
) -> tuple[int, list[str]]:
    """Frames that were looked at, and what was reported, of a clip.

    Args:
        clip: Its path below the folder of clips.
        zones: As the camera file has them.
        predictor: The detector.
        names: Its classes.
    """
    document = {
        "id": "street",
        "uri": f"file://{DATA / 'videos' / clip}",
        "zones": zones,
        "anomalies": {kind.value: {} for kind in AnomalyKind},
        "classes": list(dict.fromkeys(names)),
    }
    settings = Settings()
    analysis = CameraAnalysis(parse_camera(document), settings, names=names)
    found: list[str] = []
    frames, due = 0, 0.0
    with av.open(str(DATA / "videos" / clip)) as video:
        for decoded in video.decode(video=0):
            pts = float(decoded.time or 0.0)
            if pts < due:
                continue
            due = max(due + 1 / _FPS, pts)
            picture = decoded.to_ndarray(format="bgr24")
            at = _BEGIN + timedelta(seconds=pts)
            frame = Frame("street", frames, pts, at, pts, ArrayPicture(np.ascontiguousarray(picture)))
            answer = predictor.predict(picture, settings.track_floor)
            told = analysis.update(frame, answer, "yolov8n").anomalies
            found += [f"{one.kind} at {pts:.1f} s" for one in told if one.ended_at is None]
            frames += 1
    return frames, found


def main() -> None:
    """Measure and print."""
    options = parse_options(new_parser(__doc__))
    model = open_model(str(WEIGHTS), Path("build/tracks"))
    predictor = Predictor(model, image_size=640)
    clips: dict[str, dict[str, Any]] = json.loads(_ZONES.read_text())
    table = Table("clip", "frames", "alarms", box=None)
    figures: dict[str, Any] = {}
    for clip, zones in clips.items():
        frames, found = alarms_of(clip, zones, predictor, model.names)
        figures[clip] = {"frames": frames, "alarms": found}
        table.add_row(clip, str(frames), ", ".join(found) or "none")
    Console().print(table)
    every = Counter(one.partition(" ")[0] for row in figures.values() for one in row["alarms"])
    finish(options, {"clips": figures, "alarms": {kind.value: every[kind.value] for kind in AnomalyKind}})


if __name__ == "__main__":
    main()
