"""How fast an application answers, and how many frames that allows."""

_BUDGET_SHARE = 0.4  # two batches are in flight at a time, and something is left for waiting
_DEFAULT_BATCH_S = 0.5
_SMOOTHING = 0.9  # weight of the past in both sums, a batch


class Pace:
    """The smoothed service time of one application.

    The time a frame is smoothed seconds over smoothed frames, so that a batch weighs by its frames:
    one small batch that stalls says little about what the detector can work off.

    Args:
        staleness_s: Age at which a frame is dropped. A larger value allows larger live batches:
            more throughput, longer lag.
        max_batch: Largest batch that the model takes, in frames.
    """

    def __init__(self, staleness_s: float, max_batch: int) -> None:
        self._staleness_s = staleness_s
        self._max_batch = max_batch
        self._frames = self._seconds = 0.0

    def observe(self, frames: int, seconds: float) -> None:
        """Note that a batch of ``frames`` occupied the detector for ``seconds``."""
        self._frames = _SMOOTHING * self._frames + frames
        self._seconds = _SMOOTHING * self._seconds + seconds

    def expected_s(self, frames: int) -> float:
        """Expected service time of a batch of ``frames``; 0.5 s before the first answer."""
        return self._frame_s * frames if self._frame_s else _DEFAULT_BATCH_S

    @property
    def _frame_s(self) -> float:
        """Seconds a frame; 0 before the first answer."""
        return self._seconds / self._frames if self._frames else 0.0

    @property
    def frames_in_budget(self) -> int:
        """Frames, of all cameras, that are answered within the staleness budget; at least 1."""
        if not self._frame_s:
            return self._max_batch
        return max(1, int(_BUDGET_SHARE * self._staleness_s / self._frame_s))

    @property
    def batch_size(self) -> int:
        """Largest live batch that is answered within the staleness budget; at least 1."""
        return min(self._max_batch, self.frames_in_budget)
