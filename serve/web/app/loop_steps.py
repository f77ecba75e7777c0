"""The five steps of the loop, how far each is, and where to look."""

from dataclasses import dataclass

from streetloop.control.port import Control
from streetloop.control.views import LearningView, RolloutView

_DONE, _NOW, _WAITS = "done", "now", "waits"


@dataclass(frozen=True)
class LoopStep:
    """A step of the loop.

    Attributes:
        name: For people.
        tab: Where it is seen, as the address names it.
        state: ``done``, ``now`` or ``waits``.
        text: How it stands, or what begins it.
        look: What there is to look at while it is open.
    """

    name: str
    tab: str
    state: str
    text: str
    look: str = ""


def loop_steps(control: Control) -> list[LoopStep]:
    """The steps from streams to the rollout, as they are now."""
    health = control.health()
    runs, rollouts = control.learning(0, 1).items, control.rollouts(0, 1).items
    return [
        LoopStep(
            "Streams",
            "streets",
            _NOW if health.live else _WAITS,
            f"{health.live} of {health.cameras} cameras are live",
            "the boxes on the pictures, and the frames a second under them" if health.live else "",
        ),
        _drift(control),
        _labels(control),
        _training(runs[0] if runs else None),
        _rollout(rollouts[0] if rollouts else None),
    ]


def current_step(steps: list[LoopStep]) -> LoopStep | None:
    """The open step that is farthest: what is new is there.

    Args:
        steps: In their order.
    """
    return next((step for step in reversed(steps) if step.state == _NOW), None)


def _drift(control: Control) -> LoopStep:
    found = control.events(None, "drift", only_open=False, offset=0, limit=1).items
    if not found:
        text = "each camera is compared with its own past; night or fog will show here"
        return LoopStep("Drift", "drift", _WAITS, text)
    newest = found[0]
    causes = newest.detail.get("causes") or [{"name": "a change"}]
    told = f"{newest.camera_id}: {causes[0]['name']}"
    if newest.ended_at is not None:
        return LoopStep("Drift", "drift", _DONE, f"{told} (over)")
    return LoopStep("Drift", "drift", _NOW, told, "the bars that pass the mark: that is what changed")


def _labels(control: Control) -> LoopStep:
    queue = control.queue()
    waiting = queue.counts.get("pending", 0) + queue.counts.get("pushed", 0)
    labeled = queue.counts.get("labeled", 0) + queue.counts.get("in dataset", 0)
    if not waiting and not labeled:
        text = "frames that the model is unsure of will be asked about"
        return LoopStep("Labels", "review", _WAITS, text)
    text = f"{labeled} frames labeled, {waiting} wait for an answer"
    if not waiting:
        return LoopStep("Labels", "review", _DONE, text)
    return LoopStep("Labels", "review", _NOW, text, _LABELING.get(queue.labeler, _UNSURE))


def _training(run: LearningView | None) -> LoopStep:
    if run is None:
        return LoopStep("Training", "models", _WAITS, "drift or enough labels start it")
    if run.ended_at is not None or run.step == "rollout":
        return LoopStep("Training", "models", _DONE, f"run {run.id}: {run.step}")
    if run.step == "parked":
        return LoopStep(
            "Training", "models", _NOW, f"run {run.id}: parked", "why it is parked; a button resumes it"
        )
    far = "" if run.training is None else f", {100 * run.training.done:.0f} %"
    look = "how far the run is; the judge's verdict follows"
    return LoopStep("Training", "models", _NOW, f"run {run.id}: {run.step}{far}", look)


def _rollout(rollout: RolloutView | None) -> LoopStep:
    if rollout is None:
        text = "a better version will be tried in shadow, then on 5, 25, 50 and 100 %"
        return LoopStep("Rollout", "rollout", _WAITS, text)
    if rollout.ended_at is not None:
        return LoopStep("Rollout", "rollout", _DONE, f"version {rollout.model} is {rollout.state}")
    look = "the gain and its band: above 0 the new version is better"
    return LoopStep("Rollout", "rollout", _NOW, f"version {rollout.model}: {rollout.phase}", look)


_UNSURE = "the frames that the model is unsure of, with its boxes"
_LABELING = {
    "app": "the frames that wait: you label them there",
    "oracle": "the frames that it is unsure of; the oracle answers",
    "label-studio": "the frames that wait: Label Studio is a click away",
    "none": "the frames that wait; no labeler is set",
}
"""What there is to look at while frames wait, by the labeler."""
