# %% [markdown]
# # Two models compared, and a rollout simulated
#
# Is a new model better, by how much, where, and how sure is that? And would the rollout have found out in time? A
# model that is fine-tuned on a few pictures of the night is compared with the shipped one. It runs offline in about
# two minutes, without Ray.

# %%
import os
import tempfile
import warnings
from pathlib import Path

os.environ["YOLO_VERBOSE"] = "false"
warnings.filterwarnings("ignore", message="install .ipywidgets")

from streetloop.city.render.shapes import CLASSES
from streetloop.settings import BASELINE, Settings
from streetloop.storage.open import open_store
from train.data.dataset import TEST, TRAIN, VALIDATION, Dataset, save_dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import (
    HELD_OUT_CAMERAS,
    HELD_OUT_SEEDS,
    TRAIN_CAMERAS,
    VALIDATION_SEEDS,
    Split,
    gather_split,
)

folder = tempfile.TemporaryDirectory(prefix="streetloop-compare-")
settings = Settings(home=Path(folder.name), image_size=416)
store = open_store(settings)
night = gather_split(Split("night", TRAIN_CAMERAS, 0, 4, "night"), store, TRAIN)
day = gather_split(Split("day", TRAIN_CAMERAS, 0, 2), store, TRAIN)
held = gather_split(Split("held", TRAIN_CAMERAS[:4], VALIDATION_SEEDS, 1), store, VALIDATION)
learned = Dataset(tuple(CLASSES), (*night, *day, *held), purpose="nights and some days")
tested = [
    example
    for name in ("night", "day")
    for example in gather_split(Split(name, HELD_OUT_CAMERAS, HELD_OUT_SEEDS, 12, name), store, TEST)
]
digest = save_dataset(store, Dataset(tuple(CLASSES), tuple(tested), purpose="held-out cameras"))
print(len(learned.split(TRAIN)), "pictures to learn from,", len(tested), "to compare on")

# %% [markdown]
# ## The second model
#
# `streetloop train` does this on Ray Train, with hundreds of pictures. The weights are a blend of old and new, which
# forgets less.

# %%
# %%capture
from train.fine_tuning.recipe import RECIPE
from train.model.model_file import open_model
from train.ultralytics_adapter import publish_checkpoint, train_detector

shipped = open_model(BASELINE, settings.models)
recipe = {**RECIPE, "epochs": 3, "imgsz": 416, "batch": 8, "blend": 0.35}
share = recipe.pop("blend")
data = write_yolo(learned, store, settings.home / "yolo")
best = train_detector(str(shipped.checkpoint), data, settings.home / "training", recipe)
weights = settings.home / "night.pt"
publish_checkpoint(best, weights, "a night of the notebook", shipped.checkpoint, share)

# %% [markdown]
# ## Compared
#
# `streetloop models compare` is this call: both look at the same frames of cameras that neither was trained on, and
# the interval is a paired bootstrap over frames. An interval above 0 is a certain gain; one around 0 says that these
# frames cannot tell.

# %%
from contextlib import nullcontext

from flows.reports.evaluation import EvaluationRequest
from flows.reports.model_comparison import compare_models

request = EvaluationRequest(digest, split="test")
comparison = compare_models(BASELINE, str(weights), request, settings, nullcontext)
for name, gain in comparison.gains.items():
    low, high = f"{gain.low:+.3f}", f"{gain.high:+.3f}"
    print(f"{name:10} mAP50 {gain.champion:.3f} -> {gain.candidate:.3f}, 95 % of the gain {low} to {high}")

# %%
import matplotlib.pyplot as plt

gains = comparison.gains
means = [gain.mean for gain in gains.values()]
errors = [[g.mean - g.low for g in gains.values()], [g.high - g.mean for g in gains.values()]]
plt.figure(figsize=(6, 0.5 + 0.35 * len(gains)), dpi=70)
plt.errorbar(means, list(gains), xerr=errors, fmt="o", capsize=3)
plt.axvline(0, color="gray", linewidth=1)
plt.xlabel("gain in mAP50, with its 95 % interval")
plt.gca().invert_yaxis()
plt.tight_layout()
plt.show()

# %% [markdown]
# The mean hides where a class won and another lost:

# %%
import polars

before, after = (report.by_class for report in comparison.reports)
polars.DataFrame(
    {
        "class": list(before),
        "shipped": [round(score.map50, 3) for score in before.values()],
        "night": [round(after[name].map50, 3) for name in before],
    }
)

# %% [markdown]
# ## A rollout simulated
#
# The offline comparison says which model is better on these frames. A rollout finds out on the street: in shadow,
# then on 5, 25, 50 and 100 % of the cameras. `decide` is a pure function of evidence and policy, so a policy is
# simulated before it is trusted: on challengers of known quality, how often is the harmful one promoted, how many
# cameras does it reach, how long does the better one take? `streetloop rollout simulate` prints the same.

# %%
from serve.rollout.policy import Policy
from serve.rollout.policy_simulation import simulate_policy

outcomes = simulate_policy(Policy(), runs=24)
for kind in ("harmful", "equal", "better"):
    result = outcomes[kind]
    print(
        f"{kind:8} promoted {result['promoted']:.0%}, rolled back {result['rolled_back']:.0%}, "
        f"served at most {result['most_share_served']:.0%} of the cameras, "
        f"minutes until then {result['minutes_until_promoted'] or result['minutes_until_rolled_back']}"
    )
folder.cleanup()

# %% [markdown]
# How a rollout decides: [concepts](../docs/concepts.md#how-a-new-model-takes-over). What a policy can say:
# [operations](../docs/operations.md#rollouts).
