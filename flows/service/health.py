"""The health of a service: what fails now, in sentences."""

from collections.abc import Callable, Iterator, Sequence

from streetloop.control.alert_views import SinkView
from streetloop.control.views import CameraView, HealthView, LearningView
from streetloop.errors import StreetloopError


def health_of(
    cameras: Callable[[], Sequence[CameraView]],
    parked_run: Callable[[], LearningView | None],
    sinks: Callable[[], Sequence[SinkView]],
    *,
    has_report: bool,
) -> HealthView:
    """What fails now.

    Args:
        cameras: Gives the cameras; an error of it is a problem.
        parked_run: Gives the parked learning run, which blocks others; an error of it is a problem.
        sinks: Gives the event sinks; an error of it is a problem.
        has_report: Whether there is a report of the demo.
    """
    problems: list[str] = []
    try:
        found = cameras()
        parked = parked_run()
    except StreetloopError as error:
        found, parked = [], None
        problems.append(str(error))
    problems += _problems(found, parked)
    try:
        told = list(sinks())
    except StreetloopError as error:
        told, problems = [], list(dict.fromkeys([*problems, str(error)]))
    problems += [_away(sink) for sink in told if sink.state == "away"]
    live = [camera for camera in found if camera.state == "live"]
    return HealthView(
        ok=not problems,
        cameras=len(found),
        live=len(live),
        model=next((camera.model for camera in live if camera.model), None),
        problems=problems,
        report=has_report,
        sinks=told,
    )


def _problems(cameras: Sequence[CameraView], parked: LearningView | None) -> Iterator[str]:
    yield from (f"{camera.id}: {camera.error}" for camera in cameras if camera.error)
    yield from sorted({fault for camera in cameras for fault in camera.faults})
    if cameras and all(camera.state == "stopped" for camera in cameras):
        yield "no stream runs"
    if parked is not None:
        why = f": {parked.reason}" if parked.reason else ""
        yield f"learning run {parked.id} is parked, so none begins; resume it or drop it{why}"


def _away(sink: SinkView) -> str:
    since = f"{sink.failing_since:%Y-%m-%d %H:%M} UTC"
    return f"sink {sink.name} is away since {since}, and {sink.waiting} changes wait: {sink.error}"
