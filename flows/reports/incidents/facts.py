"""The fact sheet of a stretch of time: numbers from the ledger, before any text."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from statistics import median

from flows.reports.incidents.find import find_incidents
from streetloop.control.report_views import (
    ApiAvailability,
    CameraDrift,
    CameraOutage,
    IncidentView,
    LearningFacts,
    ReportView,
    RolloutFact,
)
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.incidents import read_events
from streetloop.ledger.events import Event
from streetloop.ledger.findings import list_findings
from streetloop.ledger.learning import LearningRun, Step, list_learning
from streetloop.ledger.line_counts import sum_crossings
from streetloop.ledger.lookups.review_waits import count_answered
from streetloop.ledger.reviews import count_reviews
from streetloop.ledger.rollouts import Rollout, RolloutState, list_decisions, list_rollouts
from streetloop.ledger.service.request_counts import sum_requests

_MAX_ROWS = 10_000
_CAMERA_LOST = "camera_lost"
_TARGET = 0.999  # of the availability of POST /predict


def read_facts(
    ledger: Ledger, since: datetime, until: datetime, cameras: Collection[str] | None = None
) -> ReportView:
    """Read everything that a report says.

    Args:
        ledger: The ledger; incidents that are new get their number in it.
        since: Begin of the time (UTC).
        until: Its end (UTC).
        cameras: Only what concerns these; None for all.

    Returns:
        A report without text.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    events = [e for e in read_events(ledger, since, until) if _concerns(e, cameras)]
    incidents = [one for one in find_incidents(ledger, since, until) if _touches(one, cameras)]
    counts = sum_crossings(ledger, since, until)
    labels = {state.value: count for state, count in count_reviews(ledger).items()}
    return ReportView(
        since=since,
        until=until,
        incidents=incidents,
        counts={name: n for name, n in counts.items() if cameras is None or name in cameras},
        drift=_drift(ledger, since, until, cameras),
        rollouts=_rollouts(ledger, since, until),
        faults=dict(Counter(event.kind for event in events).most_common()),
        labels={**labels, "answered": count_answered(ledger, since, until)},
        cameras=_outages(events, since, until),
        learning=_learning(ledger, since, until),
        predict=_predict(ledger, since, until),
    )


def _concerns(event: Event, cameras: Collection[str] | None) -> bool:
    named = {event.camera_id, *event.detail.get("cameras", [])}
    return cameras is None or not named.isdisjoint(cameras)


def _touches(incident: IncidentView, cameras: Collection[str] | None) -> bool:
    return cameras is None or not set(incident.cameras).isdisjoint(cameras)


def _outages(events: Iterable[Event], since: datetime, until: datetime) -> list[CameraOutage]:
    lost_s: Counter[str] = Counter()
    outages: Counter[str] = Counter()
    for event in events:
        if event.kind == _CAMERA_LOST and event.camera_id is not None:
            end = min(event.ended_at or until, until)
            lost_s[event.camera_id] += max(0, round((end - max(event.started_at, since)).total_seconds()))
            outages[event.camera_id] += 1
    whole_s = max((until - since).total_seconds(), 1.0)
    return [
        CameraOutage(
            camera_id=name,
            lost_minutes=round(seconds / 60, 1),
            outages=outages[name],
            availability=round(max(0.0, 1 - seconds / whole_s), 5),
        )
        for name, seconds in lost_s.most_common()
    ]


def _predict(ledger: Ledger, since: datetime, until: datetime) -> ApiAvailability | None:
    requests, failed = sum_requests(ledger, "/predict", since, until)
    if not requests:
        return None
    return ApiAvailability(
        requests=requests,
        failed=failed,
        availability=round(1 - failed / requests, 6),
        target=_TARGET,
        budget_left=round(1 - failed / (requests * (1 - _TARGET)), 3),
    )


def _drift(
    ledger: Ledger, since: datetime, until: datetime, cameras: Collection[str] | None
) -> list[CameraDrift]:
    found = []
    for finding in list_findings(ledger, most=_MAX_ROWS):
        in_time = finding.opened_at <= until and (finding.closed_at is None or finding.closed_at >= since)
        if in_time and (cameras is None or finding.camera_id in cameras):
            first = next(iter(finding.causes), None)
            found.append(
                CameraDrift(
                    camera_id=finding.camera_id,
                    since=finding.since,
                    until=finding.closed_at,
                    cause=None if first is None else first.name,
                    probability=None if first is None else first.probability,
                )
            )
    return found


def _rollouts(ledger: Ledger, since: datetime, until: datetime) -> list[RolloutFact]:
    found = []
    for rollout in list_rollouts(ledger, _MAX_ROWS):
        if rollout.started_at <= until and (rollout.ended_at is None or rollout.ended_at >= since):
            decisions = list_decisions(ledger, rollout.id)
            found.append(
                RolloutFact(
                    id=rollout.id,
                    state=rollout.state.value,
                    model=rollout.model,
                    champion=rollout.champion,
                    started_at=rollout.started_at,
                    ended_at=rollout.ended_at,
                    reason=decisions[-1].reason if decisions else None,
                )
            )
    return found


def _learning(ledger: Ledger, since: datetime, until: datetime) -> LearningFacts:
    runs = [
        run
        for run in list_learning(ledger, most=_MAX_ROWS)
        if run.started_at <= until and (run.ended_at is None or run.ended_at >= since)
    ]
    ended = [run for run in runs if run.ended_at is not None and run.ended_at <= until]
    promoted = [run for run in ended if run.step is Step.PROMOTED]
    rolled_back = [
        one
        for one in list_rollouts(ledger, _MAX_ROWS)
        if one.state is RolloutState.ROLLED_BACK and one.ended_at and since <= one.ended_at <= until
    ]
    return LearningFacts(
        runs=len(runs),
        promoted=len(promoted),
        promoted_share=round(len(promoted) / len(ended), 3) if ended else None,
        drift_to_promotion_h=_hours([run for run in promoted if run.trigger.get("kind") == "drift"]),
        label_to_promotion_h=_hours([run for run in promoted if run.trigger.get("kind") == "labels"]),
        rollback_h=_hours(rolled_back),
    )


def _hours(found: Sequence[LearningRun] | Sequence[Rollout]) -> float | None:
    """Median hours from begin to end."""
    hours = [(one.ended_at - one.started_at).total_seconds() / 3600 for one in found if one.ended_at]
    return round(median(hours), 1) if hours else None
