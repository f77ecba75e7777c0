"""A fine-tuning as `streetloop train` does it, for the benchmarks: dataset in, judged model out."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.runtime.ray_cluster import local_ray
from streetloop.storage.store import ObjectStore
from train.data.dataset import Dataset, Example
from train.data.formats import write_yolo
from train.evaluation.judge import JudgedFrame, JudgePolicy, Verdict, judge
from train.evaluation.metrics import class_map
from train.fine_tuning.recipe import BLEND, RECIPE, THREADS, Progress, Training
from train.model.model_file import ModelFile, open_model
from train.model.predictions import predict_examples
from train.ultralytics_adapter import publish_checkpoint


def fine_tuned(
    name: str, start: Path, dataset: Dataset, store: ObjectStore, folder: Path, recipe: Mapping[str, Any]
) -> tuple[ModelFile, float]:
    """Train on Ray Train and export; the model, and the seconds that all of it took."""
    began = time.monotonic()
    with local_ray():
        from train.fine_tuning.ray_train import (
            fine_tune,  # needs Ray, whose settings are made before it is imported
        )

        data = write_yolo(dataset, store, folder / f"{name}-data")
        training = Training(name, start, data, folder, {**RECIPE, THREADS: 2, **recipe})
        best = fine_tune(training, Teller(name))
    published = folder / f"{name}.pt"
    publish_checkpoint(best, published, name, start, float(training.recipe[BLEND]))
    return open_model(str(published), folder / "exports"), time.monotonic() - began


class Teller:
    """Says on standard error how far a training is, and when it will be over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.monotonic()

    def __call__(self, now: Progress) -> None:
        done = (now.epoch + now.share) / now.epochs
        passed = time.monotonic() - self._began
        score = now.numbers.get("metrics/mAP50(B)")
        said = f"; validation mAP50 {score:.3f}" if score is not None else ""
        if now.epoch_over or round(now.share * 100) % 25 == 0:
            sys.stderr.write(
                f"{self._name}: epoch {now.epoch + 1} of {now.epochs}, {done:.0%}, "
                f"{passed:.0f} s, {passed / done - passed:.0f} s to go{said}\n"
            )


def compared(
    champion: ModelFile,
    candidate: ModelFile,
    examples: Sequence[Example],
    dataset: Dataset,
    store: ObjectStore,
    policy: JudgePolicy,
    classes: Sequence[Mapping[int, int]] = (),
) -> Verdict:
    """Both exported models on the same examples.

    Args:
        champion: The model before.
        candidate: The model after.
        examples: What neither was trained on.
        dataset: Names the classes.
        store: Where the images are.
        policy: See `train.evaluation.judge`.
        classes: Class ids of the dataset by those of each model; by default by name.
    """
    maps = classes or [class_map(model.names, dataset.classes) for model in (champion, candidate)]
    before, after = (
        predict_examples(model, examples, store, ids)
        for model, ids in zip((champion, candidate), maps, strict=True)
    )
    return judge(
        [
            JudgedFrame(e.truth(), e.ignored(), ours, theirs, e.slices)
            for e, ours, theirs in zip(examples, before, after, strict=True)
        ],
        policy,
    )
