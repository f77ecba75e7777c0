"""What the tabs show, as HTML; each function asks the control service and renders."""

from collections.abc import Callable
from typing import Any

from serve.web.app.lineage_picture import LANE, ROW, draw_lineage
from serve.web.app.loop_steps import current_step, loop_steps
from serve.web.app.render import render
from serve.web.app.rollout_picture import draw_gain, sides_of, waits_in_words
from streetloop.control.port import Control
from streetloop.control.views import CameraView, RolloutView
from streetloop.errors import StreetloopError

Draw = Callable[[Control], str]

_MAX_RUNS = 10
_MAX_ROLLOUTS = 50
_MAX_EARLIER = 10
_MAX_ROWS, _MAX_CARDS = 100, 60  # cameras that Health and Drift show; more take long to draw
_FEATURE_HINTS = {
    "brightness": "mean lightness of the picture",
    "contrast": "spread of light and dark",
    "sharpness": "amount of fine detail; fog and a dirty lens reduce it",
    "colourfulness": "distance of the colors from gray",
    "saturation": "strength of the colors",
    "noise": "sensor noise; darkness raises it",
    "confidence": "mean confidence of the detections",
    "detections": "detections per frame",
    "box_area": "size of the boxes",
    "speed": "speed of the tracks",
    "fragmentation": "share of tracks shorter than a second",
}
_STATE_HINTS = {
    "candidate": "selected from the stream, not chosen yet",
    "pending": "chosen, waiting to be pushed to the labeler",
    "pushed": "with the labeler",
    "labeled": "labeled, in no dataset yet",
    "in dataset": "part of a training dataset",
    "rejected": "skipped, or the answer could not be used",
    "expired": "not chosen or pushed in time",
}


def header(control: Control) -> str:
    """The status line above the tabs."""
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


def loop(control: Control) -> str:
    """How far the loop is, as five steps that lead to their tabs; nothing without a camera."""
    if not control.cameras():
        return ""
    steps = loop_steps(control)
    return render("loop", control.zone, steps=steps, current=current_step(steps))


def counts(control: Control) -> str:
    """Crossings since the start."""
    return render("counts", control.zone, cameras=control.cameras())


def drift(control: Control) -> str:
    """Drift by camera; drifting cameras come first."""
    states = sorted(control.drift(), key=lambda state: (not state.drifts, not state.features))
    more = max(0, len(states) - _MAX_CARDS)
    return render("drift", control.zone, states=states[:_MAX_CARDS], more=more, hints=_FEATURE_HINTS)


def review(control: Control) -> str:
    """The review queue."""
    return render("review", control.zone, queue=control.queue(), hints=_STATE_HINTS)


def models(control: Control) -> str:
    """Versions and what they came of, and learning runs."""
    rollouts = control.rollouts(0, _MAX_ROLLOUTS).items
    outcomes = {one.model: one.state for one in reversed(rollouts)}
    lineage = draw_lineage(control.models(), outcomes)
    runs = control.learning(0, _MAX_RUNS).items
    return render("models", control.zone, lineage=lineage, lane=LANE, height=ROW, runs=runs)


def rollout(control: Control) -> str:
    """The newest rollout, and what came of those before."""
    found = control.rollouts(0, 1 + _MAX_EARLIER).items
    newest = control.rollout(found[0].id) if found else None
    return render("rollout", control.zone, **rollout_values(newest), earlier=found[1:])


def rollout_values(rollout: RolloutView | None) -> dict[str, Any]:
    """What the template of a rollout needs, but for the rollouts before it.

    Args:
        rollout: With its decisions; None if there is none.
    """
    evidence = {} if rollout is None else rollout.evidence
    return {
        "rollout": rollout,
        "chart": None if rollout is None else draw_gain(rollout),
        "waits": waits_in_words(evidence.get("waits_for", [])),
        "sides": sides_of(evidence.get("cameras", {})),
    }


def report(control: Control) -> str:
    """The incident report of the last day, by templates."""
    return render("report", control.zone, report=control.incident_report("24h", worded=False))


def health(control: Control) -> str:
    """Problems, and the frame accounting of each camera; those with problems come first."""

    def is_well(camera: CameraView) -> bool:
        return camera.state == "live" and not camera.error and not camera.faults

    cameras = sorted(control.cameras(), key=is_well)
    rest = cameras[_MAX_ROWS:]
    well = all(is_well(camera) for camera in rest)
    shown = cameras[:_MAX_ROWS]
    return render("health", health=control.health(), cameras=shown, more=len(rest), more_are_well=well)


def drawn(draw: Draw, control: Control) -> str:
    """A panel as HTML, or the reason why it is not available.

    Args:
        draw: Draws the panel.
        control: What it asks.
    """
    try:
        return draw(control)
    except StreetloopError as error:
        return render("trouble", text=str(error))
