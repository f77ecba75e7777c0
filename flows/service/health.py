"""The health of a service: what fails now, in sentences."""

from collections.abc import Callable, Sequence

from streetloop.control.views import CameraView, HealthView
from streetloop.errors import StreetloopError


def health_of(cameras: Callable[[], Sequence[CameraView]], *, has_report: bool) -> HealthView:
    """What fails now.

    Args:
        cameras: Gives the cameras; an error of it is a problem.
        has_report: Whether there is a report of the demo.
    """
    try:
        found, problems = cameras(), []
    except StreetloopError as error:
        found, problems = [], [str(error)]
    problems += [f"{camera.id}: {camera.error}" for camera in found if camera.error]
    problems += sorted({fault for camera in found for fault in camera.faults})
    if found and all(camera.state == "stopped" for camera in found):
        problems.append("no stream runs")
    live = [camera for camera in found if camera.state == "live"]
    return HealthView(
        ok=not problems,
        cameras=len(found),
        live=len(live),
        model=next((camera.model for camera in live if camera.model), None),
        problems=problems,
        report=has_report,
    )
