"""The shipped baseline learns the night of the simulated city from 150 labeled frames.

    python -m benchmarks.night

As `streetloop train` does it: of each camera's labeled frames the last fifth is for validation,
some frames of day are replayed against forgetting, training runs on Ray Train, and the exported
model is judged, on cameras and seeds that nothing was chosen by. ``--tune`` judges on the training
cameras with seeds of validation instead: recipes are compared by that.
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.learning import compared, fine_tuned
from benchmarks.report import finish, new_parser, parse_options
from streetloop.city.render.shapes import CLASSES
from streetloop.settings import BASELINE
from streetloop.storage.store import FolderStore, ObjectStore
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, Example
from train.data.simulated_dataset import (
    HELD_OUT_CAMERAS,
    HELD_OUT_SEEDS,
    TRAIN_CAMERAS,
    VALIDATION_SEEDS,
    Split,
    gather_split,
)
from train.evaluation.judge import JudgePolicy, Verdict
from train.model.model_file import open_model

LABELED = 150
_SEEDS = 2_000  # the baseline has seen those from 0 on
_A_CAMERA, _LEARNED = 13, 10
_REPLAY, _REPLAY_VALIDATION = 18, 3  # as the first champion's dataset has it
WANTED, LOSS, MINUTES = 0.25, 0.02, 8.0


def labeled(store: ObjectStore) -> list[Example]:
    """The labeled frames of night, each camera's last for validation."""
    split = Split("night", TRAIN_CAMERAS, _SEEDS, _A_CAMERA, "night")
    found = gather_split(split, store, TRAIN)[:LABELED]
    return [
        replace(example, split=VALIDATION) if k % _A_CAMERA >= _LEARNED else example
        for k, example in enumerate(found)
    ]


def replayed(store: ObjectStore, a_camera: int) -> list[Example]:
    """Frames of day like those that the baseline was trained on."""
    learned = Split("day", TRAIN_CAMERAS, 0, a_camera)
    held = Split("day-val", TRAIN_CAMERAS, VALIDATION_SEEDS, _REPLAY_VALIDATION)
    return gather_split(learned, store, TRAIN) + gather_split(held, store, VALIDATION)


def judged_by(store: ObjectStore, tune: bool) -> list[Example]:
    """Frames of night and of day that the models are judged on."""
    cameras, seed, count = (
        (TRAIN_CAMERAS, VALIDATION_SEEDS + 500, 10) if tune else (HELD_OUT_CAMERAS, HELD_OUT_SEEDS, 40)
    )
    return [
        example
        for condition in ("night", "day")
        for example in gather_split(Split(condition, cameras, seed, count, condition), store, TEST)
    ]


def report(verdict: Verdict, seconds: float) -> bool:
    """Print what came out; True if it is what was asked for."""
    table = Table(title="mAP50 of the exported models, 95 % interval of the difference")
    for name in ("", "frames", "before", "after", "difference"):
        table.add_column(name, justify="left" if not name else "right")
    for name in ("night", "day"):
        gain = verdict.gains[name]
        table.add_row(
            name,
            str(gain.frames),
            f"{gain.champion:.3f}",
            f"{gain.candidate:.3f}",
            f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})",
        )
    Console(width=100).print(table)
    print(f"trained and exported in {seconds / 60:.1f} minutes")
    return (
        verdict.gains["night"].mean >= WANTED
        and verdict.gains["day"].mean >= -LOSS
        and seconds <= MINUTES * 60
    )


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--tune", action="store_true", help="judge on seeds of validation")
    parser.add_argument("--replay", type=int, default=_REPLAY, help="frames of day a camera")
    parser.add_argument("--recipe", type=json.loads, default={}, help="options as JSON")
    parser.add_argument("--name", default="night")
    parser.add_argument("--folder", type=Path, help="goes on where it was stopped")
    choice = parse_options(parser)
    folder = choice.folder or Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    store = FolderStore(folder / "store")
    sys.stderr.write("drawing the frames\n")
    examples = (*labeled(store), *replayed(store, choice.replay))
    dataset = Dataset(tuple(CLASSES), examples, purpose="night")
    champion = open_model(BASELINE, folder / "exports")
    assert champion.checkpoint is not None
    candidate, seconds = fine_tuned(choice.name, champion.checkpoint, dataset, store, folder, choice.recipe)
    sys.stderr.write("judging\n")
    policy = JudgePolicy(wanted=("night",))
    held = judged_by(store, choice.tune)
    verdict = compared(champion, candidate, held, dataset, store, policy)
    good = report(verdict, seconds)
    print("reached" if good else f"wanted: night +{WANTED}, day -{LOSS}, {MINUTES:g} minutes")

    figures: dict[str, Any] = {
        name: {
            "frames": gain.frames,
            "before": round(gain.champion, 4),
            "after": round(gain.candidate, 4),
            "gain": [round(gain.mean, 4), round(gain.low, 4), round(gain.high, 4)],
        }
        for name, gain in verdict.gains.items()
    }
    finish(choice, {**figures, "minutes": round(seconds / 60, 2)})


if __name__ == "__main__":
    main()
