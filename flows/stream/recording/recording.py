"""The recording of one worker: a recorder for each camera that wants one, a spool, an uploader."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from flows.stream.analysis.faults import Fault
from flows.stream.recording.recorder import CameraRecorder, NoRecorder, Recorder
from flows.stream.recording.segment_choice import CONTINUOUS
from flows.stream.recording.spool import Spool
from flows.stream.recording.uploader import SegmentUploader
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.settings import Settings
from streetloop.storage.store import ObjectStore

_CHOSEN_SEGMENT_S = 10.0  # of what is kept near motion and events: not much more than they last
_MB = 10**6


class Recording(Protocol):
    """Records the cameras of a pipeline."""

    def recorder(self, camera: Camera, *, live: bool) -> Recorder:
        """The recorder of a camera.

        Args:
            camera: The camera.
            live: See `Source.live`.
        """

    def faults(self) -> Sequence[Fault]:
        """What fails or failed for all cameras together."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """Upload what is left; called once, after the last recorder was interrupted."""


class NoRecording:
    """A `Recording` that records nothing."""

    def recorder(self, camera: Camera, *, live: bool) -> Recorder:  # noqa: ARG002
        """See `Recording.recorder`."""
        return NoRecorder()

    def faults(self) -> Sequence[Fault]:
        """See `Recording.faults`."""
        return ()

    def start(self) -> None:
        """See `Recording.start`."""

    def close(self) -> None:
        """See `Recording.close`."""


class SpooledRecording:
    """A `Recording` by way of a spool in the home.

    Args:
        settings: Those of the run.
        store: Where the segments go.
        run: The run whose log has the frames.
        clock: Time.
    """

    def __init__(self, settings: Settings, store: ObjectStore, run: str, clock: Clock) -> None:
        limit, reserve = settings.record_spool_mb * _MB, settings.record_reserve_mb * _MB
        self._settings, self._run, self._clock = settings, run, clock
        self._spool = Spool(spool_of(settings), limit, reserve, clock.monotonic)
        pre_s, post_s = settings.record_pre_s, settings.record_post_s
        self._uploader = SegmentUploader(self._spool, store, settings.ledger, pre_s, post_s, clock)

    def recorder(self, camera: Camera, *, live: bool) -> Recorder:
        """See `Recording.recorder`."""
        if camera.record == "off":
            return NoRecorder()
        longest = self._settings.record_segment_s
        segment_s = longest if camera.record == CONTINUOUS else min(longest, _CHOSEN_SEGMENT_S)
        return CameraRecorder(
            camera.id, camera.record, self._spool, self._run, segment_s, self._clock, live=live
        )

    def faults(self) -> Sequence[Fault]:
        """See `Recording.faults`."""
        return self._uploader.faults()

    def start(self) -> None:
        """See `Recording.start`."""
        self._uploader.start()

    def close(self) -> None:
        """See `Recording.close`."""
        self._uploader.close()
        self._spool.close()


def spool_of(settings: Settings) -> Path:
    """The folder of segments on their way to the store."""
    return settings.home / "spool"
