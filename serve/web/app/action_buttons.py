"""The buttons of Review, Models and Rollout; a button that cannot act now cannot be pressed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from serve.web.access.roles import Role
from serve.web.app.forms.field_faults import SHOW_FAULTS, fault_holder, field_id, judged
from serve.web.app.forms.training_form import city_choices, training_form
from serve.web.app.notices import asked, confirming, require
from serve.web.app.render import render
from serve.web.app.rollout_picture import sides_of
from streetloop.control.port import Control
from streetloop.control.views import RolloutView
from streetloop.errors import FieldsInvalid, StreetloopError

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_ALL_CITIES = "all cities"
_FORM, _VERSION = "rollout", "version"
_PAUSED = "paused"
_START = (
    "the version answers in shadow first, beside the champion and used by nobody; then it serves more and "
    "more cameras, as long as it detects better"
)


@dataclass(frozen=True)
class ButtonAction:
    """What a button does.

    Attributes:
        label: On the button.
        does: Called at a press; returns a sentence for people.
        can: Whether it can act, by the name of the state.
        look: ``primary``, ``secondary`` or ``stop``.
        question: Asked before it acts; None asks nothing.
    """

    label: str
    does: Callable[[], str]
    can: Callable[[str], bool]
    look: Literal["primary", "secondary", "stop"] = "secondary"
    question: str | None = None


@dataclass(frozen=True)
class ButtonRow:
    """The buttons of a tab, and under them what each will do.

    Attributes:
        buttons: Gradio's, in order, and what is under them.
        pressed: What follows a press of each.
        look: Updates of all of them, as they can act now.
    """

    buttons: Sequence[Any]
    pressed: Sequence[Any]
    look: Callable[[], list[Any]]


def rollout_buttons(control: Control, author: str) -> ButtonRow:
    """Buttons that steer the open rollout, and a form that starts one.

    Args:
        control: Carries it out.
        author: Who asks.
    """

    def steer(wanted: str) -> Callable[[], str]:
        return lambda: f"Rollout {control.steer_rollout(wanted, author).id}: {wanted} is requested."

    def state() -> str:
        newest = control.rollouts(0, 1).items
        return newest[0].state if newest and newest[0].ended_at is None else ""

    promote = "Promote the new version now, whatever the evidence says?"
    back = "Roll back now? The champion serves all cameras again."
    actions = [
        ButtonAction("Pause", steer("pause"), lambda now: bool(now) and now != _PAUSED),
        ButtonAction("Resume", steer("resume"), lambda now: now == _PAUSED),
        ButtonAction("Roll back", steer("roll back"), bool, "stop", back),
        ButtonAction("Promote now", steer("promote"), bool, "primary", promote),
    ]
    row = _row(actions, state, lambda: _rollout_effects(control))
    started, fields, start = _start_form(control, author)

    def look() -> list[Any]:
        return [*row.look(), *_choices(control), _may_start(state)]

    return ButtonRow([*row.buttons, *fields, start], [*row.pressed, started], look)


def learning_buttons(control: Control, author: str) -> ButtonRow:
    """A form that begins a learning run, and buttons that resume and drop it.

    Args:
        control: Carries it out.
        author: Who asks.
    """

    def state() -> str:
        newest = control.learning(0, 1).items
        return newest[0].step if newest and newest[0].ended_at is None else ""

    really = "Drop the open run? What it has trained is lost."
    actions = [
        ButtonAction(
            "Resume the parked run",
            lambda: f"Learning run {control.resume_learning(author).id} resumes.",
            lambda now: now == "parked",
        ),
        ButtonAction(
            "Drop the open run",
            lambda: f"Learning run {control.drop_learning(author).id} is dropped.",
            bool,
            "stop",
            really,
        ),
    ]
    city, started = training_form(control, author)
    row = _row(actions, state, lambda: _learning_effects(control))

    def look() -> list[Any]:
        return [*row.look(), city_choices(control)]

    return ButtonRow([*row.buttons, city], [*row.pressed, started], look)


def review_buttons(control: Control, author: str) -> ButtonRow:  # noqa: ARG001 - as the others have it
    """A button that asks about rejected frames again."""
    reopen = ButtonAction(
        "Reopen rejected frames",
        lambda: f"{control.reopen_labels(rejected=True)} rejected frames wait for answers again.",
        bool,
    )

    def rejected() -> int:
        return control.queue().counts.get("rejected", 0)

    def effects() -> Mapping[str, str]:
        return {reopen.label: f"{rejected()} frames that were skipped or refused are asked about once more"}

    return _row([reopen], lambda: "yes" if rejected() else "", effects)


def _rollout_effects(control: Control) -> Mapping[str, str]:
    """What each button does to the newest rollout."""
    newest = control.rollouts(0, 1).items
    if not newest:
        return {}
    rollout = newest[0]
    sides = sides_of(rollout.evidence.get("cameras", {}))
    moved, count = sides["challenger"][1], sum(size for _, size in sides.values())
    back = f"{_cameras(moved)} back from version {rollout.model} to version {rollout.champion}"
    return {
        "Pause": "every camera stays on its side, and it does not advance; harm still rolls it back",
        "Resume": f"it goes on from {rollout.phase}, and may advance",
        "Roll back": f"{back}; the rollout is over" if moved else "no camera changes; the rollout is over",
        "Promote now": f"version {rollout.model} becomes the champion and serves "
        f"{f'all {_cameras(count)}' if count > 1 else 'all cameras'}, whatever it still waits for",
    }


def _learning_effects(control: Control) -> Mapping[str, str]:
    """What each button does to the newest learning run."""
    newest = control.learning(0, 1).items
    if not newest:
        return {}
    run = newest[0]
    return {
        "Resume the parked run": f"run {run.id} tries {run.detail.get('parked', 'its step')} again",
        "Drop the open run": f"run {run.id} is over, and what it has trained is lost; labels stay",
    }


def _cameras(count: int) -> str:
    return f"{count} camera{'' if count == 1 else 's'}"


def _row(
    actions: Sequence[ButtonAction], state: Callable[[], str], effects: Callable[[], Mapping[str, str]]
) -> ButtonRow:
    buttons, pressed = [], []
    with gr.Row(elem_classes=["sl-buttons", "sl-operator"]):
        for action in actions:
            button = gr.Button(action.label, variant=action.look, size="sm", scale=0, min_width=90)
            js = None if action.question is None else confirming(action.question)
            pressed.append(button.click(_doing(action), js=js, **_QUIET))
            buttons.append(button)
    under = gr.HTML(elem_classes=["sl-operator"])

    def look() -> list[Any]:
        try:
            now, said = state(), effects()
        except StreetloopError:  # a press says why
            return [*(gr.update(interactive=True) for _ in actions), ""]
        can = [action for action in actions if action.can(now)]
        told = [(action.label, said[action.label]) for action in can if action.label in said]
        updates = [gr.update(interactive=action in can) for action in actions]
        return [*updates, render("button_effects", effects=told) if told else ""]

    return ButtonRow([*buttons, under], pressed, look)


def _doing(action: ButtonAction) -> Callable[[gr.Request], None]:
    def do(request: gr.Request) -> None:
        require(request, Role.OPERATOR)
        gr.Info(asked(action.does))

    return do


def _start_form(control: Control, author: str) -> tuple[Any, list[Any], Any]:
    with gr.Accordion("New rollout", open=False, elem_classes="sl-operator"):
        with gr.Row(equal_height=True):
            version = gr.Dropdown(
                [],
                label="Version",
                info="to try against the champion",
                interactive=True,
                elem_id=field_id(_FORM, _VERSION),
            )
            city = gr.Dropdown(
                [_ALL_CITIES], value=_ALL_CITIES, label="City", info="where it may serve", interactive=True
            )
            start = gr.Button("Start a rollout", variant="primary", scale=0, min_width=160)
        gr.HTML(render("button_effects", effects=[("Start a rollout", _START)]))
    faults = fault_holder()

    def begin(request: gr.Request, version: str | None, city: str | None) -> str:
        require(request, Role.OPERATOR)
        rollout, wrong = judged(_FORM, [_VERSION], lambda: begin_rollout(control, version, city, author))
        if rollout is not None:
            gr.Info(f"Rollout {rollout.id} is requested.")
        return wrong

    started = start.click(begin, [version, city], faults, **_QUIET)
    started.success(None, faults, js=SHOW_FAULTS, **_QUIET)
    return started, [version, city], start


def begin_rollout(control: Control, version: str | None, city: str | None, author: str) -> RolloutView:
    """Start a rollout of what was chosen.

    Args:
        control: Carries it out.
        version: Number of the version.
        city: Where it may serve; nothing, or the choice of all cities, is everywhere.
        author: Who asks.

    Raises:
        FieldsInvalid: No version was chosen.
    """
    if not version:
        why = "choose the version that is to be tried"
        raise FieldsInvalid(why, {_VERSION: why})
    where = None if city in {None, "", _ALL_CITIES} else city
    return control.start_rollout(version, where, author)


def _may_start(state: Callable[[], str]) -> Any:
    """The button that starts a rollout: there is never more than one."""
    try:
        return gr.update(interactive=not state())
    except StreetloopError:  # a press says why
        return gr.update(interactive=True)


def _choices(control: Control) -> list[Any]:
    """The versions that are not the champion, and the cities."""
    try:
        versions = [
            (
                f"{model.number}{' (' + ', '.join(model.aliases) + ')' if model.aliases else ''}",
                str(model.number),
            )
            for model in control.models()
            if "champion" not in model.aliases
        ]
        cities = sorted({view.city for view in control.cameras() if view.city})
    except StreetloopError:  # the panel says why
        return [gr.skip(), gr.skip()]
    return [gr.update(choices=versions), gr.update(choices=[_ALL_CITIES, *cities])]
