# %% [markdown]
# # A tour of streetloop
#
# This notebook walks once around the loop: streams, drift, labels, training, rollout. It runs offline on
# two cores in about two minutes, without Ray, a camera or a GPU. The simulated city stands in for the
# street; everything else is the code that `streetloop up` runs.
#
# Each section names the page that goes on.

# %%
import os
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ["YOLO_VERBOSE"] = "false"
warnings.filterwarnings("ignore", message="IProgress not found")

from streetloop.clock import SystemClock
from streetloop.ledger import open_ledger
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store

folder = tempfile.TemporaryDirectory(prefix="streetloop-tour-")
settings = Settings(home=Path(folder.name), image_size=416)
store, ledger, clock = open_store(settings), open_ledger(settings.ledger), SystemClock()

# %% [markdown]
# ## A street by day and by night
#
# A `sim://` URI names a camera, its traffic and its weather. The same URI and frame number always give the
# same pixels, and the truth about them. See [the simulated city](../docs/city.md).

# %%
import cv2
import numpy as np
from PIL import Image

from streetloop.city.oracle import Oracle

city = Oracle()
street = "sim://larkfield/gantry?seed=3&traffic=busy"
pictures = [city.picture(f"{street}&condition={name}", 100) for name in ("day", "night")]
both = cv2.resize(np.hstack(pictures), None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
Image.fromarray(both[:, :, ::-1]).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)

# %% [markdown]
# ## Streams
#
# A pipeline reads the cameras, skips what does not move, batches frames across cameras, detects, tracks and
# logs. Here night falls after 20 seconds, and the detector runs in this process. `live=0` reads the clip as
# fast as it is analysed.
#
# The frame account always adds up: `decoded = detected + gated + dropped + failed`. See
# [concepts](../docs/concepts.md#frame-accounting).

# %%
from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sinks.triage import Triage
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import parse_camera
from train.model.model_file import open_model
from train.model.predictor import Predictor

model = open_model(BASELINE, settings.models)
detector = LocalDetector(Predictor(model, image_size=settings.image_size), settings.track_floor)
uri = "seed=3&traffic=busy&fps=4&condition=night@20:5&frames=320&live=0"
cameras = [
    parse_camera({"id": "gantry", "uri": f"sim://larkfield/gantry?{uri}"}),
    parse_camera({"id": "crossing", "uri": f"sim://kingsport/crossing?{uri}"}),
]
ids = [camera.id for camera in cameras]
log = DetectionLog(store, "detections/run=tour", "tour", ids, model.names, 30.0, clock)
triage = Triage(
    store,
    model.names,
    period_s=2.0,
    random_a_hour=0,
    origins={camera.id: camera.uri.reveal() for camera in cameras},
)
sources = [(camera, open_source(camera, clock)) for camera in cameras]
pipeline = StreamPipeline(sources, dict.fromkeys(["champion"], detector).get, settings, clock, [log, triage])
pipeline.start()
pipeline.wait(1200)
pipeline.close()
for name, status in pipeline.snapshot().items():
    print(name, status.account)

# %% [markdown]
# The detection log is Parquet; anything reads it.

# %%
import polars

rows = polars.read_parquet(f"{store.uri('detections/run=tour')}/**/*.parquet")
rows.group_by("camera_id", night=polars.col("pts") > 25).agg(
    detections=polars.len(), tracks=polars.col("track_id").n_unique()
).sort("camera_id", "night")

# %% [markdown]
# ## Drift
#
# The pictures of a camera before and after are compared feature by feature, with a test that allows for the
# autocorrelation of video, and the likely cause is named. See [concepts](../docs/concepts.md#drift).

# %%
from flows.reports.recordings import compare_recordings

recording = f"{street}&fps=1&frames=60"
verdict = compare_recordings(recording, f"{recording}&condition=night", store)
print("causes:", *verdict.causes, sep="\n  ")

# %% [markdown]
# ## Labels
#
# Triage kept the most uncertain frame of every two seconds. From these, a diverse choice under a budget
# goes to whoever labels. In the city the oracle knows the truth; in the world it is Label Studio, behind
# the same protocol. See [concepts](../docs/concepts.md#which-frames-are-asked-about).

# %%
from dataclasses import replace

from labeling.oracle_labeler import OracleLabeler
from labeling.queue import ReviewQueue
from labeling.selection import Drift
from streetloop.ledger.reviews import ReviewState, list_reviews

# The clip was read faster than it happened: the time of a frame is that in its city.
began = datetime.now(UTC) - timedelta(minutes=5)
candidates = [
    replace(r, captured_at=began + timedelta(seconds=r.origin["frame"] / 4)) for r in triage.collect()
]
night = Drift("night", began + timedelta(seconds=25))
queue = ReviewQueue(ledger, clock)
queue.add(candidates)
chosen = queue.choose(30, drifting=dict.fromkeys(ids, night))
labeler = OracleLabeler(clock)
queue.push(labeler)
print(len(candidates), "candidates,", chosen, "selected,", queue.pull(labeler).labels, "labeled")
labeled = list_reviews(ledger, [ReviewState.LABELED])
print({reason.value: [r.reason for r in labeled].count(reason) for reason in {r.reason for r in labeled}})

# %% [markdown]
# ## Training
#
# Labeled frames become an immutable dataset, together with some older pictures of day, against forgetting.
# `streetloop train` fine-tunes on Ray Train; this tour calls the same trainer in this process.

# %%
from streetloop.city.render.shapes import CLASSES
from train.data.dataset import TRAIN, VALIDATION, Dataset, merged
from train.data.formats import write_yolo
from train.data.from_labels import dataset_of
from train.data.simulated_dataset import TRAIN_CAMERAS, VALIDATION_SEEDS, Split, gather_split
from train.fine_tuning.recipe import RECIPE
from train.ultralytics_adapter import publish_checkpoint, train_detector

replay = gather_split(Split("replay", TRAIN_CAMERAS, 0, 4), store, TRAIN)
held = gather_split(Split("replay-val", TRAIN_CAMERAS[:4], VALIDATION_SEEDS, 1), store, VALIDATION)
day = Dataset(tuple(CLASSES), (*replay, *held), purpose="replay")
dataset = merged([dataset_of(labeled, model.names, "the first night"), day], "a tour")
print("dataset", dataset.digest[:12], {part: len(dataset.split(part)) for part in (TRAIN, VALIDATION)})

# %%
# %%capture
recipe = {**RECIPE, "epochs": 5, "imgsz": 416, "batch": 8, "blend": 0.35}
share = recipe.pop("blend")
data = write_yolo(dataset, store, settings.home / "yolo")
best = train_detector(str(model.checkpoint), data, settings.home / "training", recipe)
publish_checkpoint(best, settings.home / "candidate.pt", "candidate of the tour", model.checkpoint, share)
candidate = open_model(str(settings.home / "candidate.pt"), settings.models)

# %% [markdown]
# ## The judge
#
# Champion and candidate look at the same held-out frames: cameras and seeds that nothing was trained on or
# chosen by.
# The candidate must gain by night and may lose at
# most 0.02 elsewhere; the interval is a paired bootstrap. A tour replays few pictures of day, so the judge may
# still refuse. The demo replays 252.

# %%
from train.data.dataset import TEST
from train.data.simulated_dataset import HELD_OUT_CAMERAS, HELD_OUT_SEEDS
from train.evaluation.judge import JudgedFrame, JudgePolicy, judge
from train.model.predictions import predict_examples

examples = [
    example
    for condition in ("night", "day")
    for example in gather_split(
        Split(condition, HELD_OUT_CAMERAS, HELD_OUT_SEEDS, 12, condition), store, TEST
    )
]
same = {number: number for number in range(len(model.names))}
answers = [predict_examples(one, examples, store, same, settings.image_size) for one in (model, candidate)]
frames = [
    JudgedFrame(example.truth(), example.ignored(), ours, theirs, example.slices)
    for example, ours, theirs in zip(examples, *answers, strict=True)
]
judgement = judge(frames, JudgePolicy(wanted=("night",)))
for name, gain in judgement.gains.items():
    low, high = f"{gain.low:+.3f}", f"{gain.high:+.3f}"
    print(f"{name:6} mAP50 {gain.champion:.3f} -> {gain.candidate:.3f}, 95 % of the gain {low} to {high}")
print("accepted:", judgement.accepted)

# %% [markdown]
# ## The rollout
#
# An accepted candidate becomes the challenger. It starts in shadow, then serves 5, 25, 50 and 100 % of the
# cameras. `decide` is a pure function of the evidence and the policy, so a policy can be simulated before it
# is trusted. See [concepts](../docs/concepts.md#how-a-new-model-takes-over) and
# [operations](../docs/operations.md#rollouts).

# %%
from serve.rollout.policy import Policy
from serve.rollout.policy_simulation import simulate_policy

outcomes = simulate_policy(Policy(), runs=24)
for kind in ("harmful", "equal", "better"):
    result = outcomes[kind]
    print(
        f"{kind:8} promoted {result['promoted']:.0%}, rolled back {result['rolled_back']:.0%}, "
        f"served at most {result['most_share_served']:.0%} of the cameras"
    )

# %%
detector.close()
ledger.close()
folder.cleanup()

# %% [markdown]
# `make demo` plays the same loop live, with the app, on Ray: see [the README](../README.md). Where each step
# is in the code: [architecture](../docs/architecture.md).
