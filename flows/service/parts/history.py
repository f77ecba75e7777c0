"""Charts over time."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flows.reports.drift_status import DriftStatus
from flows.service.history import quality_charts, stream_charts
from flows.service.history.lag_causes import LOOK_BACK, explain_lag
from flows.service.history.measured_chart import measured_chart
from flows.service.history.timeline import Timeline, timeline
from flows.service.parts.events import EventService
from streetloop.control.history.charts import ChartName, ChartView, RemarkView
from streetloop.errors import ConfigError
from streetloop.ledger.events import MEASURED, MOST, list_events
from streetloop.ledger.history.answers import list_answers
from streetloop.ledger.history.camera_minutes import read_camera_minutes
from streetloop.ledger.learning import open_learning
from streetloop.ledger.rollouts import list_rollouts
from train.model.find_model import has_registry, open_registry

_MAX_ROLLOUTS = 1000
_OF_STREAMS = {
    ChartName.FPS: stream_charts.fps_chart,
    ChartName.LAG: stream_charts.lag_chart,
    ChartName.DROPS: stream_charts.drops_chart,
    ChartName.OBJECTS: stream_charts.objects_chart,
}


class HistoryService(EventService):
    """See `streetloop.control.port.Control`."""

    def charts(
        self, names: list[ChartName], camera_id: str | None, since: str, until: str | None = None
    ) -> list[ChartView]:
        """See `Control.charts`."""
        line = timeline(since, until, datetime.now(UTC), self.zone)
        return [self._chart(name, camera_id, line) for name in names]

    def explain_lag(self, camera_id: str) -> list[RemarkView]:
        """See `Control.explain_lag`."""
        now = datetime.now(UTC)
        view = self.camera(camera_id)
        minutes = read_camera_minutes(self._ledger, camera_id, now - LOOK_BACK, now + LOOK_BACK)
        run = open_learning(self._ledger)
        step = None if run is None else str(run.step)
        return explain_lag(view, list(minutes.values()), self._settings, step)

    def _chart(self, name: ChartName, camera_id: str | None, line: Timeline) -> ChartView:
        if name in _OF_STREAMS:
            return _OF_STREAMS[name](self._ledger, line, camera_id)
        if name is ChartName.CROSSINGS:
            cameras = [camera_id] if camera_id else [camera.id for camera in self._cameras()]
            return stream_charts.crossings_chart(self._ledger, line, cameras)
        if name is ChartName.DRIFT:
            return quality_charts.drift_chart(line, self._watched(camera_id), camera_id)
        if name is ChartName.CONFIDENCE:
            return quality_charts.confidence_chart(line, self._watched(camera_id))
        if name is ChartName.LABELS:
            answers = list_answers(self._ledger, line.start, line.end, camera_id)
            return quality_charts.labels_chart(line, answers)
        versions = open_registry(self._settings).versions() if has_registry(self._settings) else []
        rollouts = list_rollouts(self._ledger, _MAX_ROLLOUTS)
        if name is ChartName.MEASURED:
            events = list_events(self._ledger, camera_id, MEASURED, most=MOST)
            return measured_chart(line, events, versions, quality_charts.rollout_bands(line, rollouts))
        return quality_charts.accuracy_chart(line, versions, rollouts)

    def _watched(self, camera_id: str | None) -> Mapping[str, DriftStatus]:
        """Drift by camera; none where nothing was watched yet."""
        try:
            return self._drift_status(camera_id)
        except ConfigError:
            return {}
