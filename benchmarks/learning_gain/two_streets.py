"""Does a detector of the world learn two real streets from 30 labeled frames of each?

    python -m benchmarks.two_streets

yolov8n is fine-tuned as `streetloop dataset import` and `streetloop train --dataset` do it. It
learns from the first 30 frames of ``day_ramp`` and of ``night_freeway`` (the last 6 of them choose
the epoch), and is compared with its start on the last 30 of each, which nothing else looks at, and
on COCO. Vehicles are scored as one class: which is which is loose in the labels of the streets.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.learning import Teller
from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.learning.dataset_catalog import import_dataset
from flows.learning.training_job import train_model
from flows.learning.training_plan import TrainingRequest, finished_version
from flows.reports.evaluation import EvaluationRequest
from flows.reports.model_comparison import compare_models
from flows.runtime.ray_cluster import local_ray
from streetloop.ledger import open_ledger
from streetloop.settings import Settings
from train.evaluation.judge import ALL, Gain

_SET = DATA / "datasets/traffic_day_night"
_COCO = DATA / "datasets/coco128_val/coco128_val.yaml"
_STREETS = {"by day": "day_ramp", "by night": "night_freeway"}
_LEARNED, _CHOOSING, _HELD_OUT = 30, 6, 30  # frames of each street
_RECIPE = {"imgsz": 640, "epochs": 6}
_NAMES = ("bike", "bus", "car", "truck")
_JOINED = {"vehicle": ("bicycle", "car", "motorcycle", "bus", "truck")}
_JOINED_HERE = {"vehicle": _NAMES}
_MAP = {"bicycle": "bike", "motorcycle": "bike"}


def frames_of(street: str) -> list[Path]:
    """The frames of a street in their order."""
    found = (_SET / "images").glob(f"{street}_*.jpg")
    return sorted(found, key=lambda path: int(re.findall(r"\d+", path.stem)[-1]))


def write_lists(folder: Path) -> dict[str, Path]:
    """Write what is learned, and what is measured on, as YOLO datasets; a ``data.yaml`` by name."""
    learned, choosing, held_out = [], [], {}
    for name, street in _STREETS.items():
        frames = frames_of(street)
        learned += frames[: _LEARNED - _CHOOSING]
        choosing += frames[_LEARNED - _CHOOSING : _LEARNED]
        held_out[name] = frames[-_HELD_OUT:]
    both = [path for frames in held_out.values() for path in frames]
    lists = {"learned": {"train": learned, "val": choosing}, "both": {"test": both}}
    lists |= {name: {"test": frames} for name, frames in held_out.items()}
    return {name: _write_yaml(folder / name.replace(" ", "-"), splits) for name, splits in lists.items()}


def _write_yaml(folder: Path, splits: Mapping[str, Sequence[Path]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"path: {folder.absolute()}", f"names: [{', '.join(_NAMES)}]"]
    for split, paths in splits.items():
        (folder / f"{split}.txt").write_text("".join(f"{path}\n" for path in paths))
        lines.append(f"{split}: {split}.txt")
    file = folder / "data.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


def learn(settings: Settings, data: Path, name: str) -> int:
    """Import and train; the number of the new version. A stopped training goes on."""
    number = finished_version(settings, name)
    if number is not None:
        return number
    request = TrainingRequest(
        name,
        mapping={"bike": "bicycle"},
        recipe=_RECIPE,
        dataset=import_dataset(settings, "yolo", data)["digest"],
        classes=_JOINED,
    )
    ledger = open_ledger(settings.ledger)
    with local_ray():
        return train_model(settings, ledger, request, print, Teller(name)).version.number


def compare(settings: Settings, number: int, lists: Mapping[str, Path]) -> dict[str, Gain]:
    """The gain in mAP50 on each street that nobody saw, and on COCO."""
    asked = {name: EvaluationRequest(str(lists[name]), _MAP, _JOINED_HERE) for name in (*_STREETS, "both")}
    asked["COCO, vehicles as one"] = EvaluationRequest(str(_COCO), {}, _JOINED)
    each = {name: [name] for name in _JOINED["vehicle"]}
    asked["COCO, each kind of vehicle"] = EvaluationRequest(str(_COCO), {}, each)
    return {
        name: compare_models("1", str(number), request, settings, local_ray).gains[ALL]
        for name, request in asked.items()
    }


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--folder", type=Path, help="goes on where it was stopped")
    choice = parse_options(parser)
    folder = choice.folder or Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    settings = Settings(home=folder / "home", model=str(WEIGHTS), image_size=640)
    lists = write_lists(folder)
    gains = compare(settings, learn(settings, lists["learned"], "two-streets"), lists)
    table = Table(title="mAP50 of the exported models")
    for column in ("", "frames", "before", "after", "difference", "95 % interval"):
        table.add_column(column, justify="right")
    for name, gain in gains.items():
        figures = (f"{gain.champion:.3f}", f"{gain.candidate:.3f}", f"{gain.mean:+.3f}")
        table.add_row(name, str(gain.frames), *figures, f"{gain.low:+.3f} to {gain.high:+.3f}")
    Console(width=100).print(table)
    finish(
        choice,
        {
            name: {key: round(value, 4) for key, value in {**asdict(gain), "gain": gain.mean}.items()}
            for name, gain in gains.items()
        },
    )


if __name__ == "__main__":
    main()
