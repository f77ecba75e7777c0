"""The watch over running cameras: reads the past from the log, writes findings to the ledger."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from drift.change import Change, ChangeKind, WatchPolicy
from drift.fleet import FleetWatch
from drift.history import MAX_PERIODS, Past
from drift.measurement.period import DriftPeriod
from drift.measurement.stream_faults import FAULTS
from drift.period_log import PeriodLog, read_periods
from drift.watch import NearestFeature
from streetloop.causes import Cause, causes_to_json
from streetloop.errors import LedgerError, StoreError
from streetloop.ledger import Ledger
from streetloop.ledger.events import begin_event, end_event, list_events
from streetloop.ledger.findings import Finding, close_findings, list_findings, open_finding
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore


def policy_of(settings: Settings) -> WatchPolicy:
    """The watch policy that the settings ask for."""
    return WatchPolicy(days_between_false_alarms=settings.drift_days, period_s=settings.drift_period_s)


class LiveWatch:
    """Watches running cameras and records what it finds.

    Args:
        cameras: Ids of the cameras that run.
        settings: ``drift_days`` and ``drift_period_s`` decide when a departure is reported.
        store: Keeps the log of periods.
        ledger: Keeps findings and events.
        training: What the model was trained on, for cameras without enough past; None for none.
        tell: Called with a sentence for people whenever something begins or ends, and once if
            something cannot be written.

    Raises:
        LedgerError: The ledger cannot be read.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: Settings,
        store: ObjectStore,
        ledger: Ledger,
        training: Past | None,
        tell: Callable[[str], None],
    ) -> None:
        self._log = PeriodLog(store)
        self._ledger = ledger
        self._tell, self._zone = tell, settings.zone
        self.faults: list[str] = []
        self._causes: dict[str, tuple[Cause, ...]] = {}
        self._fleet = recall(cameras, settings, store, ledger, training, tell)
        # Events that were open when the watch last stopped end in this run.
        self._events = {
            (camera, event.kind): event.id
            for camera in cameras
            for event in list_events(ledger, camera, only_open=True)
        }

    def take(self, periods: Iterable[DriftPeriod]) -> None:
        """Take the periods that ended; report and record what began or ended.

        A failing store or ledger is reported once and does not stop the streams.
        """
        periods = list(periods)
        for change in self._fleet.take(periods):
            with self._reported():
                self._note(change)
            self._tell(sentence(change, self._zone))
        for period in periods:
            with self._reported():
                self._log.append(period)

    def leave(self, cameras: Collection[str]) -> None:
        """End all events and findings of cameras that were removed."""
        self._events = {where: n for where, n in self._events.items() if where[0] not in cameras}
        for camera in cameras:
            with self._reported():
                end_all(self._ledger, camera, datetime.now(UTC))

    def causes(self) -> dict[str, tuple[Cause, ...]]:
        """Causes of the last drift by camera, likeliest first."""
        return dict(self._causes)

    def nearest(self) -> dict[str, NearestFeature]:
        """By camera, the feature that is nearest to its threshold; any thread may call it."""
        watches = self._fleet.cameras.copy()
        return {name: watch.nearest for name, watch in watches.items() if watch.nearest is not None}

    def close(self) -> None:
        """Write the periods that are not written yet."""
        with self._reported():
            self._log.flush()

    def _note(self, change: Change) -> None:
        kind = change.fault or "drift"
        where = (change.camera_id, kind)
        if change.kind is ChangeKind.DRIFT:
            self._open(change)
        elif change.kind is ChangeKind.DRIFT_OVER:
            close_findings(self._ledger, change.camera_id, change.at)
        if change.kind in {ChangeKind.DRIFT, ChangeKind.FAULT}:
            detail = {"causes": causes_to_json(change.causes)} if change.causes else {}
            self._events[where] = begin_event(
                self._ledger, kind, change.since, change.camera_id, change.model_version, detail=detail
            )
        elif where in self._events:
            end_event(self._ledger, self._events.pop(where), change.at)

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, LedgerError) as error:
            if not self.faults:  # the next would name another object and say the same
                self.faults.append(str(error))
                self._tell(str(error))

    def _open(self, change: Change) -> None:
        self._causes[change.camera_id] = change.causes
        features = {name: result.as_json() for name, result in change.results.items()}
        open_finding(
            self._ledger,
            change.camera_id,
            change.since,
            change.at,
            change.model_version,
            list(change.causes),
            change.asks_for_labels,
            features,
        )


def end_all(ledger: Ledger, camera_id: str, at: datetime) -> None:
    """End every open event and finding of a camera.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        at: The end (UTC).
    """
    for event in list_events(ledger, camera_id, only_open=True):
        end_event(ledger, event.id, at)
    close_findings(ledger, camera_id, at)


def recall(
    cameras: Iterable[str],
    settings: Settings,
    store: ObjectStore,
    ledger: Ledger,
    training: Past | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> FleetWatch:
    """Rebuild the watch as it was when it last stopped, from the log and the ledger.

    A log that cannot be read is reported; the watch continues with what was read.

    Args:
        cameras: Ids of the cameras.
        settings: ``drift_days`` and ``drift_period_s`` decide when a departure is reported.
        store: Keeps the log of periods.
        ledger: Keeps findings and events.
        training: What the model was trained on, for cameras without enough past; None for none.
        tell: Called with a sentence if a log cannot be read.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    fleet = FleetWatch(policy_of(settings), training)
    since = datetime.now(UTC) - timedelta(seconds=MAX_PERIODS * settings.drift_period_s)
    for camera in cameras:
        watch = fleet.camera(camera)
        findings = list_findings(ledger, camera)
        try:
            for period in read_periods(store, camera, since):
                watch.remember(period, clean=not _within(period, findings))
        except StoreError as error:
            tell(f"{camera}: a part of its history cannot be read: {error}")
        if findings and findings[0].closed_at is None:
            watch.resume(_change(findings[0]))
        for event in list_events(ledger, camera, only_open=True):
            if event.kind in FAULTS:
                watch.faults[event.kind] = event.started_at
    return fleet


def sentence(change: Change, zone: tzinfo = UTC) -> str:
    """A change as a sentence, with times of a zone.

    >>> at = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    >>> sentence(Change(ChangeKind.DRIFT, "a40", at, at, "yolo", causes=(Cause("night", 0.93),)))
    'a40: drift since 17:30, most likely night (93 %)'
    """
    since = f"{change.since.astimezone(zone):%H:%M}"
    if change.kind is ChangeKind.DRIFT:
        causes = ", or ".join(str(cause) for cause in change.causes)
        return f"{change.camera_id}: drift since {since}, most likely {causes}"
    if change.kind is ChangeKind.DRIFT_OVER:
        return f"{change.camera_id}: as before; the drift since {since} is over"
    if change.kind is ChangeKind.FAULT:
        return f"{change.camera_id}: {change.fault} since {since}"
    return f"{change.camera_id}: {change.fault} since {since} is over"


def _within(period: DriftPeriod, findings: Iterable[Finding]) -> bool:
    end = period.started_at + timedelta(seconds=period.length_s)
    return any(
        finding.since < end and (finding.closed_at is None or period.started_at < finding.closed_at)
        for finding in findings
    )


def _change(finding: Finding) -> Change:
    return Change(
        ChangeKind.DRIFT,
        finding.camera_id,
        finding.opened_at,
        finding.since,
        finding.model_version,
        causes=tuple(finding.causes),
    )
