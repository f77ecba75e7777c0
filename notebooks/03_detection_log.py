# %% [markdown]
# # The detection log
#
# A run writes one row per box as Parquet. This notebook fills a log with two minutes of one street and asks it:
# how many, where, how fast, and from where to where. It runs offline in about a minute, without Ray. With a log of
# your own, set `log` to `STORE/detections/run=NAME` and leave the first section out.
#
# The columns are in [concepts](../docs/concepts.md#the-detection-log).

# %%
import os
import tempfile
from pathlib import Path

os.environ["YOLO_VERBOSE"] = "false"

from flows.stream.pipeline import StreamPipeline
from flows.stream.sinks.detection_log import DetectionLog
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.cameras.camera_file import parse_camera
from streetloop.clock import SystemClock
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from train.model.model_file import open_model
from train.model.predictor import Predictor

folder = tempfile.TemporaryDirectory(prefix="streetloop-log-")
settings = Settings(home=Path(folder.name), image_size=416)
store, clock = open_store(settings), SystemClock()
model = open_model(BASELINE, settings.models)
detector = LocalDetector(Predictor(model, image_size=settings.image_size), settings.track_floor)
street = "sim://kingsport/crossing?seed=3&traffic=busy&size=640x360&fps=4&frames=480"
camera = parse_camera({"id": "crossing", "uri": f"{street}&live=0"})
log_sink = DetectionLog(store, "detections/run=log", "log", ["crossing"], model.names, 30.0, clock)
sources = [(camera, open_source(camera, clock))]
pipeline = StreamPipeline(sources, dict.fromkeys(["champion"], detector).get, settings, clock, [log_sink])
pipeline.start()
pipeline.wait(1200)
pipeline.close()
print(pipeline.snapshot()["crossing"].account)
log = store.uri("detections/run=log")

# %% [markdown]
# ## What is in it
#
# A track is an object that was followed. `weak` boxes extend a track and are below the confidence that counts.

# %%
import polars

rows = polars.read_parquet(f"{log}/**/*.parquet").filter(~polars.col("weak"), polars.col("track_id") >= 0)
rows.group_by("class_name").agg(
    boxes=polars.len(), tracks=polars.col("track_id").n_unique(), confidence=polars.col("confidence").mean()
).sort("tracks", descending=True)

# %% [markdown]
# ## How many
#
# Objects in sight over time, by class: the number of different tracks in each ten seconds.

# %%
import matplotlib.pyplot as plt

in_sight = (
    rows.group_by(second=(polars.col("pts") // 10 * 10), class_name="class_name")
    .agg(tracks=polars.col("track_id").n_unique())
    .pivot("class_name", index="second", values="tracks")
    .sort("second")
    .fill_null(0)
)
plt.figure(figsize=(7, 2.4), dpi=70)
for name in in_sight.columns[1:]:
    plt.step(in_sight["second"], in_sight[name], where="post", label=name)
plt.xlabel("seconds")
plt.ylabel("objects in sight")
plt.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %% [markdown]
# ## Where
#
# The heat map counts the feet of boxes, the middle of their lower edge, over the picture of the street.

# %%
import numpy as np

from streetloop.city.oracle import Oracle

picture = Oracle().picture(street, 100)
height, width = picture.shape[:2]
feet = rows.select(x=(polars.col("x1") + polars.col("x2")) / 2, y=polars.col("y2"))
heat, _, _ = np.histogram2d(feet["y"], feet["x"], bins=(36, 64), range=((0, height), (0, width)))
plt.figure(figsize=(5.6, 3.2), dpi=70)
plt.imshow(picture[:, :, ::-1].mean(axis=2), cmap="gray")
plt.imshow(np.sqrt(heat), extent=(0, width, height, 0), cmap="inferno", alpha=0.55)
plt.axis("off")
plt.show()

# %% [markdown]
# ## How fast
#
# DuckDB reads the same files. Without a calibrated camera a speed is in box heights a second, which takes
# perspective out: a car of 1.5 m that moves four of its heights a second drives about 6 m/s.

# %%
import duckdb

speeds = duckdb.sql(
    f"""
    with steps as (
        select class_name, track_id, y2 - y1 as height, pts - lag(pts) over track as seconds,
            sqrt(pow((x1 + x2 - lag(x1 + x2) over track) / 2, 2) + pow(y2 - lag(y2) over track, 2)) as pixels
        from read_parquet('{log}/**/*.parquet')
        where track_id >= 0 and not weak
        window track as (partition by track_id order by pts)
    )
    select class_name, count(distinct track_id) as tracks,
        round(quantile_cont(pixels / height / seconds, 0.5), 2) as median,
        round(quantile_cont(pixels / height / seconds, 0.95), 2) as "95 %"
    from steps where seconds > 0 and seconds < 1 group by class_name order by tracks desc
    """
).pl()
speeds

# %% [markdown]
# ## From where to where
#
# The picture is cut into thirds by columns and halves by rows. A track that was in sight for two seconds goes from
# the part of its first box to that of its last.

# %%
parts = rows.sort("pts").with_columns(
    part=polars.concat_str(
        polars.when(polars.col("y2") < height / 2).then(polars.lit("far")).otherwise(polars.lit("near")),
        ((polars.col("x1") + polars.col("x2")) / 2 // (width / 3))
        .cast(int)
        .replace_strict({0: "left", 1: "middle", 2: "right"}, default="right"),
        separator=" ",
    )
)
journeys = parts.group_by("track_id").agg(
    start=polars.col("part").first(),
    end=polars.col("part").last(),
    seconds=polars.col("pts").max() - polars.col("pts").min(),
)
matrix = (
    journeys.filter(polars.col("seconds") >= 2)
    .pivot("end", index="start", values="track_id", aggregate_function="len")
    .fill_null(0)
    .sort("start")
)
matrix.select("start", *sorted(matrix.columns[1:]))

# %%
travelled = journeys.filter(polars.col("seconds") >= 2, polars.col("start") != polars.col("end"))
print(len(journeys), "tracks,", len(travelled), "of them went from one part of the picture to another")
detector.close()
folder.cleanup()

# %% [markdown]
# Counting lines do this for a line that you draw, with its coverage: see [counts](../docs/counts.md).
# `streetloop ask` answers questions in plain words by such queries: see [reports](../docs/reports.md).
