"""What people may see and do while the streams run.

The commands, the API and the app ask through `Control`, and know nothing else of the flows.
"""

from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Protocol

from streetloop.control import views
from streetloop.control.alert_control import AlertControl
from streetloop.control.archive_control import ArchiveControl
from streetloop.control.camera_control import CameraControl
from streetloop.control.cities.city_control import CityControl
from streetloop.control.evaluation_control import EvaluationControl
from streetloop.control.event_control import EventControl
from streetloop.control.history.charts import HistoryControl
from streetloop.control.label_control import LabelControl
from streetloop.control.learning_control import LearningControl
from streetloop.control.report_control import ReportControl
from streetloop.control.rollout_control import RolloutControl

MAX_PAGE_SIZE = 200
MAX_OFFSET = 100_000
MIN_WIDTH, DEFAULT_WIDTH, MAX_WIDTH = 160, 640, 1280
"""Of live pictures, in pixels."""


class Control(
    ArchiveControl,
    AlertControl,
    CameraControl,
    CityControl,
    EvaluationControl,
    EventControl,
    HistoryControl,
    LabelControl,
    LearningControl,
    ReportControl,
    RolloutControl,
    Protocol,
):
    """Every operation of a control service. Calls may take seconds, and may come from many threads.

    An ``author`` is the name of whoever asks; it is written down with the change. An ``offset`` is
    the number of items to skip, a ``limit`` the most to return.

    Raises:
        NotFound: Something that was named does not exist.
        LedgerError: The ledger cannot be read or written.
        StoreError: The object store does not answer.
        RegistryError: The model registry does not answer.
    """

    @property
    def zone(self) -> tzinfo:
        """The time zone in which people read times."""

    def health(self) -> views.HealthView:
        """Whether everything runs, and what does not."""

    def report_page(self) -> str:
        """The illustrated report that the demo wrote into the home, HTML.

        Raises:
            NotFound: There is none.
        """


class Pictures(Protocol):
    """The newest annotated pictures of running cameras."""

    async def newest(
        self, after: Mapping[str, int], width: int = DEFAULT_WIDTH, cameras: Collection[str] | None = None
    ) -> dict[str, tuple[int, bytes]]:
        """Number and JPEG by camera, of cameras with a picture newer than in ``after``.

        Args:
            after: The last number seen, by camera.
            width: Of every picture, in pixels; from `MIN_WIDTH` to `MAX_WIDTH`.
            cameras: Only of these; None for all.
        """
