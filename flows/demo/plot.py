"""The plot of a demo: the champion's true mAP50 over time, with every step marked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from flows.demo.ground_truth import AccuracyCurve
from flows.reports.page import hide_frame, png_data

_BEFORE, _AFTER, _SOFT = "#7a8794", "#1f6feb", "#5b6b7b"


def _between(
    minutes: Sequence[float], values: Sequence[float], first: float, last: float
) -> tuple[list[float], list[float]]:
    """The part of a line from one minute to another, with its ends.

    >>> _between([1, 2, 3], [0.0, 0.5, 1.0], 2.5, 9)
    ([2.5, 3.0], [0.75, 1.0])
    """
    ends = {float(at) for at in (first, last) if minutes[0] < at < minutes[-1]}
    part = sorted(ends | {float(at) for at in minutes if first <= at <= last})
    return part, np.interp(part, minutes, values).tolist() if part else []


def plot_curve(curve: AccuracyCurve, marks: Sequence[tuple[float, str]]) -> str:
    """A PNG, as base64.

    Args:
        curve: What to show.
        marks: Seconds and words of what began then; the one that is called ``promoted`` is where
            the other model takes over.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained", dpi=120)
    axes = figure.subplots()
    minutes = [at / 60 for at in curve.at_s]
    promoted = next((at / 60 for at, word in marks if word == "promoted"), float("inf"))
    for name, colour, label, served in (
        ("before", _BEFORE, "the champion until then", (0.0, promoted)),
        ("after", _AFTER, "the new champion", (promoted, float("inf"))),
    ):
        values = curve.map50[name]
        axes.plot(minutes, values, color=colour, lw=1, ls=":", alpha=0.9)
        axes.plot(*_between(minutes, values, *served), color=colour, lw=2.6, label=label)
    axes.plot([], [], color=_SOFT, lw=1, ls=":", label="where it did not serve")
    for k, (at, word) in enumerate(marks):
        axes.axvline(at / 60, color=_SOFT, lw=0.8, ls="--")
        axes.annotate(
            word,
            (at / 60, 1.0 - 0.075 * (k % 4)),
            fontsize=8.5,
            color=_SOFT,
            xytext=(3, 0),
            textcoords="offset points",
            va="top",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("minutes", fontsize=9)
    axes.set_ylabel("mAP50", fontsize=9)
    axes.legend(
        frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2
    )
    hide_frame(axes)
    return png_data(figure)
