"""A policy in simulation, and the simulated evidence beside recorded evidence.

    python -m benchmarks.rollout

Recorded: the shipped baseline beside itself at a smaller input (a slightly worse model), or beside
another (``--other FILE``), on held-out cameras of the simulated city by day, scored block by block
as the running system does.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from serve.rollout.policy import Policy
from serve.rollout.policy_simulation import (
    SimulatedCandidate,
    SimulatedFleet,
    simulate_gains,
    simulate_policy,
)
from serve.rollout.statistics.detection_counts import DetectionCounts, count_detections
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.city.address import Address
from streetloop.city.render.shapes import CLASSES
from streetloop.city.view import View
from streetloop.settings import BASELINE
from train.data.simulated_dataset import HELD_OUT_CAMERAS, HELD_OUT_SEEDS
from train.model.model_file import open_model
from train.model.predictor import Predictor

_BLOCK_S = 20.0
_FRAMES = 10  # a block: what a fifth of the batches come to at 2.5 frames a second
_SHOWN = 0.25


def recorded(blocks: int, small: int, name: str | None) -> NDArray[np.float64]:
    """(blocks, cameras) F1 of the other less F1 of the baseline."""
    cache = Path(".streetloop/models")
    usual = Predictor(open_model(BASELINE, cache), image_size=640)
    beside = open_model(name or BASELINE, cache)
    other = Predictor(beside, image_size=640 if name else small)
    gains = np.zeros((blocks, len(HELD_OUT_CAMERAS)))
    for k, (city, camera) in enumerate(HELD_OUT_CAMERAS):
        view = View(replace(Address(city, camera), seed=HELD_OUT_SEEDS + 900, fps=5.0))
        for block in track(range(blocks), f"{city}/{camera}", console=Console(stderr=True)):
            scores = [DetectionCounts(), DetectionCounts()]
            for n in range(_FRAMES):
                frame = round((block * _BLOCK_S + n * _BLOCK_S / _FRAMES) * 5)
                image, truth = view.render(frame), view.truth(frame)
                for side, predictor in enumerate((usual, other)):
                    found = predictor.predict(image, _SHOWN)
                    counted = count_detections(truth.detections(), truth.unclear(), found, CLASSES)
                    scores[side] += counted[EVERYTHING]
            gains[block, k] = scores[1].f1 - scores[0].f1
    return gains


def shape_of(gains: NDArray[np.float64]) -> dict[str, float]:
    """Mean, spread of a block, and how much a block is like the one before it."""
    centred = gains - gains.mean(axis=0)
    before, after = centred[:-1].ravel(), centred[1:].ravel()
    memory = float((before * after).sum() / max((centred**2).sum(), 1e-12))
    return {
        "mean": round(float(gains.mean()), 4),
        "spread": round(float(centred.std()), 4),
        "memory": round(memory, 3),
    }


def main() -> None:
    """Run the benchmark."""
    parser = new_parser(__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=30, help="of each camera; 0 records nothing")
    parser.add_argument("--small", type=int, default=512, help="the worse model's input")
    parser.add_argument("--other", help="a model file, in the place of the smaller input")
    options = parse_options(parser)
    began = time.perf_counter()
    played = simulate_policy(Policy(), options.runs)
    content = {"seconds": round(time.perf_counter() - began, 1), "simulated": played}
    if options.blocks:
        rng = np.random.default_rng(0)
        content["recorded"] = shape_of(recorded(options.blocks, options.small, options.other))
        equal = simulate_gains(SimulatedCandidate(), SimulatedFleet(), 2000, rng)
        content["model"] = shape_of(equal)
    _print(content)
    finish(options, content)


def _print(content: dict[str, object]) -> None:
    console = Console()
    console.print_json(json.dumps(content["simulated"]))
    console.print(f"{content['seconds']} s")
    if "recorded" not in content:
        return
    table = Table("gain of a block (F1)", "mean", "spread", "memory")
    for name in ("recorded", "model"):
        shape = content.get(name)
        if isinstance(shape, dict):
            table.add_row(name, *(f"{value:+.3f}" for value in shape.values()))
    console.print(table)


if __name__ == "__main__":
    main()
