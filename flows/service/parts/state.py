"""What the parts of the control service share: settings, ledger, store."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TypeVar

from flows.service.lazily import Lazily
from serve.rollout.policy import Policy
from streetloop.cameras.camera_file import Camera
from streetloop.control.views import CameraView, Page
from streetloop.ledger import Ledger, open_ledger
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.storage.store import ObjectStore

_PATIENCE_S = 4.0  # of a write that somebody waits for

T = TypeVar("T")
V = TypeVar("V")


class ServiceState:
    """What the parts of the control service work on.

    Args:
        settings: Where state is kept, which model serves and who labels.
        file: Cameras of the camera file.
        policy: Of rollouts that are started here.
        live: The cameras that run, as they are now; none while no stream runs.
        tell: Called with a sentence when something takes long, or cannot be read.
        default_model: The model of the settings without flags and camera file; None if unknown.
    """

    def __init__(
        self,
        settings: Settings,
        file: Sequence[Camera] = (),
        policy: Policy | None = None,
        live: Callable[[], Sequence[CameraView]] = tuple,
        tell: Callable[[str], None] = lambda _: None,
        default_model: str | None = None,
    ) -> None:
        self._settings, self._file, self._live, self._tell = settings, file, live, tell
        self._policy, self._default_model = policy or Policy(), default_model
        self._open_ledger = Lazily(lambda: open_ledger(settings.ledger, _PATIENCE_S))
        self._open_store = Lazily(lambda: open_store(settings))

    @property
    def zone(self) -> tzinfo:
        """See `Control.zone`."""
        return self._settings.zone

    @property
    def _ledger(self) -> Ledger:
        return self._open_ledger()

    @property
    def _store(self) -> ObjectStore:
        return self._open_store()


def page_of(found: Sequence[T], view: Callable[[T], V], offset: int, limit: int) -> Page[V]:
    """The first ``limit`` of what was found, as views; one found more says that more follow."""
    return Page(items=[view(one) for one in found[:limit]], offset=offset, more=len(found) > limit)
