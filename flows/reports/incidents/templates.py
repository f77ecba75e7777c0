"""The report in sentences, by templates: every number, name and time of a sentence is a fact."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo

from streetloop.control.report_views import IncidentView, ReportView, Sentence

_MAX_INCIDENTS, _MAX_CAMERAS, _MAX_ROLLOUTS, _NAMED = 20, 5, 10, 3


def write_sentences(report: ReportView, zone: tzinfo) -> list[Sentence]:
    """The sentences of a report.

    Args:
        report: Its facts.
        zone: The time zone of its times.
    """
    sentences = [*_overview(report, zone), *_incidents(report, zone), *_outages(report)]
    return [
        *sentences,
        *_drift(report),
        *_rollouts(report),
        *_learning(report),
        *_service(report),
        *_labels(report),
    ]


def fill(template: str, **facts: object) -> Sentence:
    """A sentence with its facts, as they are written in it.

    >>> fill("{camera} was lost.", camera="a40").facts
    {'camera': 'a40'}
    """
    said = {name: str(value) for name, value in facts.items()}
    return Sentence(sentence=template.format(**said), source="template", facts=said)


def _overview(report: ReportView, zone: tzinfo) -> Iterator[Sentence]:
    time = {"since": _time(report.since, zone), "until": _time(report.until, zone)}
    total = len(report.incidents)
    if not total:
        yield fill("Nothing happened between {since} and {until}.", **time)
        return
    what = "was {incidents} incident" if total == 1 else "were {incidents} incidents"
    yield fill("There " + what + " between {since} and {until}.", incidents=total, **time)
    lasting = sum(1 for one in report.incidents if one.ended_at is None)
    if lasting:
        yield fill("Of these, {open} " + ("goes on." if lasting == 1 else "go on."), open=lasting)
    if total > _MAX_INCIDENTS:
        yield fill("The newest {shown} of them follow.", shown=_MAX_INCIDENTS)


def _incidents(report: ReportView, zone: tzinfo) -> Iterator[Sentence]:
    for one in report.incidents[:_MAX_INCIDENTS]:
        facts = {"incident": one.id, "cause": one.cause, "from": _time(one.started_at, zone), **_where(one)}
        where = _where_words(one)
        if one.ended_at is None:
            yield fill("Incident {incident}" + where + ": {cause}, since {from}.", **facts)
        else:
            facts["to"] = _time(one.ended_at, zone)
            yield fill("Incident {incident}" + where + ": {cause}, from {from} to {to}.", **facts)


def _where(incident: IncidentView) -> dict[str, str]:
    if not incident.cameras:
        return {}
    facts = {"cameras": ", ".join(incident.cameras[:_NAMED])}
    others = len(incident.cameras) - _NAMED
    return facts | ({"others": str(others)} if others > 0 else {})


def _where_words(incident: IncidentView) -> str:
    if not incident.cameras:
        return ""
    return " at {cameras} and {others} more" if len(incident.cameras) > _NAMED else " at {cameras}"


def _outages(report: ReportView) -> Iterator[Sentence]:
    for one in report.cameras[:_MAX_CAMERAS]:
        yield fill(
            "Camera {camera} was lost for {minutes} minutes;"
            " it was available for {availability} % of the time.",
            camera=one.camera_id,
            minutes=f"{one.lost_minutes:g}",
            availability=f"{100 * one.availability:.2f}",
        )


def _drift(report: ReportView) -> Iterator[Sentence]:
    if not report.drift:
        return
    cameras = len({one.camera_id for one in report.drift})
    template = "Drifts that were open: {drifts}; cameras with one: {cameras}"
    facts: dict[str, object] = {"drifts": len(report.drift), "cameras": cameras}
    causes = Counter(one.cause for one in report.drift if one.cause)
    if causes:
        template += "; most often from {cause}"
        facts["cause"] = causes.most_common(1)[0][0]
    yield fill(template + ".", **facts)


def _rollouts(report: ReportView) -> Iterator[Sentence]:
    for one in report.rollouts[:_MAX_ROLLOUTS]:
        facts = {"rollout": one.id, "model": one.model, "champion": one.champion, "state": one.state}
        template = "Rollout {rollout} of version {model} against {champion} is {state}"
        if one.reason:
            template, facts["reason"] = template + ": {reason}", one.reason.rstrip(".")
        yield fill(template + ".", **facts)


def _learning(report: ReportView) -> Iterator[Sentence]:
    learning = report.learning
    if learning.runs:
        yield fill(
            "Learning runs: {runs}; promoted: {promoted}.", runs=learning.runs, promoted=learning.promoted
        )
    if learning.promoted_share is not None:
        yield fill(
            "Of those that ended, {share} % were promoted.", share=f"{100 * learning.promoted_share:g}"
        )
    if learning.label_to_promotion_h is not None:
        yield fill(
            "From labels to the promotion of their model took {hours} hours, in the median.",
            hours=f"{learning.label_to_promotion_h:g}",
        )
    if learning.drift_to_promotion_h is not None:
        yield fill(
            "From a drift to the promotion of its model took {hours} hours, in the median.",
            hours=f"{learning.drift_to_promotion_h:g}",
        )
    if learning.rollback_h is not None:
        yield fill(
            "Rollouts that were rolled back had lasted {hours} hours, in the median.",
            hours=f"{learning.rollback_h:g}",
        )


def _service(report: ReportView) -> Iterator[Sentence]:
    if report.predict is not None:
        yield fill(
            "Of {requests} requests for detections, {failed} failed: {availability} % were answered, and the"
            " target is {target} %; {budget} % of the error budget are left.",
            requests=report.predict.requests,
            failed=report.predict.failed,
            availability=f"{100 * report.predict.availability:.3f}",
            target=f"{100 * report.predict.target:g}",
            budget=f"{100 * report.predict.budget_left:.0f}",
        )
    for one in report.pedestrians[:_MAX_ROLLOUTS]:
        yield fill(
            "In {city}, version {version} found {recall} % of {people} labeled pedestrians.",
            city=one.city,
            version=one.version,
            recall=f"{100 * one.recall:.1f}",
            people=one.people,
        )


def _labels(report: ReportView) -> Iterator[Sentence]:
    waiting = report.labels.get("pending", 0) + report.labels.get("pushed", 0)
    answered = report.labels.get("answered", 0)
    if waiting or answered:
        yield fill(
            "Frames labeled: {answered}; waiting for an answer: {waiting}.",
            answered=answered,
            waiting=waiting,
        )
    if report.counts:
        yield fill(
            "Line crossings counted: {crossings}; cameras that counted: {cameras}.",
            crossings=sum(report.counts.values()),
            cameras=len(report.counts),
        )


def _time(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
