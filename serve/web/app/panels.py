"""What the tabs show, as HTML; each function asks the control service and renders."""

from collections.abc import Callable

from serve.web.app.render import render
from streetloop.control.port import Control
from streetloop.errors import StreetloopError

Draw = Callable[[Control], str]

_MAX_RUNS, _MAX_EVENTS, _MAX_FRAMES = 10, 30, 24
_FEATURE_HINTS = {
    "brightness": "how light the picture is",
    "contrast": "how far light and dark are apart",
    "sharpness": "how much fine detail there is; little of it in fog or behind a dirty lens",
    "colourfulness": "how far colours are from gray",
    "saturation": "how strong colours are",
    "noise": "grain, as a sensor has it in the dark",
    "confidence": "how sure the model is of what it finds",
    "detections": "how many objects it finds in a frame",
    "box_area": "how large they are",
    "speed": "how fast they move",
    "fragmentation": "how often the track of one object breaks",
    "classes": "the mix of cars, people and so on",
}
_STATE_HINTS = {
    "candidate": "selected from the stream, not chosen yet",
    "pending": "chosen, waiting for the labeler",
    "pushed": "with the labeler",
    "labeled": "labelled, not learned from yet",
    "in dataset": "part of what a model was trained on",
    "rejected": "skipped, or the answer could not be used",
    "expired": "nobody was asked in time",
}


def header(control: Control) -> str:
    """The line over everything: is all well, and what is under way?"""
    health = control.health()
    runs = control.learning(0, 1).items
    rollouts = control.rollouts(0, 1).items
    drifting = control.events(None, "drift", only_open=True, offset=0, limit=200).items
    learning = runs[0].step if runs and runs[0].ended_at is None else None
    rollout = rollouts[0].phase if rollouts and rollouts[0].ended_at is None else None
    return render(
        "header",
        health=health,
        drifting=len({event.camera_id for event in drifting}),
        learning=learning,
        rollout=rollout,
    )


def counts(control: Control) -> str:
    """Crossings and alerts."""
    events = control.events(None, None, only_open=False, offset=0, limit=_MAX_EVENTS).items
    return render("counts", cameras=control.cameras(), events=events)


def drift(control: Control) -> str:
    """Drift by camera; those that drift first."""
    states = sorted(control.drift(), key=lambda state: not state.drifts)
    return render("drift", states=states, hints=_FEATURE_HINTS)


def review(control: Control) -> str:
    """The review queue."""
    newest = control.reviews(None, 0, _MAX_FRAMES).items
    return render("review", queue=control.queue(), reviews=newest, hints=_STATE_HINTS)


def models(control: Control) -> str:
    """Versions and learning runs."""
    return render("models", models=control.models(), runs=control.learning(0, _MAX_RUNS).items)


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
