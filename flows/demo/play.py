"""``streetloop demo --once``: night falls on four streets, and the loop closes."""

import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from flows.demo.ground_truth import true_curve
from flows.demo.progress import DemoProgress
from flows.demo.report import write_report_page
from flows.demo.result import BeforeAfterScore, DemoResult
from flows.demo.scenario import CAMERAS
from flows.runtime.session import RunOptions, run_streams
from flows.service.control_service import REPORT_FILE
from serve.rollout.policy import Policy
from streetloop.cameras import load_cameras
from streetloop.city.render.shapes import CLASSES
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.learning import list_learning
from streetloop.ledger.reviews import ReviewState, count_reviews
from streetloop.processes import in_background
from streetloop.settings import Settings, read_settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore
from train.data.dataset import TEST, Dataset
from train.data.simulated import HELD_OUT_CAMERAS, HELD_OUT_SEEDS, Split, gather_split
from train.evaluation.metrics import class_map, evaluate
from train.first_champion import ensure_champion
from train.model.find_model import find_model, open_registry
from train.model.predictions import predict_examples

NIGHT_AT_S, NIGHT_FALLS_S = 40, 45
_MOST_S = {"oracle": 1500.0, "label-studio": 6 * 3600.0}  # people take their time
_HELD_OUT = 10  # frames of each held-out camera and condition
_OWN = HELD_OUT_SEEDS + 700  # seeds that nothing else is judged by

SETTINGS: dict[str, Any] = {
    "image_size": 448,
    "labeler": "oracle",
    "label_budget": 100_000,
    "label_every_s": 5.0,
    "triage_period_s": 4.0,
    "drift_period_s": 2.0,
    "drift_sample_s": 0.5,
    "learn": True,
    "learn_labels": 10_000,  # it is the night that asks
    "learn_drift_labels": 40,
    "learn_recipe": {"epochs": 2, "imgsz": 384, "blend": 0.75},
    "cameras_per_worker": 2,
}
"""A week in ten minutes: a drift "minute" lasts two seconds, and labellers answer at once.

One process draws one street at a time, see `flows.stream.sources.simulated`; two processes make
use of two cores.
"""

# What is told all the time: the bottom line counts labels, and a machine that trains beside four
# cameras leaves out frames now and then. The ledger and the app have all of it.
_ROUTINE = re.compile("chosen for labelling|answers from whoever labels|frame rate fell|gaps in the stream")

POLICY = Policy(sample=0.4, block_s=4.0, minutes=0.1, frames=20, harmful_errors=0.05)


def close_loop(
    home: Path,
    say: Callable[[str], None],
    show: Callable[[str], None],
    *,
    app: bool,
    changes: Mapping[str, Any] = {},
) -> tuple[DemoResult, Path]:
    """Play it: four cameras by day, night, drift, labels, training, rollout.

    Args:
        home: Where the demo's state is kept; what an earlier demo left there is removed.
        say: Called with what happens.
        show: Called with how far it is, one sentence that takes the place of the last.
        app: Whether the app is served meanwhile.
        changes: Settings other than `SETTINGS`.

    Returns:
        What it came to, and the page that tells it.
    """
    moments: list[tuple[float, str]] = []
    shutil.rmtree(home, ignore_errors=True)
    settings = read_settings(**{**SETTINGS, **changes}, home=home)
    cameras = load_cameras(write_night(home)).cameras
    ledger = open_ledger(settings.ledger)
    progress = DemoProgress(ledger, settings.learn_drift_labels, show)

    def note(sentence: str) -> None:
        if not _ROUTINE.search(sentence):
            moments.append((time.time() - progress.began, sentence))
            say(sentence)

    # What the first champion must not forget takes a minute to draw. There is time for it by day.
    # If it fails, the training asks for it again and says why.
    in_background("first champion", lambda: ensure_champion(settings, note))
    options = RunOptions(
        duration_s=_MOST_S[settings.labeler],
        policy=POLICY,
        until=progress,
        progress=progress.progress,
        app=app,
    )
    summary = run_streams(cameras, settings, options, lambda _: None, note)
    seconds = time.time() - progress.began
    note("measuring both models on cameras and seeds that nothing was chosen by")
    runs, store = list_learning(ledger), open_store(settings)
    versions = {"before": "1", "after": _champion(settings)}
    closed = versions["after"] != versions["before"]
    curve = None
    if closed:
        args = settings, ledger, store, cameras, versions, progress.began, seconds
        curve = true_curve(*args)
        progress.steps["night"] = curve.streams_at_s + NIGHT_AT_S
    result = DemoResult(
        seconds,
        moments,
        runs[0] if runs else None,
        measure(settings, versions, store),
        _labeled(ledger),
        summary,
        versions,
        progress.steps,
        curve,
    )
    report = home.absolute() / REPORT_FILE
    write_report_page(report, result, settings, ledger, store, progress.began)
    return result, report


def write_night(folder: Path) -> Path:
    """The demo's camera file, with a night that falls; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    falls = f"&fps=15&condition=night@{NIGHT_AT_S}:{NIGHT_FALLS_S}"
    entries = [
        {"id": camera, "city": camera.split("-")[0], "uri": uri + falls, "lines": lines, "fps": 3}
        for camera, (uri, lines) in CAMERAS.items()
    ]
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": entries}, sort_keys=False))
    return path


def measure(settings: Settings, versions: Mapping[str, str], store: ObjectStore) -> list[BeforeAfterScore]:
    """Versions on held-out cameras and seeds, by day and by night."""
    measured = []
    for condition in ("day", "night"):
        split = Split(condition, HELD_OUT_CAMERAS, _OWN, _HELD_OUT, condition)
        examples = gather_split(split, store, TEST)
        data = Dataset(tuple(CLASSES), tuple(examples), purpose="the demo's judgement")
        found, map50 = {}, {}
        for when, version in versions.items():
            model = find_model(version, settings)
            classes = class_map(model.names, data.classes)
            found[when] = predict_examples(model, examples, store, classes, settings.image_size)
            map50[when] = evaluate(data, examples, found[when]).overall.map50
        measured.append(BeforeAfterScore(condition, map50, examples, found))
    return measured


def _champion(settings: Settings) -> str:
    return str(open_registry(settings).find("champion").number)


def _labeled(ledger: Ledger) -> int:
    counts = count_reviews(ledger)
    return counts.get(ReviewState.LABELED, 0) + counts.get(ReviewState.IN_DATASET, 0)
