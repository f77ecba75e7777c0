"""Which worker reads which cameras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import reads_this_machine
from serve.rollout.route_table import RouteTable
from streetloop.alerting.sink_config import EventSinks
from streetloop.cameras.camera_file import Camera
from streetloop.settings import Settings
from train.model.contract import ANY_SIZE, ModelInput

NAME = "worker"
"""What the names of all workers begin with; a number follows."""


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one worker is to do.

    Attributes:
        name: Tells its objects in the detection log from those of other workers.
        cameras: The cameras that it reads; all of one site.
        settings: The settings of the run; ``home`` is absolute.
        run: Name of the run, as in ``detections/run=NAME`` of the object store.
        names: Class names of the model.
        annotate: Folder for annotated videos, or None.
        model_input: The images that the model takes.
        generation: Raised by every restart, and above that of all workers that ever read one of
            the cameras; keeps track ids and objects of the log apart.
        routes: Which application answers for which camera at the start.
        sinks: Who is sent detections, by name, with the values of variables.
        before: Status of its cameras that ran earlier, in another process.
    """

    name: str
    cameras: Sequence[Camera]
    settings: Settings
    run: str
    names: tuple[str, ...]
    annotate: Path | None
    model_input: ModelInput = ANY_SIZE
    generation: int = 0
    routes: RouteTable = field(default_factory=RouteTable)
    sinks: EventSinks = field(default_factory=dict)
    before: Mapping[str, CameraStatus] = field(default_factory=dict)

    @property
    def site(self) -> str | None:
        """Where its cameras are; None for anywhere."""
        return self.cameras[0].site if self.cameras else None

    @property
    def is_bound(self) -> bool:
        """True if it must run on the machine of the command, whose files or devices it reads."""
        return self.annotate is not None or any(map(reads_this_machine, self.cameras))


class Planner:
    """Groups cameras into workers.

    Args:
        settings: The settings of the run; ``cameras_per_worker`` bounds a group.
        run: Name of the run, as in ``detections/run=NAME`` of the object store.
        names: Class names of the model.
        annotate: Folder for annotated videos, or None.
        model_input: The images that the model takes.
        sinks: Who is told of events; those with ``detections`` are sent detections.
        first: Number of the first worker.
    """

    def __init__(
        self,
        settings: Settings,
        run: str,
        names: tuple[str, ...],
        annotate: Path | None,
        model_input: ModelInput = ANY_SIZE,
        sinks: EventSinks | None = None,
        first: int = 0,
    ) -> None:
        self._sinks = {name: sink for name, sink in (sinks or {}).items() if sink.detections}
        self._settings = settings.model_copy(update={"home": settings.home.absolute()})
        self._run, self._names, self._model_input = run, names, model_input
        self._annotate = None if annotate is None else annotate.absolute()
        self._count = first

    def plan(self, cameras: Sequence[Camera]) -> list[WorkerPlan]:
        """As few workers as hold the cameras; no two plans of a planner have the same name.

        Cameras of different sites do not share a worker, nor do those that read files of this
        machine and others.
        """
        size = self._settings.cameras_per_worker
        alike: dict[tuple[str | None, bool], list[Camera]] = {}
        for camera in cameras:
            alike.setdefault((camera.site, reads_this_machine(camera)), []).append(camera)
        groups = [
            same[start : start + size] for same in alike.values() for start in range(0, len(same), size)
        ]
        first, self._count = self._count, self._count + len(groups)
        return [
            WorkerPlan(
                f"{NAME}{first + i}",
                group,
                self._settings,
                self._run,
                self._names,
                self._annotate,
                self._model_input,
                sinks=self._sinks,
            )
            for i, group in enumerate(groups)
        ]
