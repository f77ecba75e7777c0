"""Everything that looks after the cameras while they run."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flows.runtime.observers import Observers
from flows.stream.analysis.status import CameraStatus
from flows.stream.sources.registry import open_source
from streetloop.camera_set import CameraSetWatcher
from streetloop.cameras import Camera
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError, StreetloopError

if TYPE_CHECKING:
    from flows.runtime.supervisor import Supervisor
    from flows.runtime.web_publisher import WebPublisher
    from flows.runtime.worker import WorkerPlan


class SessionLoop:
    """Takes changes of the fleet up, listens, and tells the app; `look` is called twice a second.

    Args:
        book: Which cameras are to run.
        supervisor: Runs them.
        observers: Hear what they found.
        web_publisher: Tells the app, if there is one.
        plan: What workers for some more cameras are to do.
        say: Called with a sentence for people.
    """

    def __init__(
        self,
        book: CameraSetWatcher,
        supervisor: "Supervisor",
        observers: Observers,
        web_publisher: "WebPublisher | None",
        plan: Callable[[Sequence[Camera]], "list[WorkerPlan]"],
        say: Callable[[str], None],
    ) -> None:
        self._book, self._supervisor, self._observers = book, supervisor, observers
        self._web_publisher, self._plan, self._say = web_publisher, plan, say
        self._said: str | None = None
        self._left: set[str] = set()

    def look(self) -> Mapping[str, CameraStatus]:
        """Every camera that is to run, and those that ran, as they are now."""
        try:
            self._adjust()
            self._said = None
        except StreetloopError as error:
            if str(error) != self._said:  # once is enough: it is tried again at the next look
                self._said = str(error)
                self._say(self._said)
        self._observers.observe(self._supervisor)
        if self._left:  # after the last that they had to say
            self._observers.leave(self._left)
            self._left = set()
        statuses = self._supervisor.poll()
        if self._web_publisher is not None:
            self._web_publisher.tell(self._book.cameras, statuses, self._supervisor)
        return statuses

    @property
    def finished(self) -> bool:
        """True if nothing will happen any more; with an app, somebody may still add a camera."""
        return self._web_publisher is None and self._supervisor.finished

    def _adjust(self) -> None:
        changed = self._book.look()
        if changed.gone:
            self._supervisor.drop(changed.gone)
        come = [camera for camera in changed.come if self._can_run(camera)]
        for plan in self._plan(come):
            self._supervisor.add(plan)
        started = {camera.id for camera in come}
        stopped = set(changed.gone) - started
        self._left |= stopped
        for names, what in ((started, "started"), (stopped, "stopped")):
            if names:
                self._say(f"cameras: {', '.join(sorted(names))} {what}")

    def _can_run(self, camera: Camera) -> bool:
        """False, and said, of one that another version of us may have written down."""
        try:
            open_source(camera, SystemClock())
        except ConfigError as error:
            self._say(str(error))
            return False
        return True
