"""``streetloop demo``: the main job on four cameras of the simulated city."""

from pathlib import Path

import yaml

CAMERAS = {
    "kingsport-crossing": ("sim://kingsport/crossing?seed=1", {"avenue": [[0.36, 0.30], [0.74, 0.47]]}),
    "larkfield-gantry": ("sim://larkfield/gantry?seed=1", {"carriageway": [[0.27, 0.62], [0.68, 0.50]]}),
    "stonebridge-west": ("sim://stonebridge/west-tower?seed=1", {"bridge": [[0.22, 0.55], [0.70, 0.55]]}),
    "millbrook-high-street": ("sim://millbrook/high-street?seed=1", {"street": [[0.36, 0.60], [0.86, 0.55]]}),
}
"""Address and counting lines of the demo's cameras, by id."""


def write_demo(folder: Path) -> Path:
    """Write the demo's camera file into ``folder``; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {"id": camera, "city": camera.split("-")[0], "uri": uri, "lines": lines}
        for camera, (uri, lines) in CAMERAS.items()
    ]
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": entries}, sort_keys=False))
    return path
