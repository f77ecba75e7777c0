"""Two versions are chosen, and compared by what is on record of both."""

from typing import Any

import gradio as gr

from serve.web.app import panels
from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.control.versions.comparison import VersionComparisonView
from streetloop.control.views import ModelView
from streetloop.errors import StreetloopError

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def compare_panel(control: Control, tab: gr.Tab) -> None:
    """Build the choice and the comparison in the open tab.

    Args:
        control: Knows the versions.
        tab: The tab; the versions are listed anew when it is selected.
    """
    gr.HTML("<h2>Compare two versions</h2>")
    with gr.Row(elem_classes="sl-choices"):
        first = gr.Dropdown([], label="First", interactive=True, min_width=140)
        second = gr.Dropdown([], label="Second", interactive=True, min_width=140)
    shown = gr.HTML()

    def draw(one: str | None, other: str | None) -> str:
        return panels.drawn(lambda control: _drawn(control, one, other), control)

    def open_tab(one: str | None, other: str | None) -> list[Any]:
        try:
            models = control.models()
        except StreetloopError:  # the drawing says why
            return [gr.skip(), gr.skip(), draw(one, other)]
        known = [(_name(model), str(model.number)) for model in models]
        numbers = {number for _, number in known}
        if one not in numbers or other not in numbers:
            one, other = usual_pair(models)
        return [gr.update(choices=known, value=one), gr.update(choices=known, value=other), draw(one, other)]

    choice = [first, second]
    tab.select(open_tab, choice, [*choice, shown], **_QUIET)
    for dropdown in choice:
        dropdown.input(draw, choice, shown, **_QUIET)


def usual_pair(models: list[ModelView]) -> tuple[str | None, str | None]:
    """The pair that is compared before anything is chosen: a version with scores and its parent.

    Args:
        models: All versions, the newest first.
    """
    numbers = [model.number for model in models]
    born = [model for model in models if model.parent in numbers]
    made = next((model for model in born if model.scores), next(iter(born), None))
    if made is not None:
        return str(made.parent), str(made.number)
    second, first = [*map(str, numbers), None, None][:2]
    return first, second


def rows_in_words(comparison: VersionComparisonView) -> dict[str, Any]:
    """What the template of a comparison needs.

    Args:
        comparison: The two versions.
    """
    reach = max([2 * comparison.margin, *(abs(row.difference or 0) for row in comparison.rows)])
    return {"comparison": comparison, "reach": reach}


def _drawn(control: Control, first: str | None, second: str | None) -> str:
    if first is None or second is None:
        return render("comparison", comparison=None)
    return render("comparison", **rows_in_words(control.compare_versions(first, second)))


def _name(model: ModelView) -> str:
    return f"{model.number}{' (' + ', '.join(model.aliases) + ')' if model.aliases else ''}"
