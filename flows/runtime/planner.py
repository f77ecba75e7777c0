"""Which worker reads which cameras."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serve.rollout.route_table import RouteTable
from streetloop.cameras import Camera
from streetloop.settings import Settings
from train.model.contract import ANY_SIZE, ModelInput


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one worker is to do.

    Attributes:
        name: Tells its objects in the detection log from those of other workers.
        cameras: The cameras that it reads.
        settings: The settings of the run; ``home`` is absolute.
        run: Name of the run, as in ``detections/run=NAME`` of the object store.
        names: Class names of the model.
        annotate: Folder for annotated videos, or None.
        model_input: The images that the model takes.
        generation: Raised by every restart, and above that of all workers that ever read one of
            the cameras; keeps track ids and objects of the log apart.
        routes: Which application answers for which camera at the start.
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


class Planner:
    """Groups cameras into workers.

    Args:
        settings: The settings of the run; ``cameras_per_worker`` bounds a group.
        run: Name of the run, as in ``detections/run=NAME`` of the object store.
        names: Class names of the model.
        annotate: Folder for annotated videos, or None.
        model_input: The images that the model takes.
    """

    def __init__(
        self,
        settings: Settings,
        run: str,
        names: tuple[str, ...],
        annotate: Path | None,
        model_input: ModelInput = ANY_SIZE,
    ) -> None:
        self._settings = settings.model_copy(update={"home": settings.home.absolute()})
        self._run, self._names, self._model_input = run, names, model_input
        self._annotate = None if annotate is None else annotate.absolute()
        self._count = 0

    def plan(self, cameras: Sequence[Camera]) -> list[WorkerPlan]:
        """As few workers as hold the cameras; no two plans of a planner have the same name."""
        size = self._settings.cameras_per_worker
        groups = [cameras[start : start + size] for start in range(0, len(cameras), size)]
        first, self._count = self._count, self._count + len(groups)
        return [
            WorkerPlan(
                f"worker{first + i}",
                group,
                self._settings,
                self._run,
                self._names,
                self._annotate,
                self._model_input,
            )
            for i, group in enumerate(groups)
        ]
