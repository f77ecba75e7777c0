"""Two versions are chosen, and compared by what is on record of both."""

import json
from typing import Any

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app import panels
from serve.web.app.forms.field_faults import SHOW_FAULTS, fault_holder, field_id, judged
from serve.web.app.notices import require
from serve.web.app.render import render
from streetloop.control.evaluation_control import NewEvaluation
from streetloop.control.port import Control
from streetloop.control.versions.comparison import VersionComparisonView
from streetloop.control.versions.comparison_details import ComparisonDetailsView, CurvePairView
from streetloop.control.views import ModelView
from streetloop.errors import ConfigError, FieldsInvalid, StreetloopError

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_MAX_CHARTS = 12
_FORM = "compare"


def compare_panel(control: Control, tab: gr.Tab, author: str) -> None:
    """Build the choice and the comparison in the open tab.

    Args:
        control: Knows the versions.
        tab: The tab; the versions are listed anew when it is selected.
        author: Who asks for evaluations of both.
    """
    gr.HTML("<h2>Compare two versions</h2>")
    with gr.Row(elem_classes="sl-choices"):
        first = gr.Dropdown(
            [], label="First", interactive=True, min_width=140, elem_id=field_id(_FORM, "first")
        )
        second = gr.Dropdown(
            [], label="Second", interactive=True, min_width=140, elem_id=field_id(_FORM, "second")
        )
        measure = gr.Button("Evaluate both on one dataset", size="sm", scale=0, elem_classes="sl-operator")
    shown, faults = gr.HTML(), fault_holder()

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

    def evaluate(request: gr.Request, one: str | None, other: str | None) -> str:
        require(request, Role.OPERATOR)
        said, wrong = judged(_FORM, ("first", "second"), lambda: evaluate_both(control, one, other, author))
        if said is not None:
            gr.Info(said)
        return wrong

    measure.click(evaluate, choice, faults, **_QUIET).success(None, faults, js=SHOW_FAULTS, **_QUIET)


def evaluate_both(control: Control, first: str | None, second: str | None, author: str) -> str:
    """Queue an evaluation of two versions on the dataset that one of them was trained from.

    Args:
        control: Carries it out.
        first: Number of one version.
        second: Number of the other one, whose dataset is taken if it has one.
        author: Who asks.

    Returns:
        What will happen, in one sentence.

    Raises:
        ConfigError: They are not two versions, or neither has a dataset.
    """
    known = {str(model.number): model for model in control.models()}
    pair = [known[name] for name in (second, first) if name in known]
    if len(pair) < 2 or first == second:
        why = "choose two versions"
        raise FieldsInvalid(why, {"second" if len(pair) == 2 or first in known else "first": why})
    dataset = next((model.dataset for model in pair if model.dataset), None)
    if dataset is None:
        raise ConfigError("neither was trained from a dataset here; POST /evaluations names any dataset")
    wanted = [NewEvaluation(model=str(model.number), dataset=dataset) for model in reversed(pair)]
    one, other = (control.start_evaluation(each, author).id for each in wanted)
    return f"Evaluations {one} and {other} are queued on dataset {dataset[:12]}; running streams do them."


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


def comparison_values(control: Control, comparison: VersionComparisonView) -> dict[str, Any]:
    """What the template of a comparison needs.

    Args:
        control: Knows curves and frames.
        comparison: The two versions.
    """
    reach = max([2 * comparison.margin, *(abs(row.difference or 0) for row in comparison.rows)])
    details = None
    if comparison.evaluations is not None:
        details = control.compare_details(str(comparison.first), str(comparison.second))
    curves = None if details is None else json.dumps(charted(details))
    return {"comparison": comparison, "reach": reach, "details": details, "curves": curves}


def charted(details: ComparisonDetailsView) -> dict[str, Any]:
    """What the page draws: all classes together, then those with the largest differences.

    Args:
        details: Has the curves.
    """

    def difference(pair: CurvePairView) -> float:
        return abs(pair.second_area - pair.first_area)

    whole, *classes = details.curves
    most = sorted(classes, key=difference, reverse=True)[: _MAX_CHARTS - 1]
    return {
        "recalls": details.recalls,
        "names": [f"version {details.first}", f"version {details.second}"],
        "charts": [
            {
                "title": pair.name or "all classes",
                "curves": [pair.first, pair.second],
                "areas": [pair.first_area, pair.second_area],
            }
            for pair in (whole, *most)
        ],
        "more": max(0, len(classes) - len(most)),
    }


def _drawn(control: Control, first: str | None, second: str | None) -> str:
    if first is None or second is None:
        return render("comparison", comparison=None, details=None)
    return render("comparison", **comparison_values(control, control.compare_versions(first, second)))


def _name(model: ModelView) -> str:
    return f"{model.number}{' (' + ', '.join(model.aliases) + ')' if model.aliases else ''}"
