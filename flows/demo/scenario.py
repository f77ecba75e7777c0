"""What the demo plays: four cameras of the simulated city, its settings and its policy."""

from pathlib import Path
from typing import Any

import yaml

from serve.rollout.policy import Policy

NIGHT_AT_S, NIGHT_FALLS_S = 40, 45
CITY_FPS, FPS = 15, 3  # of what a camera shows, and of what is detected

CAMERAS = {
    "kingsport-crossing": ("sim://kingsport/crossing?seed=1", {"avenue": [[0.36, 0.30], [0.74, 0.47]]}),
    "larkfield-gantry": ("sim://larkfield/gantry?seed=1", {"carriageway": [[0.27, 0.62], [0.68, 0.50]]}),
    "stonebridge-west": ("sim://stonebridge/west-tower?seed=1", {"bridge": [[0.22, 0.55], [0.70, 0.55]]}),
    "millbrook-high-street": ("sim://millbrook/high-street?seed=1", {"street": [[0.36, 0.60], [0.86, 0.55]]}),
}
"""Address and counting lines of the demo's cameras, by id."""

SETTINGS: dict[str, Any] = {
    "image_size": 448,
    "labeler": "oracle",
    "label_budget": 100_000,
    "label_every_s": 5.0,
    "triage_period_s": 4.0,
    "drift_period_s": 2.0,
    "drift_sample_s": 0.5,
    "learn": True,
    "learn_labels": 10_000,  # drift at night starts the training
    "learn_drift_labels": 40,
    "learn_recipe": {"epochs": 2, "imgsz": 384, "blend": 0.75},
    "cameras_per_worker": 2,
}
"""A week in ten minutes: a drift period lasts two seconds, and the labeler answers at once.

One process draws one street at a time, see `flows.stream.sources.simulated`; two processes make
use of two cores.
"""

POLICY = Policy(sample=0.4, block_s=4.0, minutes=0.1, frames=20, harmful_errors=0.05)


def write_demo(folder: Path) -> Path:
    """Write the demo's camera file, by day, into ``folder``; return its path."""
    return _write(folder, "", {})


def write_night(folder: Path) -> Path:
    """Write the demo's camera file with a night that falls into ``folder``; return its path."""
    falls = f"&fps={CITY_FPS}&condition=night@{NIGHT_AT_S}:{NIGHT_FALLS_S}"
    return _write(folder, falls, {"fps": FPS})


def _write(folder: Path, options: str, fields: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {"id": camera, "city": camera.split("-")[0], "uri": uri + options, "lines": lines, **fields}
        for camera, (uri, lines) in CAMERAS.items()
    ]
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": entries}, sort_keys=False))
    return path
