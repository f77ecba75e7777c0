"""Whether a camera opens, and what it shows, before it is saved."""

import threading

from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import Camera
from streetloop.clock import SystemClock
from streetloop.control.history.camera_trial import CameraTrialView
from streetloop.errors import StreetloopError
from streetloop.images import encode_jpeg
from streetloop.settings import Settings

_QUALITY = 85


def try_camera(camera: Camera, settings: Settings) -> CameraTrialView:
    """Open a camera, take its first picture and close it again.

    Args:
        camera: The camera.
        settings: The settings of a run.

    Returns:
        What it is and shows; or why it does not open.
    """
    stop = threading.Event()
    try:
        source = open_source(camera, SystemClock(), settings)
        info = source.probe()
        frame = next(source.read(stop), None)
    except StreetloopError as error:
        return CameraTrialView(opens=False, text=str(error))
    finally:
        stop.set()
    rate = f" at {info.fps:g} frames a second" if info.fps else ""
    return CameraTrialView(
        opens=True,
        text=f"It opens: {info.codec} {info.width}x{info.height}{rate}.",
        picture=None if frame is None else encode_jpeg(frame.picture.bgr(), _QUALITY),
    )
