"""The connection states of a camera."""

from enum import StrEnum


class CameraState(StrEnum):
    """What a camera's connection is doing."""

    CONNECTING = "connecting"
    """No frame has arrived yet."""
    LIVE = "live"
    """Frames arrive."""
    LOST = "lost"
    """The source went away; the reader reconnects with backoff."""
    ENDED = "ended"
    """The recording is over, or the camera was stopped."""
    FAILED = "failed"
    """An error that a new attempt cannot mend."""


FINISHED = {CameraState.ENDED, CameraState.FAILED}
"""The states in which no frame will come any more."""
