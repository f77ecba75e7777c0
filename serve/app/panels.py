"""What the tabs show, as HTML; each function asks the house and renders."""

from collections.abc import Callable

from serve.app.render import render
from streetloop.control import Control
from streetloop.errors import StreetloopError

Draw = Callable[[Control], str]

_RUNS, _EVENTS, _FRAMES = 10, 30, 24


def header(control: Control) -> str:
    """The line over everything: is all well, and what is under way?"""
    health = control.health()
    runs = control.learning(0, 1).items
    rollouts = control.rollouts(0, 1).items
    drifting = control.events(None, "drift", only_open=True, offset=0, limit=200).items
    learning = runs[0].step if runs and runs[0].ended_at is None else None
    rollout = rollouts[0].phase if rollouts and rollouts[0].ended_at is None else None
    return render(
        "header", health=health, drifting=len({event.camera_id for event in drifting}),
        learning=learning, rollout=rollout,
    )  # fmt: skip


def counts(control: Control) -> str:
    """Crossings and alerts."""
    events = control.events(None, None, only_open=False, offset=0, limit=_EVENTS).items
    return render("counts", cameras=control.cameras(), events=events)


def drift(control: Control) -> str:
    """Drift by camera; those that drift first."""
    return render("drift", states=sorted(control.drift(), key=lambda state: not state.drifts))


def review(control: Control) -> str:
    """The review queue."""
    return render("review", queue=control.queue(), reviews=control.reviews(None, 0, _FRAMES).items)


def models(control: Control) -> str:
    """Versions and learning runs."""
    return render("models", models=control.models(), runs=control.learning(0, _RUNS).items)


def rollout(control: Control) -> str:
    """The newest rollout."""
    newest = control.rollouts(0, 1).items
    return render("rollout", rollout=control.rollout(newest[0].id) if newest else None)


def health(control: Control) -> str:
    """Frame accounting, and what is wrong."""
    cameras = control.cameras()
    frames = {camera.id: camera.frames.model_dump() for camera in cameras}
    return render("health", health=control.health(), cameras=cameras, frames=frames)


def drawn(draw: Draw, control: Control) -> str:
    """A panel, or one sentence why there is none."""
    try:
        return draw(control)
    except StreetloopError as error:
        return render("trouble", text=str(error))
