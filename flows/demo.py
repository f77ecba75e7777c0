"""``streetloop demo``: the main job on recorded street cameras."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from streetloop.errors import ConfigError

_CAMERAS = {
    "cromwell-road": ("videos/jamcam/tfl_1.mp4", {"junction": [[0.05, 0.75], [0.95, 0.6]]}),
    "old-oak-road": ("videos/jamcam/tfl_2.mp4", {"westbound": [[0.1, 0.45], [0.75, 0.75]]}),
    "barnet-way": ("videos/jamcam/tfl_4.mp4", {"northbound": [[0.0, 0.7], [0.4, 0.7]]}),
    "tooley-street": ("videos/jamcam/tfl_5.mp4", {"street": [[0.3, 0.75], [0.9, 0.75]]}),
}
_MODEL = "weights/yolov8n.pt"


@dataclass(frozen=True, slots=True)
class DemoMaterial:
    """What the demo runs on: a camera file and a model."""

    cameras: Path
    model: Path


def prepare_demo(clips: Path, folder: Path) -> DemoMaterial:
    """Write the demo's camera file into ``folder``.

    Args:
        clips: Folder with the clips and the weights.
        folder: Where the camera file goes.

    Raises:
        ConfigError: A clip or the weights are not there.
    """
    missing = [name for name in (_MODEL, *(c for c, _ in _CAMERAS.values()))
               if not (clips / name).is_file()]  # fmt: skip
    if missing:
        raise ConfigError(
            f"{clips} lacks {', '.join(missing)}: point STREETLOOP_TEST_DATA to the folder "
            "with the recorded cameras"
        )
    entries = [
        {"id": camera, "city": "london", "uri": f"{(clips / clip).resolve().as_uri()}?loop=1",
         "lines": lines}
        for camera, (clip, lines) in _CAMERAS.items()
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": entries}, sort_keys=False))
    return DemoMaterial(path, clips / _MODEL)
