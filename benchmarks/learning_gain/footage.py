"""Does a detector of the world learn a real motorway at night from half of its labeled frames?

    python -m benchmarks.footage

yolov8n is fine-tuned on the first half in time of ``night_freeway`` (the last fifth of it for
validation) and judged on the other half, both exported models on the same frames. Cars, trucks,
buses and bikes are scored as one class: which is which is loose in the labels.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.learning import compared, fine_tuned
from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from streetloop.boxes import Box
from streetloop.storage.store import FolderStore, ObjectStore
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example
from train.data.formats import read_yolo, store_images
from train.evaluation.judge import ALL, JudgePolicy
from train.model.model_file import ModelFile, open_model

_SET = DATA / "datasets/traffic_day_night"
_ORDER = DATA / "videos/night-freeway-stills_720p_2fps.frames.txt"
_COCO = {"bike": "bicycle", "bus": "bus", "car": "car", "truck": "truck"}
_VEHICLES = ("bicycle", "car", "motorcycle", "bus", "truck")
RECIPE = {"epochs": 12, "imgsz": 640}
_HELD_BACK = 0.2


def in_order(store: ObjectStore, model: ModelFile) -> list[Example]:
    """The frames of night as they followed each other, with the model's classes."""
    imported = read_yolo(_SET)
    store_images(imported, store)
    dataset = imported.dataset
    ids = [model.names.index(_COCO[name]) for name in dataset.classes]
    by_name = {str(example.origin["file"]): example for example in dataset.examples}
    names = [line.split()[-1] for line in _ORDER.read_text().splitlines()]
    return [
        replace(
            by_name[name],
            boxes=tuple(replace(box, class_id=ids[box.class_id]) for box in by_name[name].boxes),
        )
        for name in names
    ]


def halves(frames: list[Example]) -> tuple[list[Example], list[Example]]:
    """The first half to learn from, its last fifth for validation, and the other half."""
    half = len(frames) // 2
    learned = half - round(half * _HELD_BACK)
    first = [
        replace(example, split=TRAIN if k < learned else VALIDATION)
        for k, example in enumerate(frames[:half])
    ]
    return first, [replace(example, split=TEST) for example in frames[half:]]


def as_one_class(examples: list[Example]) -> list[Example]:
    """The same examples with every box a vehicle."""
    return [replace(e, boxes=tuple(Box(0, box.xyxy, box.ignored) for box in e.boxes)) for e in examples]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--recipe", type=json.loads, default={}, help="options as JSON")
    parser.add_argument("--name", default="footage")
    parser.add_argument("--folder", type=Path, help="goes on where it was stopped")
    choice = parse_options(parser)
    folder = choice.folder or Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    store = FolderStore(folder / "store")
    before = open_model(str(WEIGHTS), folder / "exports")
    learned, held = halves(in_order(store, before))
    dataset = Dataset(before.names, tuple(learned), purpose="half of a night")
    recipe = {**RECIPE, **choice.recipe}
    after, seconds = fine_tuned(choice.name, WEIGHTS, dataset, store, folder, recipe)
    sys.stderr.write("judging\n")
    one = {before.names.index(name): 0 for name in _VEHICLES}
    gain = compared(before, after, as_one_class(held), dataset, store, JudgePolicy(), (one, one)).gains[ALL]
    table = Table(title="vehicles as one class, mAP50 of the exported models")
    for name in ("frames", "before", "after", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    table.add_row(
        str(gain.frames),
        f"{gain.champion:.3f}",
        f"{gain.candidate:.3f}",
        f"{gain.mean:+.3f}",
        f"{gain.low:+.3f} to {gain.high:+.3f}",
    )
    Console(width=100).print(table)
    print(f"{'better' if gain.low > 0 else 'not better'}; trained in {seconds / 60:.1f} minutes")

    finish(
        choice,
        {
            "frames": gain.frames,
            "before": round(gain.champion, 4),
            "after": round(gain.candidate, 4),
            "gain": [round(gain.mean, 4), round(gain.low, 4), round(gain.high, 4)],
            "minutes": round(seconds / 60, 2),
        },
    )


if __name__ == "__main__":
    main()
