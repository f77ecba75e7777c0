"""The watch over one camera.

A finding opens when the camera departs from its reference in three periods in a row: significantly
(false discoveries are controlled over all cameras and features), by a large effect, and by more
than random variation reaches between two false alarms; or when its view has moved or is covered. It
closes after fifteen periods in which nothing was even unusual, so that a change at its threshold
does not open and close findings in turn.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from drift.causes import diagnose
from drift.change import Change, ChangeKind, WatchPolicy
from drift.comparison import MIN_WINDOW, FeatureResult, too_few
from drift.evidence import Changes
from drift.history import History, Past
from drift.measurement.covering import Covering, compare_cells
from drift.measurement.features import MIN_SPREADS, NAMES
from drift.measurement.period import DriftPeriod
from drift.measurement.stream_faults import RATE, SIZE, faults_of, is_comparable
from drift.measurement.view_change import UNCHANGED, compare_views
from drift.reference import HOUR_OF_DAY, HOUR_OF_WEEK, WINDOW, Column, Reference, build
from drift.scan import MIX_EFFECT, Scan, scan
from drift.statistics import KolmogorovSmirnov
from drift.statistics.page_hinkley import change_start

_OPEN_AFTER, _CLOSE_AFTER = 3, 15  # periods of alarm that open a finding, without any that close it
_UNUSUAL_RARITY, _UNUSUAL_SHARE = 1e-3, 0.5  # so rare, and so much of an alarm, keeps a finding open
_REFRESH = 30  # periods that a reference is kept
_VIEW_EVERY = 3  # periods: a change of the view costs more to compute than all the rest
_LOOK_BACK = 60  # periods in which the beginning of a change is looked for
_ACCEPT_STREAM = 60  # periods after which another size or rate of the stream is its usual one
_MAX_WINDOW_SPAN = 2  # windows of time that a window with gaps may reach back
_STANDING_TRAFFIC = 0.05  # share of a view that a queue of lorries may cover for some periods
_MIX, _VIEW = "class mix", "view"


class NearestFeature(NamedTuple):
    """The feature of a camera that is nearest to its threshold.

    Attributes:
        name: Its name.
        effect_size: Distance from the reference, in spreads.
        threshold: The distance from which on it alarms.
    """

    name: str
    effect_size: float
    threshold: float


class CameraWatch:
    """The watch over one camera.

    Args:
        camera_id: The camera.
        policy: When a departure is reported.
        training: What the model was trained on, for a camera without enough past; None for none.
    """

    def __init__(self, camera_id: str, policy: WatchPolicy, training: Past | None = None) -> None:
        self.camera_id = camera_id
        self.history = History()
        self.version = ""
        self.finding: Change | None = None
        self.faults: dict[str, datetime] = {}
        self.reference: Reference | None = None
        self.at: datetime | None = None
        self._policy = policy
        self._training = training
        self._seed = crc32(camera_id.encode())
        self._refreshed = -np.inf
        self._learned = 0
        self._consecutive_alarms = self._consecutive_quiet = 0
        self._scans = self._seed % _VIEW_EVERY  # cameras take turns
        self.nearest: NearestFeature | None = None
        self.view, self.covering = UNCHANGED, Covering()

    def remember(self, period: DriftPeriod, clean: bool = True) -> None:
        """Take a period from the log after a restart; nothing is reported.

        Args:
            period: The period.
            clean: False if a finding was open then: the period is no reference.
        """
        if self.history.is_late(period):
            return
        self._follow_model(period.model_version)
        comparable = is_comparable(faults_of(period, self.history.usual))
        self._append(period, comparable)
        if clean and comparable:
            self.history.learn_view()
        else:
            self.history.exclude_last_from_reference()

    def resume(self, finding: Change) -> None:
        """Go on with a finding that was open when the watch stopped."""
        self.finding = finding
        if finding.model_version == self.version:  # a newer model has learned what went on
            self.history.exclude_from_reference(finding.since)

    def take(self, period: DriftPeriod) -> tuple[list[Change], bool]:
        """Take a new period.

        Returns:
            The stream faults that began or ended, and whether the period can be compared; a late
            period gives none and cannot.
        """
        if self.history.is_late(period):
            return [], False
        self._follow_model(period.model_version)
        faults = faults_of(period, self.history.usual)
        if self._is_accepted(faults, period):
            self.history.accept_stream(period)
            faults = faults_of(period, None)
        comparable = is_comparable(faults)
        self._append(period, comparable)
        return self._note_faults(period, faults), comparable

    def _is_accepted(self, faults: Sequence[str], period: DriftPeriod) -> bool:
        """True if the stream has had another size or rate for so long that this is usual now."""
        since = [self.faults[f] for f in (SIZE, RATE) if f in faults and f in self.faults]
        long = timedelta(seconds=_ACCEPT_STREAM * self._policy.period_s)
        return any(period.started_at - begun >= long for begun in since)

    def _append(self, period: DriftPeriod, comparable: bool) -> None:
        self.version = period.model_version
        self.at = period.started_at + timedelta(seconds=period.length_s)
        self.history.append(period, comparable)

    def _follow_model(self, version: str) -> None:
        if self.version and version != self.version:
            # The new model was trained on what went on until now.
            self.history.accept_all()
            self.reference = None
            self._consecutive_alarms = 0
            self.view, self.covering = UNCHANGED, Covering()  # until there is a usual view again

    def _note_faults(self, period: DriftPeriod, faults: Sequence[str]) -> list[Change]:
        assert self.at is not None
        changes = []
        for fault in faults:
            if fault not in self.faults:
                self.faults[fault] = period.started_at
                changes.append(self._change(ChangeKind.FAULT, period.started_at, fault))
        for fault in set(self.faults) - set(faults):
            changes.append(self._change(ChangeKind.FAULT_OVER, self.faults.pop(fault), fault))
        return changes

    def _change(self, kind: ChangeKind, since: datetime, fault: str = "") -> Change:
        assert self.at is not None
        return Change(kind, self.camera_id, self.at, since, self.version, fault)

    def scan(self) -> Scan:
        """Compare the last periods with the reference, which is refreshed if it is due."""
        self._refresh()
        assert self.reference is not None
        if self.history.usual_edges is not None and len(self.history) >= 2 * WINDOW:
            self._scans += 1
            if self._scans % _VIEW_EVERY == 0 or self._consecutive_alarms:
                self._compare_views()
        return scan(self._window(), self.reference)

    def _compare_views(self) -> None:
        known = self.history
        self.view = compare_views(known.usual_edges, known.recent_edges)
        move = self.view.move if self.view.has_moved else None
        covering = compare_cells(known.usual_cells.at(known.newest_s), known.recent_cells, move)
        self.covering = replace(covering, usual=_STANDING_TRAFFIC)

    def _window(self) -> Past:
        assert self.at is not None
        # After an outage the window does not reach back to before it: that was another hour.
        after = self.at.timestamp() - _MAX_WINDOW_SPAN * WINDOW * self._policy.period_s
        return self.history.last(WINDOW, after)

    def _refresh(self) -> None:
        """Build a new reference every half hour, or once there is noticeably more of it."""
        assert self.at is not None
        now = self.at.timestamp()
        grown = len(self.history) >= 1.2 * self._learned
        if self.reference is None or now - self._refreshed >= self._kept_s() or grown:
            self.reference = build(
                self.history,
                self.version,
                now,
                self._training,
                self._policy.rarity,
                self._seed,
                self._policy.period_s,
            )
            first = not np.isfinite(self._refreshed)
            # Cameras that start together do not all refresh in the same period.
            turn = self._seed % _REFRESH * self._policy.period_s if first else 0.0
            self._refreshed, self._learned = now - turn, len(self.history)

    def _kept_s(self) -> float:
        """Seconds to keep a reference: short if it follows the hour, or lacks features yet."""
        known = self.reference
        changes = known is None or known.source in {HOUR_OF_DAY, HOUR_OF_WEEK}
        changes = changes or (known is not None and None in known.columns.values())
        return (_REFRESH if changes else 4 * _REFRESH) * self._policy.period_s

    def settle(self, scan: Scan, significant: Sequence[bool]) -> Change | None:
        """Open or close a finding.

        Args:
            scan: Of the last period.
            significant: (features + 1,) after false-discovery control over all cameras.
        """
        self.nearest = self._nearest(scan)
        alarms = self.alarms(scan, significant)
        self._consecutive_alarms = self._consecutive_alarms + 1 if alarms else 0
        if self.finding is not None:
            self.history.exclude_last_from_reference()
            is_unusual = bool(alarms or self._departures(scan, _UNUSUAL_RARITY, _UNUSUAL_SHARE).any())
            self._consecutive_quiet = 0 if is_unusual else self._consecutive_quiet + 1
            return self._close() if self._consecutive_quiet >= _CLOSE_AFTER else None
        if not alarms:
            self.history.learn_view()
        return self._open(scan, alarms) if self._consecutive_alarms >= _OPEN_AFTER else None

    def alarms(self, scan: Scan, significant: Sequence[bool] = (True,)) -> list[str]:
        """Names of the features whose departure is rare, large and significant.

        Args:
            scan: The newest window against the reference.
            significant: By feature, in the order of `NAMES`: the test has rejected chance.
        """
        found = self._departures(scan, self._policy.rarity) & np.asarray(significant)
        alarms = [name for name, alarm in zip((*NAMES, _MIX), found, strict=True) if alarm]
        return alarms + ([_VIEW] if self.view.has_moved or self._is_covered(scan) else [])

    def _is_covered(self, scan: Scan) -> bool:
        """True if the view is covered, and it is not only an hour that was not seen yet.

        A usual night differs from the usual day in its view alone: its features have their hour's
        reference, and what covers a view changes them, too.
        """
        if not self.covering.is_covered:
            return False
        is_known = self.history.usual_cells.knows(self.history.newest_s)
        return is_known or bool(self._departures(scan, _UNUSUAL_RARITY, _UNUSUAL_SHARE).any())

    def _departures(self, scan: Scan, rarity: float, share: float = 1.0) -> NDArray[np.bool_]:
        """(features + 1,) mask: rare, and at least this share of the least effect."""
        sizes = np.append(scan.effects / self._policy.least_effect, scan.mix_effect / MIX_EFFECT)
        return (scan.p_values <= rarity) & (sizes >= share)

    def _nearest(self, scan: Scan) -> NearestFeature | None:
        assert self.reference is not None
        found = [
            NearestFeature(name, float(effect), self._threshold(column))
            for name, effect in zip(NAMES, scan.effects, strict=True)
            if (column := self.reference.columns[name]) is not None and np.isfinite(effect)
        ]
        return max(found, key=lambda one: one.effect_size / one.threshold, default=None)

    def _threshold(self, column: Column) -> float:
        return max(self._policy.least_effect, column.threshold(self._policy.rarity))

    def _open(self, scan: Scan, alarms: Sequence[str]) -> Change:
        since = self._since(alarms)
        results = self.results(scan, alarms, since)
        mix = scan.mix_effect if _MIX in alarms else 0.0
        causes = diagnose(Changes(results, self.view, self.covering, mix))
        assert self.at is not None
        assert self.reference is not None
        self._consecutive_quiet = 0
        self.finding = Change(
            ChangeKind.DRIFT,
            self.camera_id,
            self.at,
            since,
            self.version,
            "",
            tuple(causes),
            results,
            self.reference.source,
        )
        self.history.exclude_from_reference(since)
        return self.finding

    def _close(self) -> Change:
        assert self.finding is not None
        over = self._change(ChangeKind.DRIFT_OVER, self.finding.since)
        self.finding = None
        return over

    def _since(self, alarms: Sequence[str]) -> datetime:
        """When the first of the alarmed features began to change (UTC)."""
        recent = self.history.last(_LOOK_BACK)
        starts = []
        for name in alarms:
            column = self.reference.columns.get(name) if self.reference else None
            if column is None:
                continue
            values = recent.values[:, NAMES.index(name)].astype(np.float64)
            known = np.flatnonzero(np.isfinite(values))
            position = change_start(column.ordered, values[known], MIN_SPREADS[name])
            starts.append(int(known[position]))
        first = min(starts, default=len(recent) - _OPEN_AFTER)
        first = min(first, len(recent) - _OPEN_AFTER)  # the alarm itself has lasted so long
        moment = recent.times[max(first, 0)]
        assert self.at is not None
        return datetime.fromtimestamp(float(moment), self.at.tzinfo)

    def results(
        self, scan: Scan, alarms: Sequence[str] = (), since: datetime | None = None
    ) -> dict[str, FeatureResult]:
        """The result of each feature; a change is that of the periods from ``since`` on.

        Args:
            scan: The newest window against the reference.
            alarms: Names of the features that alarm.
            since: Begin of the change (UTC); None takes the whole window.
        """
        assert self.reference is not None
        window = self._window()
        after: NDArray[np.bool_] = np.ones(len(window), bool)
        if since is not None:
            after = window.times >= since.timestamp() - 1e-3
        return {
            name: self._result(name, scan.effects[k], window.values[:, k], after, name in alarms)
            for k, name in enumerate(NAMES)
        }

    def _result(
        self, name: str, effect: float, values: NDArray[np.float32], after: NDArray[np.bool_], alarm: bool
    ) -> FeatureResult:
        column = self.reference.columns[name] if self.reference else None
        known = np.isfinite(values)
        if column is None or not np.isfinite(effect):
            missing = self.reference.missing if self.reference and column is None else 0
            return too_few(max(missing, MIN_WINDOW - int(known.sum()), 1))
        window = values[known].astype(np.float64)
        now = values[known & after] if (known & after).any() else window
        usual = float(np.median(column.ordered))
        return FeatureResult(
            statistic=float(KolmogorovSmirnov().between(column.ordered, window[None])[0]),
            p_value=column.p_value(float(effect)),
            effect_size=float(effect),
            change=float(np.median(now)) - usual,
            threshold=self._threshold(column),
            alarm=alarm,
            usual=usual,
        )
