"""`streetloop.control.port.Control` over ledger, registry and store, for commands, API and app."""

from pathlib import Path

from flows.service.health import health_of
from flows.service.parts.alerts import AlertService
from flows.service.parts.archive import ArchiveService
from flows.service.parts.cities import CityService
from flows.service.parts.datasets import DatasetService
from flows.service.parts.evaluations import EvaluationService
from flows.service.parts.history import HistoryService
from flows.service.parts.labels import LabelService
from flows.service.parts.learning import LearningService
from flows.service.parts.reports import ReportService
from flows.service.parts.rollouts import RolloutService
from streetloop.control.views import HealthView
from streetloop.errors import NotFound

REPORT_FILE = "report.html"
"""The illustrated report of a run, in its home; ``GET /report`` serves it."""


class ControlService(
    AlertService,
    ArchiveService,
    CityService,
    DatasetService,
    EvaluationService,
    HistoryService,
    LabelService,
    LearningService,
    ReportService,
    RolloutService,
):
    """Everything that people may see and do, over the state in a home.

    It is cheap to make: ledger and store are opened at the first call that needs them.

    Args:
        settings: Where state is kept, which model serves and who labels.
        file: Cameras of the camera file.
        policy: Of rollouts that are started here.
        live: The cameras that run, as they are now; none while no stream runs.
        tell: Called with a sentence when something takes long, or cannot be read.
        default_model: The model of the settings without flags and camera file; None if unknown.
    """

    def health(self) -> HealthView:
        """See `Control.health`."""
        return health_of(self.cameras, self.parked_run, self.sinks, has_report=self._report.is_file())

    def report_page(self) -> str:
        """See `Control.report_page`."""
        try:
            return self._report.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotFound("there is no report yet: `streetloop demo` writes one") from None

    @property
    def _report(self) -> Path:
        return self._settings.home / REPORT_FILE
