"""The watch over all cameras: minutes go in, findings and faults of streams come out. No I/O."""

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.stats import false_discovery_control

from drift.change import Change, WatchPolicy
from drift.history import Past
from drift.period import DriftPeriod
from drift.scan import Scan
from drift.watch import CameraWatch


class FleetWatch:
    """The watch over all cameras.

    Args:
        policy: When to speak.
        training: What the model in charge was trained on, or None.
    """

    def __init__(self, policy: WatchPolicy, training: Past | None = None) -> None:
        self._policy = policy
        self._training = training
        self.cameras: dict[str, CameraWatch] = {}

    def camera(self, camera_id: str) -> CameraWatch:
        """The watch over one camera, new if it was never seen."""
        if camera_id not in self.cameras:
            self.cameras[camera_id] = CameraWatch(camera_id, self._policy, self._training)
        return self.cameras[camera_id]

    def take(self, periods: Iterable[DriftPeriod]) -> list[Change]:
        """Take the minutes that ended and say what began or ended with them.

        Minutes of one camera come in order. All that are given are judged together.
        """
        changes: list[Change] = []
        ready: dict[str, list[DriftPeriod]] = {}
        for period in periods:
            ready.setdefault(period.camera_id, []).append(period)
        while ready:  # a camera that is several minutes behind is judged minute by minute
            now = {camera: queue.pop(0) for camera, queue in ready.items()}
            ready = {camera: queue for camera, queue in ready.items() if queue}
            changes += self._take_one_each(now)
        return changes

    def _take_one_each(self, periods: Mapping[str, DriftPeriod]) -> list[Change]:
        changes: list[Change] = []
        scans: list[tuple[CameraWatch, Scan]] = []
        for camera_id, period in periods.items():
            watch = self.camera(camera_id)
            faults, comparable = watch.take(period)
            changes += faults
            if comparable:
                scans.append((watch, watch.scan()))
        if scans:
            p_values = np.stack([scan.p_values for _, scan in scans])
            adjusted = false_discovery_control(p_values.ravel(), method="bh").reshape(p_values.shape)
            significant = adjusted <= self._policy.false_discoveries
            for (watch, scan), row in zip(scans, significant, strict=True):
                change = watch.settle(scan, row.tolist())
                if change is not None:
                    changes.append(change)
        return changes
