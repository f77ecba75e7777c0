"""Incidents, the incident report, and traces."""

from collections.abc import Sequence
from typing import Protocol

from streetloop.control.report_views import AnswerView, IncidentView, ReportView, SimilarIncident, TraceView


class ReportControl(Protocol):
    """A part of `streetloop.control.port.Control`, which says what all its calls have in common."""

    def incident_report(
        self, since: str = "24h", cameras: Sequence[str] = (), *, worded: bool = True
    ) -> ReportView:
        """What happened, why, what was done, and what is to be done, until now.

        Args:
            since: A time, or a duration before now, see `streetloop.local_time.parse_moment`.
            cameras: Only what concerns these; none for all.
            worded: Let the language model of the settings word it, if they name one.

        Raises:
            ConfigError: ``since`` is no time.
        """

    def incident_page(self, report: ReportView) -> str:
        """A report as an HTML page that needs nothing else, with its evidence frames."""

    def incidents(self, since: str) -> list[IncidentView]:
        """The incidents since a time, the newest first.

        Raises:
            ConfigError: ``since`` is no time.
        """

    def similar_incidents(self, incident: int, limit: int) -> list[SimilarIncident]:
        """Past incidents like one, the most similar first.

        Raises:
            NotFound: There is no incident of that number.
        """

    def trace(self, asked: str) -> TraceView:
        """The way of a frame to its events, label, dataset, versions and rollouts, or back.

        Args:
            asked: ``KIND:ID``, or the name or digest of a frame.

        Raises:
            ConfigError: It is no id.
            NotFound: There is no such thing.
        """

    def ask(self, question: str) -> AnswerView:
        """Answer a question in plain words by a query that only reads.

        Raises:
            ConfigError: The question is of no known form and no language model is set.
            LanguageModelError: The language model did not answer.
        """
