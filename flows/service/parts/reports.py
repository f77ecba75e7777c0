"""Incidents, the incident report, and traces."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.reports.incidents.embeddings import embed
from flows.reports.incidents.facts import read_facts
from flows.reports.incidents.find import find_incident, find_incidents, past_incidents
from flows.reports.incidents.html import report_html
from flows.reports.incidents.past_cases import past_cases
from flows.reports.incidents.pedestrians import read_pedestrians
from flows.reports.incidents.similar import most_similar
from flows.reports.incidents.templates import write_sentences
from flows.reports.incidents.vector_index import VECTORS_FILE
from flows.reports.incidents.wording import word_sentences
from flows.reports.questions.answer import answer_question
from flows.reports.tracing.asked import parse_asked
from flows.reports.tracing.tracer import Tracer
from flows.service.parts.state import ServiceState
from streetloop.control.report_views import AnswerView, IncidentView, ReportView, SimilarIncident, TraceView
from streetloop.local_time import parse_moment

_MAX_PAST = 5000


class ReportService(ServiceState):
    """See `streetloop.control.port.Control`."""

    def incident_report(
        self, since: str = "24h", cameras: Sequence[str] = (), *, worded: bool = True
    ) -> ReportView:
        """See `Control.incident_report`."""
        now = datetime.now(UTC)
        begin = parse_moment(since, now, self.zone)
        report = read_facts(self._ledger, begin, now, set(cameras) or None)
        similar = past_cases(report.incidents, self._ledger)
        cities = {camera.id: camera.city for camera in self._file}
        pedestrians = read_pedestrians(self._ledger, now, cities)
        report = report.model_copy(update={"similar": similar, "pedestrians": pedestrians})
        sentences = write_sentences(report, self.zone)
        if not worded:
            return report.model_copy(update={"text": sentences})
        said = word_sentences(sentences, self._settings)
        text = {"text": said.sentences, "replaced": said.replaced, "notes": said.notes}
        return report.model_copy(update=text)

    def incident_page(self, report: ReportView) -> str:
        """See `Control.incident_page`."""
        return report_html(report, self._ledger, self._store, self.zone)

    def incidents(self, since: str) -> list[IncidentView]:
        """See `Control.incidents`."""
        now = datetime.now(UTC)
        return find_incidents(self._ledger, parse_moment(since, now, self.zone), now)

    def similar_incidents(self, incident: int, limit: int) -> list[SimilarIncident]:
        """See `Control.similar_incidents`."""
        asked = find_incident(self._ledger, incident)
        index = self._settings.home / VECTORS_FILE
        past = past_incidents(self._ledger, _MAX_PAST)
        return most_similar(asked, past, limit, lambda texts: embed(texts, index))

    def trace(self, asked: str) -> TraceView:
        """See `Control.trace`."""
        return Tracer(self._settings, self._ledger, self._store).trace(parse_asked(asked))

    def ask(self, question: str) -> AnswerView:
        """See `Control.ask`."""
        now, state = datetime.now(UTC), (self._ledger, self._store, self._settings)
        return answer_question(question, *state, [camera.id for camera in self._file], now, self.zone)
