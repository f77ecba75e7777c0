"""Chosen frames against twice as many at random: what the model learns of a first night.

    python -m benchmarks.selection --folder runs/selection

For each seed every training camera of the simulated city is watched for a while of day and the
start of its first night, by the stream flow with the shipped baseline. Candidates, choice and
labels are those of the running system: triage, the review queue with its budget N and the drift
that the night is, the oracle. Against it 2N of the same streams' random frames. Both are made a
dataset of, with the same replay, and the baseline is fine-tuned on each; mAP50 is of night on all
cameras, with seeds that nothing else uses. What is done is kept in the folder.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.learning import compared, fine_tuned
from benchmarks.night import replayed
from benchmarks.report import finish, new_parser, parse_options
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.triage import Triage
from flows.stream.sources.registry import open_source
from labeling.oracle_labeler import OracleLabeler
from labeling.queue import ReviewQueue
from labeling.selection import Drift
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import Camera
from streetloop.city.address import TRAFFIC
from streetloop.city.render.shapes import CLASSES
from streetloop.city.world.rng import draw
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.review_moves import Choice, choose_reviews
from streetloop.ledger.reviews import ReviewState, SelectionReason, add_reviews, list_reviews
from streetloop.settings import BASELINE, Settings
from streetloop.storage.store import FolderStore
from train.data.dataset import TEST, Dataset, merged
from train.data.from_labels import dataset_of
from train.data.simulated_dataset import HELD_OUT_CAMERAS, HELD_OUT_SEEDS, TRAIN_CAMERAS, Split, gather_split
from train.evaluation.judge import JudgePolicy
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor

_BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
_SEEDS = 3_000
_RANDOM_A_HOUR = 60.0
_REPLAY = 4
_RECIPE = {"epochs": 6}
STRATEGIES = ("ours", "random")


@dataclass(frozen=True)
class Streams:
    """What is watched.

    Attributes:
        day_s: Seconds of day before the night.
        night_s: Seconds of night.
        fps: Frames a second that the detector may see.
    """

    day_s: float
    night_s: float
    fps: float

    def cameras(self, seed: int) -> list[Camera]:
        """The fleet on one day."""
        found = []
        for city, name in TRAIN_CAMERAS:
            rng = draw("selection", city, name, seed)
            traffic = rng.choice(tuple(TRAFFIC))
            start = round(rng.uniform(0, 3600))
            uri = (
                f"sim://{city}/{name}?seed={_SEEDS + seed}&traffic={traffic}&fps={self.fps:g}"
                f"&start={start}&condition=night@{start + self.day_s:g}:60&live=0"
                f"&frames={round((self.day_s + self.night_s) * self.fps)}"
            )
            found.append(Camera(id=f"{city}-{name}", uri=uri))  # type: ignore[arg-type]
        return found


class Evening(SystemClock):
    """A clock that stands still when all has been seen."""

    def __init__(self, streams: Streams) -> None:
        self._now = _BEGAN + timedelta(seconds=streams.day_s + streams.night_s + 1)

    def now(self) -> datetime:
        return self._now


def watch(home: Path, streams: Streams, seed: int, model: ModelFile) -> Path:
    """The ledger of all candidates of one day, made once."""
    path = home / f"day-{seed}.db"
    if path.is_file():
        return path
    settings = Settings(home=home)
    cameras = streams.cameras(seed)
    triage = Triage(
        FolderStore(settings.store),
        model.names,
        settings.triage_period_s,
        _RANDOM_A_HOUR,
        {camera.id: camera.uri.reveal() for camera in cameras},
        seed=seed,
    )
    detector = LocalDetector(
        Predictor(model, open_backend(model, "auto", settings.threads)), settings.track_floor
    )
    sources = [(camera, open_source(camera, SystemClock())) for camera in cameras]
    pipeline = StreamPipeline(sources, lambda _: detector, settings, SystemClock(), [triage])
    pipeline.start()
    _tell_until_done(pipeline, len(cameras) * (streams.day_s + streams.night_s) * streams.fps, seed)
    pipeline.close()
    part = home / f"day-{seed}.part.db"
    part.unlink(missing_ok=True)
    ledger = open_ledger(f"sqlite:///{part.absolute()}")
    # Streams are watched faster than they are: the time of a frame is that in its city.
    add_reviews(
        ledger,
        [
            replace(r, captured_at=_BEGAN + timedelta(seconds=r.origin["frame"] / streams.fps))
            for r in triage.collect()
        ],
    )
    ledger.close()  # what is still in the write-ahead log would not be renamed
    return part.rename(path)


def _tell_until_done(pipeline: StreamPipeline, frames: float, seed: int) -> None:
    began = time.monotonic()
    while not pipeline.wait(20.0):
        done = sum(s.account.decoded for s in pipeline.snapshot().values()) / frames
        passed = time.monotonic() - began
        if done > 0:
            left = passed / done - passed
            sys.stderr.write(f"day {seed}: {done:.0%} watched, {left:.0f} s to go\n")


def labeled(
    home: Path, day: Path, strategy: str, count: int, streams: Streams, seed: int
) -> tuple[Dataset, dict[str, Any]]:
    """The dataset of what one strategy asked about, and what it consists of."""
    copy = home / f"{day.stem}-{strategy}.db"
    shutil.copy(day, copy)
    ledger = open_ledger(f"sqlite:///{copy.absolute()}")
    clock = Evening(streams)
    queue = ReviewQueue(ledger, clock)
    night = _BEGAN + timedelta(seconds=streams.day_s)
    if strategy == "ours":
        # What `benchmarks.drift_detection` shows that the watch finds of a night.
        drift = Drift("night", night)
        queue.choose(count, {f"{city}-{name}": drift for city, name in TRAIN_CAMERAS})
    else:
        _choose_at_random(ledger, count, clock, seed)
    queue.push(oracle := OracleLabeler(clock, find=queue.find))
    queue.pull(oracle)
    reviews = list_reviews(ledger, [ReviewState.LABELED])
    if strategy == "random":  # all may be learned from: nothing else is asked of them here
        reviews = [replace(r, reason=SelectionReason.UNSURE) for r in reviews]
    dataset = dataset_of(reviews, CLASSES, strategy)
    made_of = {
        "labels": len(reviews),
        "of night": sum(r.captured_at > night for r in reviews),
        "boxes": sum(len(r.label or ()) for r in reviews),
        "cameras": len({r.camera_id for r in reviews}),
        "to learn from": len(dataset.split("train")),
    }
    return dataset, made_of


def _choose_at_random(ledger: Ledger, count: int, clock: Evening, seed: int) -> None:
    random = [r for r in list_reviews(ledger, [ReviewState.CANDIDATE]) if r.reason is SelectionReason.RANDOM]
    if len(random) < count:
        raise SystemExit(f"only {len(random)} random frames: watch for longer")
    rows = np.random.default_rng(seed).permutation(len(random))[:count].tolist()
    chosen = [Choice(random[k].digest, 0.0) for k in rows]
    choose_reviews(ledger, chosen, clock.now(), _BEGAN, count)


def learn(home: Path, name: str, dataset: Dataset, model: ModelFile) -> dict[str, float]:
    """Fine-tune the baseline on a dataset; its mAP50 of night."""
    store = FolderStore(home / "store")
    replay = Dataset(tuple(CLASSES), tuple(replayed(store, _REPLAY)), purpose="replay")
    assert model.checkpoint is not None
    whole = merged([replay, dataset], name)
    candidate, seconds = fine_tuned(name, model.checkpoint, whole, store, home, _RECIPE)
    cameras = (*TRAIN_CAMERAS, *HELD_OUT_CAMERAS)
    held = gather_split(Split("night", cameras, HELD_OUT_SEEDS + 500, 20, "night"), store, TEST)
    gain = compared(model, candidate, held, whole, store, JudgePolicy(draws=1)).gains["all"]
    return {"before": gain.champion, "after": gain.candidate, "seconds": seconds}


def report(results: Mapping[str, Mapping[str, Any]], seeds: int, count: int) -> None:
    """Print every seed, the means and their spread."""
    table = Table(title="mAP50 of night; before: the baseline")
    for name in ("seed", f"ours, {count} labels", f"random, {2 * count} labels", "difference"):
        table.add_column(name, justify="right")
    gaps: list[float] = []
    means: dict[str, list[float]] = {strategy: [] for strategy in STRATEGIES}
    for seed in range(seeds):
        row = {strategy: results[f"{seed}-{strategy}"] for strategy in STRATEGIES}
        for strategy in STRATEGIES:
            means[strategy].append(row[strategy]["after"])
        gaps.append(row["ours"]["after"] - row["random"]["after"])
        table.add_row(
            str(seed),
            *(f"{row[a]['after']:.3f} ({row[a]['of night']} of night)" for a in STRATEGIES),
            f"{gaps[-1]:+.3f}",
        )
    spread = statistics.stdev(gaps) if seeds > 1 else 0.0
    table.add_row(
        "mean",
        *(f"{statistics.mean(means[a]):.3f}" for a in STRATEGIES),
        f"{statistics.mean(gaps):+.3f}, sd {spread:.3f}",
    )
    Console(width=110).print(table)
    print(f"before: {results['0-ours']['before']:.3f}")


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="goes on where it was stopped")
    parser.add_argument("--labels", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--day", type=float, default=360.0, help="seconds of day of each camera")
    parser.add_argument("--night", type=float, default=180.0, help="seconds of night")
    parser.add_argument("--choose-only", action="store_true", help="show choices, train nothing")
    choice = parse_options(parser)
    home = choice.folder.absolute()
    home.mkdir(parents=True, exist_ok=True)
    streams = Streams(choice.day, choice.night, 1.0)
    model = open_model(BASELINE, home / "exports")
    file = home / "results.json"
    results: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    for seed in range(choice.seeds):
        day = watch(home, streams, seed, model)
        for strategy, count in zip(STRATEGIES, (choice.labels, 2 * choice.labels), strict=True):
            name = f"{seed}-{strategy}"
            if name in results and not choice.choose_only:
                continue
            dataset, made_of = labeled(home, day, strategy, count, streams, seed)
            sys.stderr.write(f"{name}: {made_of}\n")
            if choice.choose_only:
                continue
            results[name] = made_of | learn(home, name, dataset, model)
            file.write_text(json.dumps(results, indent=1))
    if not choice.choose_only:
        report(results, choice.seeds, choice.labels)
        finish(choice, results)


if __name__ == "__main__":
    main()
