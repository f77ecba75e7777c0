"""The watch over all cameras: drift periods go in, findings and stream faults come out. No I/O."""

from collections.abc import Iterable, Mapping

import numpy as np

from drift.change import Change, WatchPolicy
from drift.history import Past
from drift.measurement.period import DriftPeriod
from drift.scan import Scan
from drift.statistics.false_discovery import adjusted
from drift.watch import CameraWatch


class FleetWatch:
    """The watch over all cameras.

    Args:
        policy: When a departure is reported.
        training: What the model was trained on, for cameras without enough past; None for none.
    """

    def __init__(self, policy: WatchPolicy, training: Past | None = None) -> None:
        self._policy = policy
        self._training = training
        self.cameras: dict[str, CameraWatch] = {}

    def camera(self, camera_id: str) -> CameraWatch:
        """The watch over one camera, new for one that it has not seen."""
        if camera_id not in self.cameras:
            self.cameras[camera_id] = CameraWatch(camera_id, self._policy, self._training)
        return self.cameras[camera_id]

    def take(self, periods: Iterable[DriftPeriod]) -> list[Change]:
        """Take periods that ended; returns what began or ended with them.

        Args:
            periods: Those of one camera in order. The false discoveries are controlled over the
                cameras of one call, so give all that ended together in one call.
        """
        changes: list[Change] = []
        ready: dict[str, list[DriftPeriod]] = {}
        for period in periods:
            ready.setdefault(period.camera_id, []).append(period)
        while ready:  # a camera that is several periods behind is judged one by one
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
            significant = adjusted(p_values) <= self._policy.false_discoveries
            for (watch, scan), row in zip(scans, significant, strict=True):
                change = watch.settle(scan, row.tolist())
                if change is not None:
                    changes.append(change)
        return changes
