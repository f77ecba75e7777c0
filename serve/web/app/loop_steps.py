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
    """

    name: str
    tab: str
    state: str
    text: str


def loop_steps(control: Control) -> list[LoopStep]:
    """The steps from streams to the rollout, as they are now."""
    health = control.health()
    runs, rollouts = control.learning(0, 1).items, control.rollouts(0, 1).items
    return [
        LoopStep(
            "Streams",
            "streets",
            _NOW if health.live else _WAITS,
            f"{health.live} of {health.cameras} cameras are detected, tracked and counted",
        ),
        _drift(control),
        _labels(control),
        _training(runs[0] if runs else None),
        _rollout(rollouts[0] if rollouts else None),
    ]


def _drift(control: Control) -> LoopStep:
    found = control.events(None, "drift", only_open=False, offset=0, limit=1).items
    if not found:
        text = "each camera is compared with its own past; night or fog will show here"
        return LoopStep("Drift", "drift", _WAITS, text)
    newest = found[0]
    causes = newest.detail.get("causes") or [{"name": "a change"}]
    over = " (over)" if newest.ended_at is not None else ""
    state = _DONE if newest.ended_at is not None else _NOW
    return LoopStep("Drift", "drift", state, f"{newest.camera_id}: {causes[0]['name']}{over}")


def _labels(control: Control) -> LoopStep:
    counts = control.queue().counts
    waiting = counts.get("pending", 0) + counts.get("pushed", 0)
    labeled = counts.get("labeled", 0) + counts.get("in dataset", 0)
    if not waiting and not labeled:
        text = "frames that the model is unsure of will be asked about"
        return LoopStep("Labels", "review", _WAITS, text)
    state = _NOW if waiting else _DONE
    return LoopStep("Labels", "review", state, f"{labeled} frames labeled, {waiting} wait for an answer")


def _training(run: LearningView | None) -> LoopStep:
    if run is None:
        return LoopStep("Training", "models", _WAITS, "drift or enough labels start it")
    state = _DONE if run.ended_at is not None or run.step == "rollout" else _NOW
    return LoopStep("Training", "models", state, f"run {run.id}: {run.step}")


def _rollout(rollout: RolloutView | None) -> LoopStep:
    if rollout is None:
        text = "a better version will be tried in shadow, then on 5, 25, 50 and 100 %"
        return LoopStep("Rollout", "rollout", _WAITS, text)
    if rollout.ended_at is not None:
        return LoopStep("Rollout", "rollout", _DONE, f"version {rollout.model} is {rollout.state}")
    return LoopStep("Rollout", "rollout", _NOW, f"version {rollout.model}: {rollout.phase}")
