"""Line counts over time: a camera and a period are chosen, and drawn."""

from typing import Any

import gradio as gr

from serve.web.app import panels
from serve.web.app.count_chart import draw_counts
from serve.web.app.notices import asked
from serve.web.app.render import render
from streetloop.control.port import Control

_PERIODS = {
    "last hour, by minute": ("1h", "1m"),
    "last 6 hours, by 5 minutes": ("6h", "5m"),
    "last day, by 15 minutes": ("1d", "15m"),
    "last week, by hour": ("7d", "1h"),
    "last 31 days, by day": ("31d", "1d"),
}
"""What is shown at once has at most 200 bars."""

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def count_panel(control: Control, tab: gr.Tab, selected: gr.Textbox, name: str) -> None:
    """Build the choice and the chart in the open tab.

    Args:
        control: Answers the questions.
        tab: The tab; the cameras are listed anew when it is selected.
        selected: Name of the selected tab; the chart is kept fresh while it is ``name``.
        name: Name of the tab.
    """
    gr.HTML("<h2>Crossings over time</h2>")
    with gr.Row(elem_classes="sl-choices"):
        camera = gr.Dropdown([], label="Camera", interactive=True, min_width=160)
        period = gr.Dropdown(
            list(_PERIODS), value=next(iter(_PERIODS)), label="Period", interactive=True, min_width=260
        )
    chart = gr.HTML()

    def draw(camera_id: str | None, period_name: str) -> str:
        return panels.drawn(lambda control: _drawn(control, camera_id, period_name), control)

    def open_tab(camera_id: str | None, period_name: str) -> list[Any]:
        known = [view.id for view in asked(control.cameras) if view.lines]
        chosen = camera_id if camera_id in known else next(iter(known), None)
        return [gr.update(choices=known, value=chosen), draw(chosen, period_name)]

    def refresh(shown: str, camera_id: str | None, period_name: str) -> Any:
        return draw(camera_id, period_name) if shown == name else gr.skip()

    choice = [camera, period]
    tab.select(open_tab, choice, [camera, chart], **_QUIET)
    for one in choice:
        one.input(draw, choice, chart, **_QUIET)
    again = gr.Button("refresh", elem_classes="sl-refresh-slower", visible="hidden")
    again.click(refresh, [selected, *choice], chart, **_QUIET)


def _drawn(control: Control, camera_id: str | None, period_name: str) -> str:
    if camera_id is None:
        return render("counts_over_time", charts=[])
    since, bin_name = _PERIODS.get(period_name, next(iter(_PERIODS.values())))
    return draw_counts(control.line_counts(camera_id, since, bin_name))
