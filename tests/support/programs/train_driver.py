"""Trains in a process of its own, which a test may kill; says on standard output how far it is.

python -m tests.support.programs.train_driver DATA FOLDER NAME RECIPE
"""

import json
import sys
from pathlib import Path

from flows.runtime.ray_cluster import local_ray
from train.fine_tuning.recipe import Progress, Training
from train.model.model_file import _BASELINE_FILE


def main(data: str, folder: str, name: str, recipe: str) -> None:
    """Train to the end; a line of JSON for each progress, and one for the checkpoint."""

    def tell(now: Progress) -> None:
        print(json.dumps({"epoch": now.epoch, "over": now.epoch_over}), flush=True)

    with local_ray():
        from train.fine_tuning.ray_train import fine_tune  # after Ray's settings are made

        training = Training(name, _BASELINE_FILE, Path(data), Path(folder), json.loads(recipe))
        best = fine_tune(training, tell)
    print(json.dumps({"best": str(best)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
