"""What can be said about a camera at one moment."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from flows.stream.accounting import Account
from flows.stream.feed import State

_LAGS = 4096


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """One camera at one moment.

    Attributes:
        camera_id: Which camera.
        state: What it is doing.
        error: Why it is lost or has failed, without credentials.
        account: Where its frames went.
        reconnects: How often it came back.
        lag_p95_s: 95th percentile of the time from decoding to result over the last frames.
        objects: Confirmed tracks so far.
        lines: Crossings so far by line and direction.
        faults: What went wrong beside the stream, such as a log that cannot be written.
        model: Version of the model that answered last.
    """

    camera_id: str
    state: State = State.CONNECTING
    error: str | None = None
    account: Account = field(default_factory=Account)
    reconnects: int = 0
    lag_p95_s: float = 0.0
    objects: int = 0
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    model: str | None = None


class Lags:
    """Times from decoding to result, of the last few thousand frames."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_LAGS)

    def add(self, lag_s: float) -> None:
        """Note one."""
        self._lags.append(lag_s)

    def p95_s(self) -> float:
        """Their 95th percentile; 0 before the first."""
        lags = list(self._lags)
        return float(np.percentile(lags, 95)) if lags else 0.0
