"""``streetloop report --html``: the incident report as one page without links."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from flows.reports.page import jpeg_data, render_page
from streetloop.control.report_views import IncidentView, ReportView
from streetloop.errors import ImageUnreadable, StoreError
from streetloop.images import decode_image
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.incidents import events_by_id
from streetloop.storage.store import ObjectStore

_SHOWN, _FRAMES, _BINS, _ROWS = 200, 12, 24, 30
_PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True)
class _Bar:
    """Incidents that began in a part of the time; the height is in per cent of the highest."""

    height: float
    count: int
    label: str


@dataclass(frozen=True, slots=True)
class _Evidence:
    incident: int
    key: str
    data: str


def report_html(report: ReportView, ledger: Ledger, store: ObjectStore, zone: tzinfo = UTC) -> str:
    """The report as HTML that needs nothing else.

    Args:
        report: The report.
        ledger: Knows the evidence of events.
        store: Holds the evidence; frames that are gone are left out.
        zone: The time zone of its times.
    """
    shown = report.incidents[:_SHOWN]
    return render_page(
        "incidents",
        report=report,
        zone=str(zone),
        since=_minute(report.since, zone),
        until=_minute(report.until, zone),
        incidents=shown,
        like={case.incident: case for case in report.similar},
        left_out=len(report.incidents) - len(shown),
        lasting=sum(1 for one in report.incidents if one.ended_at is None),
        cameras=report.cameras[:_ROWS],
        drift=report.drift[:_ROWS],
        counts=list(report.counts.items())[:_ROWS],
        bars=_bars(report, zone),
        frames=_frames(shown, ledger, store),
        when=lambda moment: _minute(moment, zone),
    )


def _bars(report: ReportView, zone: tzinfo) -> list[_Bar]:
    width = (report.until - report.since) / _BINS or timedelta(seconds=1)
    found = Counter(
        min(max(int((one.started_at - report.since) / width), 0), _BINS - 1) for one in report.incidents
    )
    most = max(found.values(), default=0)
    return [
        _Bar(100 * found[k] / most if most else 0.0, found[k], _minute(report.since + k * width, zone))
        for k in range(_BINS)
    ]


def _frames(incidents: Sequence[IncidentView], ledger: Ledger, store: ObjectStore) -> list[_Evidence]:
    incident_of = {event: one.id for one in incidents for event in one.events}
    found: list[_Evidence] = []
    for event in reversed(events_by_id(ledger, incident_of.keys())):
        for key in event.evidence:
            if len(found) == _FRAMES:
                return found
            if key.lower().endswith(_PICTURES) and (data := _picture(store, key)) is not None:
                found.append(_Evidence(incident_of[event.id], key, data))
    return found


def _picture(store: ObjectStore, key: str) -> str | None:
    try:
        return jpeg_data(decode_image(store.get(key)))
    except (StoreError, ImageUnreadable):
        return None


def _minute(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
