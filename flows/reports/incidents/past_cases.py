"""Have we seen this before? For the newest incidents of a report."""

from collections.abc import Sequence

from flows.reports.incidents.find import past_incidents
from flows.reports.incidents.similar import by_words, similar_to_each
from streetloop.control.report_views import IncidentView, PastCase, SimilarIncident
from streetloop.ledger import Ledger

_NEWEST, _MAX_PAST, _COMPARED = 20, 1000, 50
_LIKE = 0.6
"""Least score: of incidents that share kind and scope, but not the cause, it is about 0.5."""


def past_cases(incidents: Sequence[IncidentView], ledger: Ledger) -> list[PastCase]:
    """The past incident that is most like each of the newest; those without one are left out.

    Args:
        incidents: Of the report, the newest first.
        ledger: Has the past ones.
    """
    newest = incidents[:_NEWEST]
    if not newest:
        return []
    past = past_incidents(ledger, _MAX_PAST)
    found = zip(newest, similar_to_each(newest, past, _COMPARED, by_words), strict=True)
    return [case for one, others in found if (case := _earlier(one, others)) is not None]


def _earlier(incident: IncidentView, others: Sequence[SimilarIncident]) -> PastCase | None:
    for other in others:
        past = other.incident
        if other.score < _LIKE:
            return None
        if past.started_at < incident.started_at:
            return PastCase(
                incident=incident.id,
                like=past.id,
                score=other.score,
                started_at=past.started_at,
                cause=past.cause,
                helps=[*past.notes, *past.todo],
            )
    return None
