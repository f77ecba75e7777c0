"""Draws docs/img/capacity.svg: nodes over cameras, by kind of GPU.

    python docs/img/make_capacity_plot.py

The background is transparent and the text grey, so that it reads on light and on dark pages.
"""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from flows.capacity.costs import read_costs
from flows.capacity.plan import make_plan

_GREY = "#808080"
_COLOURS = {"none": "#e07b39", "t4": "#3b8ea5", "l4": "#8b6fc0", "a100": "#3fa34d", "h100": "#d0497a"}
_CAMERAS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
_FPS = 10


def main() -> None:
    """Draw it."""
    plt.rcParams.update(
        {"svg.hashsalt": "streetloop", "svg.fonttype": "none", "font.size": 11, "text.color": _GREY}
    )
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    table = read_costs()
    for gpu, colour in _COLOURS.items():
        nodes = [make_plan(cameras, _FPS, gpu, table).nodes for cameras in _CAMERAS]
        axes.plot(_CAMERAS, nodes, marker="o", markersize=3.5, color=colour, label=gpu.upper())
    axes.set(xscale="log", yscale="log", xlabel=f"cameras, {_FPS} frames/s each", ylabel="nodes")
    axes.tick_params(which="both", colors=_GREY)
    axes.xaxis.label.set_color(_GREY)
    axes.yaxis.label.set_color(_GREY)
    axes.grid(visible=True, which="major", color=_GREY, alpha=0.3, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(_GREY)
    axes.legend(frameon=False, labelcolor=_GREY, title="nodes with", title_fontsize=10)
    figure.tight_layout()
    figure.savefig(Path(__file__).with_name("capacity.svg"), transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
