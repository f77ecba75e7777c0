"""The status of a camera at one moment, and rates from successive ones."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from flows.stream.analysis.faults import Fault
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState

_MAX_LAGS = 4096
_RATES_WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """The status of one camera at one moment.

    Attributes:
        camera_id: The camera.
        state: What its connection is doing.
        error: Why it is lost or has failed, without credentials.
        account: Its frames by fate.
        reconnects: How often it came back after a loss.
        gaps: How often its time stamps leaped while it was there, forward or back.
        lag_p95_s: 95th percentile of the time from arrival to result, over the last 4096 frames.
        lag_p50_s: Its median.
        objects_by_class: Confirmed tracks so far by class.
        lines: Crossings so far by line.
        first_at: When the first frame that was analysed was captured (UTC); None before it.
        last_at: When the newest frame was captured (UTC).
        faults: What fails or failed beside the stream, such as a log that cannot be written.
        model: Version of the model that answered last; None before the first answer.
        detector_error: Why the detector gave no answer for the last frame; None once it answers.
        waiting_for: What has to come before its first frame, as a clip that a watched folder is
            without; None if nothing is known.
    """

    camera_id: str
    state: CameraState = CameraState.CONNECTING
    error: str | None = None
    account: Account = field(default_factory=Account)
    reconnects: int = 0
    gaps: int = 0
    lag_p95_s: float = 0.0
    objects_by_class: dict[str, int] = field(default_factory=dict)
    lines: dict[str, LineTotals] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    faults: tuple[Fault, ...] = ()
    model: str | None = None
    detector_error: str | None = None
    lag_p50_s: float = 0.0
    waiting_for: str | None = None

    @property
    def objects(self) -> int:
        """Confirmed tracks so far."""
        return sum(self.objects_by_class.values())


class Lags:
    """Times from arrival to result, of the last 4096 frames."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_MAX_LAGS)

    def add(self, lag_s: float) -> None:
        """Add the lag of one frame."""
        self._lags.append(lag_s)

    def quantiles_s(self) -> tuple[float, float]:
        """Median and 95th percentile in seconds; 0 and 0 before the first frame."""
        lags = list(self._lags)
        if not lags:
            return 0.0, 0.0
        median, high = np.percentile(lags, (50, 95))
        return float(median), float(high)


class Rates:
    """Frame rates over the last three seconds, from successive snapshots."""

    def __init__(self) -> None:
        self._history: list[tuple[float, Mapping[str, CameraStatus]]] = []

    def add(self, statuses: Mapping[str, CameraStatus], now_s: float) -> None:
        """Add the snapshot of the monotonic moment ``now_s``."""
        self._history.append((now_s, dict(statuses)))
        while len(self._history) > 2 and self._history[0][0] < now_s - _RATES_WINDOW_S:
            self._history.pop(0)

    def of(self, camera_id: str) -> tuple[float, float]:
        """Decoded and detected frames a second; 0 and 0 without two snapshots of the camera."""
        if len(self._history) < 2:
            return 0.0, 0.0
        (start, first), (end, last) = self._history[0], self._history[-1]
        before, after = first.get(camera_id), last.get(camera_id)
        if before is None or after is None or end <= start:
            return 0.0, 0.0
        return (
            (after.account.decoded - before.account.decoded) / (end - start),
            (after.account.detected - before.account.detected) / (end - start),
        )
