# %% [markdown]
# # Which frames to label, and what they bought
#
# A person labels a hundred frames a day; a camera gives two million. This notebook watches four streets while night
# falls, lets the model say what it is unsure of, chooses few and diverse frames, has them labeled, and asks what those
# labels bought: against as many frames that were drawn at random. It runs offline in about two minutes, without Ray.
#
# Why uncertainty and diversity, and why some frames are drawn at random all the same:
# [concepts](../docs/concepts.md).

# %%
import os
import tempfile
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ["YOLO_VERBOSE"] = "false"
warnings.filterwarnings("ignore", message="install .ipywidgets")

from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.triage import Triage
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from train.data.simulated_dataset import TRAIN_CAMERAS
from train.model.model_file import open_model
from train.model.predictor import Predictor

DAY_S, NIGHT_S, LABELS = 100, 100, 16
folder = tempfile.TemporaryDirectory(prefix="streetloop-labels-")
settings = Settings(home=Path(folder.name), image_size=416, triage_period_s=5.0)
store, clock, model = open_store(settings), SystemClock(), open_model(BASELINE, settings.models)
cameras = [
    parse_camera(
        {
            "id": f"{city}-{name}",
            "uri": f"sim://{city}/{name}?seed=77&traffic=busy&fps=1&size=640x360&live=0"
            f"&condition=night@{DAY_S}:10&frames={DAY_S + NIGHT_S}",
        }
    )
    for city, name in TRAIN_CAMERAS[:4]
]
uris = {camera.id: camera.uri.reveal() for camera in cameras}
triage = Triage(store, model.names, settings.triage_period_s, 720.0, uris, seed=1)
detector = LocalDetector(Predictor(model, image_size=settings.image_size), settings.track_floor)
sources = [(camera, open_source(camera, clock)) for camera in cameras]
pipeline = StreamPipeline(sources, dict.fromkeys(["champion"], detector).get, settings, clock, [triage])
pipeline.start()
pipeline.wait(1200)
pipeline.close()
detector.close()
noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
# The streets are watched faster than they are: the time of a frame is that in its city.
found = [replace(one, captured_at=noon + timedelta(seconds=one.origin["frame"])) for one in triage.collect()]
night = noon + timedelta(seconds=DAY_S)
print(len(found), "candidates of", len(cameras) * (DAY_S + NIGHT_S), "frames")

# %% [markdown]
# ## What the model is unsure of
#
# A frame's score is 1 less the product of what its boxes leave of certainty. In busy traffic nearly every frame has
# a doubtful box, and by night some score low: the model finds nothing in them and is sure of it. So the score alone
# cannot choose; a drift that was found, and how unlike the frames are, have to.

# %%
import matplotlib.pyplot as plt

colors = {"unsure": "#0f766e", "flicker": "#b45309", "random": "#94a3b8", "disagreement": "#7c3aed"}
plt.figure(figsize=(7, 2.6), dpi=70)
for reason, color in colors.items():
    mine = [one for one in found if one.reason == reason]
    if mine:
        seconds = [(one.captured_at - noon).total_seconds() for one in mine]
        plt.scatter(seconds, [one.score for one in mine], s=14, color=color, label=reason)
plt.axvspan(DAY_S, DAY_S + NIGHT_S, color="#1e293b", alpha=0.12, label="night")
plt.xlabel("seconds")
plt.ylabel("score")
plt.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
plt.show()

# %% [markdown]
# ## Few, and unlike each other
#
# `select` takes the highest scores, drops near-duplicates, and spreads the rest over what the pictures look like. A
# drift that a finding has named raises the score of the frames since. The same number of frames is drawn at random.

# %%
import random

from labeling.selection import Drift, SelectionPolicy, boosted, select
from streetloop.ledger.reviews import SelectionReason

fall = {camera.id: Drift("night", night) for camera in cameras}
policy = SelectionPolicy(random_share=0.0)
ours = select(boosted(found, {name: one.since for name, one in fall.items()}, 0.4), LABELS, policy=policy)
drawn = [one for one in found if one.reason == SelectionReason.RANDOM]
frames = {one.digest: one for one in found}
chosen = {
    "chosen": [frames[one.digest] for one in ours],
    "at random": random.Random(3).sample(drawn, min(LABELS, len(drawn))),
}
for name, mine in chosen.items():
    by_night = sum(one.captured_at >= night for one in mine)
    print(
        f"{name}: {len(mine)} frames of {len({one.camera_id for one in mine})} cameras, {by_night} by night"
    )

# %%
from streetloop.images import decode_image

rows, columns = 2, 4
figure, axes = plt.subplots(rows, columns, figsize=(8, 2.6), dpi=60)
for row, (name, mine) in zip(axes, chosen.items(), strict=True):
    for axis, one in zip(row, mine, strict=False):
        axis.imshow(decode_image(store.get(one.image_key))[:, :, ::-1])
        axis.set_title(f"{name}, {one.score:.2f}", fontsize=8)
        axis.axis("off")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## What a label corrects
#
# The oracle answers with the truth of the simulated city, as a person would. A label is worth what it corrects: the
# objects that the model missed, and the boxes that were none. A frame on which the model was right teaches little.

# %%
from labeling.corrections import corrections
from labeling.oracle_labeler import OracleLabeler
from streetloop.boxes import to_boxes, to_detections
from streetloop.ledger.reviews import AskedFrame, ReviewState

oracle, labeled = OracleLabeler(clock), {}
for name, mine in chosen.items():
    oracle.push(mine, [].append)
    answers = {one.digest: one for one in oracle.pull([AskedFrame(one.digest) for one in mine])}
    labeled[name] = [
        replace(one, state=ReviewState.LABELED, label=to_boxes(answers[one.digest].boxes), labeler="oracle")
        for one in mine
    ]
corrected = {}
for name, mine in labeled.items():
    pairs = [corrections(to_detections(one.shown), to_detections(one.label)) for one in mine]
    all_ = [one for frame in pairs for one in frame.values()]
    corrected[name] = {
        "missed": sum(one.added for one in all_) / len(mine),
        "not there": sum(one.removed for one in all_) / len(mine),
        "another class": sum(one.reclassed for one in all_) / len(mine),
    }
    print(f"{name}: {sum(corrected[name].values()):.1f} corrections a frame,", corrected[name])

# %%
kinds = list(next(iter(corrected.values())))
plt.figure(figsize=(5.6, 2.2), dpi=70)
for k, (name, counts) in enumerate(corrected.items()):
    places = [n + 0.36 * k for n in range(len(kinds))]
    plt.bar(places, [counts[kind] for kind in kinds], width=0.34, label=name, color=("#0f766e", "#94a3b8")[k])
plt.xticks([n + 0.18 for n in range(len(kinds))], kinds)
plt.ylabel("corrections a frame")
plt.legend(frameon=False)
plt.show()

# %% [markdown]
# ## What they bought
#
# Both sets train the shipped model for the same few steps, beside the same few pictures of the day against forgetting.
# `streetloop train` does this with more of both. Measured on nights of cameras that neither set has seen. The
# chosen frames hold more corrections, and sixteen labels are too few to tell the gains apart: the intervals overlap.
# `python -m benchmarks.selection` repeats it with more labels, over days.

# %%
# %%capture
from contextlib import nullcontext

from flows.reports.evaluation import EvaluationRequest
from flows.reports.model_comparison import compare_models
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, merged, save_dataset
from train.data.formats import write_yolo
from train.data.from_labels import dataset_of
from train.data.simulated_dataset import (
    HELD_OUT_CAMERAS,
    HELD_OUT_SEEDS,
    VALIDATION_SEEDS,
    Split,
    gather_split,
)
from train.fine_tuning.recipe import RECIPE
from train.ultralytics_adapter import publish_checkpoint, train_detector

day = gather_split(Split("day", TRAIN_CAMERAS, 0, 1), store, TRAIN)
held = gather_split(Split("held", TRAIN_CAMERAS[:2], VALIDATION_SEEDS, 1), store, VALIDATION)
replay = Dataset(model.names, (*day, *held), purpose="replay")
tested = gather_split(Split("night", HELD_OUT_CAMERAS, HELD_OUT_SEEDS, 8, "night"), store, TEST)
digest = save_dataset(store, Dataset(model.names, tuple(tested), purpose="nights of other cameras"))
recipe = {**RECIPE, "epochs": 3, "imgsz": 416, "batch": 8, "blend": 0.35}
share = recipe.pop("blend")
gains = {}
for name, mine in labeled.items():
    # All may be learned from: nothing else is asked of the random ones here.
    learned = [replace(one, reason=SelectionReason.UNSURE) for one in mine]
    whole = merged([replay, dataset_of(learned, model.names, name)], name)
    home = settings.home / name.replace(" ", "-")
    best = train_detector(
        str(model.checkpoint), write_yolo(whole, store, home / "yolo"), home / "run", recipe
    )
    publish_checkpoint(best, home / "new.pt", f"learned from {name}", model.checkpoint, share)
    request = EvaluationRequest(digest, split="test")
    gains[name] = compare_models(BASELINE, str(home / "new.pt"), request, settings, nullcontext).gains["all"]

# %%
for name, gain in gains.items():
    print(
        f"{name:10} mAP50 by night {gain.champion:.3f} -> {gain.candidate:.3f}, "
        f"95 % of the gain {gain.low:+.3f} to {gain.high:+.3f}"
    )
plt.figure(figsize=(5.6, 1.5), dpi=70)
means = [gain.mean for gain in gains.values()]
errors = [[g.mean - g.low for g in gains.values()], [g.high - g.mean for g in gains.values()]]
plt.errorbar(means, list(gains), xerr=errors, fmt="o", capsize=3, color="#0f766e")
plt.axvline(0, color="gray", linewidth=1)
plt.xlabel("gain in mAP50 by night, with its 95 % interval")
plt.margins(y=0.5)
plt.show()
folder.cleanup()

# %% [markdown]
# Where labels come from and who gives them: [operations](../docs/operations.md). The queue in the app:
# `labeler: app`.
