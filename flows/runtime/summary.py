"""The account of a run, for people and for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.camera_state import CameraState


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to.

    Attributes:
        cameras: The last word on every camera, by id.
        log: Where the detection log is.
        model: What the detector said of itself.
        seconds: How long cameras were read.
        drift: Causes of the drift that was found, by camera.
        faults: What could not be written of it.
    """

    cameras: Mapping[str, CameraStatus]
    log: str
    model: Mapping[str, Any]
    seconds: float
    drift: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The summary as plain data; ``fps`` is frames detected a second of the run."""
        return {
            "cameras": {key: self._camera(status) for key, status in self.cameras.items()},
            "log": self.log,
            "model": dict(self.model),
            "drift": {camera: list(causes) for camera, causes in self.drift.items()},
            "seconds": round(self.seconds, 3),
        }

    def _camera(self, status: CameraStatus) -> dict[str, Any]:
        account = status.account
        return {
            "state": status.state.value,
            "error": status.error,
            "decoded": account.decoded,
            "detected": account.detected,
            "gated": account.gated,
            "dropped": account.dropped,
            "failed": account.failed,
            "reasons": account.reasons,
            "reconnects": status.reconnects,
            "fps": round(account.detected / self.seconds, 3) if self.seconds > 0 else 0.0,
            "lag_p95_s": round(status.lag_p95_s, 4),
            "objects": status.objects,
            "lines": status.lines,
        }

    @property
    def problems(self) -> list[str]:
        """One sentence for each thing that makes the run a failure."""
        failed = [
            f"camera {key!r}: {status.error}"
            for key, status in self.cameras.items()
            if status.state is CameraState.FAILED
        ]
        faults = set(self.faults) | {fault for status in self.cameras.values() for fault in status.faults}
        return failed + sorted(faults)
