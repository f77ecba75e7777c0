# %% [markdown]
# # Drift anatomy
#
# A traffic camera is never the same twice: clouds pass, queues form, and neighboring minutes resemble each other.
# Tests that take minutes for independent samples therefore alarm all the time. This notebook watches three hours in
# which nothing changes, and then the fall of night: by two textbook tests and by the watch of `streetloop run`. It
# runs offline in half a minute, without Ray.
#
# How the watch decides is in [concepts](../docs/concepts.md).

# %%
from datetime import UTC, datetime, timedelta

import numpy as np

from drift.measurement.features import NAMES
from drift.measurement.image_features import cells_of, edges_of, measure_image
from drift.measurement.period import DriftPeriod
from drift.series import background_of
from streetloop.city.address import parse_address
from streetloop.city.view import View

QUIET, AFTER, PICTURES = 180, 30, 4  # minutes as always, minutes of the fall of night, pictures a minute
street = parse_address(f"sim://kingsport/crossing?size=480x270&seed=5&condition=night@{QUIET * 60}:300")
view, noon = View(street), datetime(2026, 6, 1, 11, tzinfo=UTC)
step = round(60 * street.fps / PICTURES)

# %% [markdown]
# ## What is measured
#
# A period is a minute: features of its pictures, and of what is found in them. Here the truth of the simulated
# street stands for the detector.

# %%
periods = []
for minute in range(QUIET + AFTER):
    frames = [(minute * PICTURES + k) * step for k in range(PICTURES)]
    pictures = [view.render(frame) for frame in frames]
    measured = [measure_image(picture) for picture in pictures]
    scenery = background_of([edges_of(one) for one in pictures], [cells_of(one) for one in pictures])
    values = dict.fromkeys(NAMES, float("nan"))
    values |= {name: float(np.mean([one[name] for one in measured])) for name in measured[0]}
    values |= {"detections": float(np.mean([len(view.truth(frame).clear()) for frame in frames]))}
    periods.append(
        DriftPeriod(
            *("crossing", noon + timedelta(minutes=minute), 60.0, "truth", PICTURES, PICTURES, values, {}),
            *(street.width, street.height, street.fps, False, scenery.edges),
            cells=scenery.cells,
        )
    )
print(len(periods), "periods of", sorted(name for name, value in values.items() if value == value))

# %% [markdown]
# ## Why it is hard
#
# A minute knows of the next: the bars are the autocorrelation of each feature at a lag of one minute. Where one is
# above the dotted line, sixty minutes are worth fewer than sixty independent ones. And with several features, and a
# look each minute, a level of 5 % is passed by chance again and again.

# %%
import matplotlib.pyplot as plt

known = [*measured[0], "detections"]
series = np.array([[period.values[name] for name in known] for period in periods])
varies = [len(np.unique(one.round(4))) > QUIET // 4 for one in series[:QUIET].T]
features, series = [name for name, does in zip(known, varies, strict=True) if does], series[:, varies]
quiet = series[:QUIET]
plt.figure(figsize=(7, 2.2), dpi=70)
plt.bar(features, [np.corrcoef(one[:-1], one[1:])[0, 1] for one in quiet.T], color="#0f766e")
plt.axhline(1.96 / np.sqrt(QUIET), color="gray", linestyle=":")
plt.xticks(rotation=30, ha="right")
plt.ylabel("autocorrelation")
plt.show()

# %% [markdown]
# ## Two textbook tests
#
# Each minute the last fifteen minutes are compared with the hour before, by Kolmogorov and Smirnov's test and by
# Student's, at a level of 5 %, feature by feature. One alarm of any feature is an alarm.

# %%
from scipy.stats import ks_2samp, ttest_ind

WINDOW, PAST = 15, 60
alarms = {"Kolmogorov-Smirnov": [], "Student": []}
for minute in range(WINDOW + PAST, len(periods)):
    past, now = series[minute - WINDOW - PAST : minute - WINDOW], series[minute - WINDOW : minute]
    for name, test in zip(alarms, (ks_2samp, ttest_ind), strict=True):
        if any(test(past[:, k], now[:, k]).pvalue < 0.05 for k in range(len(features))):
            alarms[name].append(minute)
watched = QUIET - WINDOW - PAST
for name, minutes in alarms.items():
    false = sum(minute < QUIET for minute in minutes)
    print(f"{name}: alarm in {false} of {watched} minutes in which nothing had changed")

# %% [markdown]
# ## The watch
#
# It learns what is usual for this camera, allows for the autocorrelation, controls false discoveries over all
# features and cameras, asks for a large effect, and for three periods in a row.

# %%
from drift.change import ChangeKind, WatchPolicy
from drift.fleet import FleetWatch

watch, findings = FleetWatch(WatchPolicy()), []
for period in periods:
    findings += [change for change in watch.take([period]) if change.kind is ChangeKind.DRIFT]
false = sum(change.at < noon + timedelta(minutes=QUIET) for change in findings)
print(f"the watch: {false} findings in {QUIET} minutes in which nothing had changed")
first = findings[0]
delay = (first.at - noon).total_seconds() / 60 - QUIET
causes = ", ".join(f"{cause.name} {cause.probability:.0%}" for cause in first.causes)
print(f"night is found {delay:.0f} minutes after it begins to fall; causes: {causes}")

# %%
plt.figure(figsize=(8, 2.6), dpi=70)
brightness = series[:, features.index("brightness")]
plt.plot(brightness, color="#334155", linewidth=1)
plt.axvspan(QUIET, QUIET + 5, color="#1e293b", alpha=0.15, label="night falls")
for k, (name, minutes) in enumerate(alarms.items()):
    plt.plot(
        minutes,
        np.full(len(minutes), brightness.min() - 0.05 * (k + 1)),
        ".",
        markersize=3,
        label=f"{name}: alarm",
    )
plt.axvline(QUIET + delay, color="#dc2626", label="the watch: finding")
plt.xlabel("minutes")
plt.ylabel("brightness")
plt.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
plt.show()

# %% [markdown]
# `python -m benchmarks.drift_detection` measures this on a hundred cameras and five kinds of drift:
# see [benchmarks](../docs/benchmarks.md).
