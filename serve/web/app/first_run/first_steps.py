"""The steps from an empty installation to counts: what is done, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass

from streetloop.control.views import CameraView

_BASELINE = "baseline-"
"""What the versions of the shipped model begin with."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step of a new installation.

    Attributes:
        name: For people.
        tab: Where it is done, as the address names it.
        done: Whether it is.
        text: How it stands, or how it is done.
    """

    name: str
    tab: str
    done: bool
    text: str


def first_steps(cameras: Sequence[CameraView]) -> list[FirstStep]:
    """The steps, in the order in which people take them.

    Args:
        cameras: Every camera, as it is now.
    """
    return [_camera(cameras), _picture(cameras), _line(cameras), _model(cameras)]


def _camera(cameras: Sequence[CameraView]) -> FirstStep:
    if cameras:
        text = "1 camera" if len(cameras) == 1 else f"{len(cameras)} cameras"
    else:
        text = "try the simulated city by a button below, or give an address: Test shows its picture first"
    return FirstStep("Add a camera", "cameras", bool(cameras), text)


def _picture(cameras: Sequence[CameraView]) -> FirstStep:
    live = [camera for camera in cameras if camera.state == "live"]
    wrong = next((f"{camera.id}: {camera.error}" for camera in cameras if camera.error), None)
    if live:
        text = f"{len(live)} of {len(cameras)} cameras are live"
    elif wrong is not None:
        text = wrong
    else:
        text = "it connects within seconds" if cameras else "it appears here, with boxes and tracks"
    return FirstStep("See it live", "streets", bool(live), text)


def _line(cameras: Sequence[CameraView]) -> FirstStep:
    drawn = sum(len(camera.lines) for camera in cameras)
    text = "drag it across the road on a still; whatever crosses it is counted, by class and direction"
    if drawn:
        text = "1 line counts" if drawn == 1 else f"{drawn} lines count"
    return FirstStep("Draw a line", "zones", bool(drawn), text)


def _model(cameras: Sequence[CameraView]) -> FirstStep:
    real = sorted(camera.id for camera in cameras if not camera.uri.startswith("sim:"))
    model = next((camera.model for camera in cameras if camera.model), None)
    is_baseline = model is None or model.startswith(_BASELINE)
    if real and is_baseline:
        text = (
            f"the shipped baseline knows the simulated city alone, and {real[0]} is a real street: "
            "start again with --model yolov8n.pt, or try a version of the registry under Rollout"
        )
    elif model is None:
        text = "the shipped baseline is for the simulated city; a real street needs --model yolov8n.pt"
    else:
        text = f"{model} detects"
    return FirstStep("Choose a model", "models", model is not None and not (real and is_baseline), text)
