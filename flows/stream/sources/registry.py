"""Which source belongs to which scheme."""

from flows.stream.sources.clip import ClipSource, parse_clip_uri
from flows.stream.sources.rtsp import RtspSource
from flows.stream.sources.simulated import SimulatedSource
from flows.stream.sources.source import Source
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError


def open_source(camera: Camera, clock: Clock, stall_s: float = 2.2) -> Source:
    """The source of ``camera``; nothing is connected yet.

    Args:
        camera: Which camera.
        clock: Time.
        stall_s: Silence after which a network stream is lost.

    Raises:
        ConfigError: The URI cannot be one of a camera; the message names the camera.
    """
    try:
        if camera.uri.scheme == "rtsp":
            return RtspSource(camera.uri, camera.transport, clock, stall_s)
        if camera.uri.scheme == "sim":
            return SimulatedSource(camera.uri.reveal(), clock)
        return ClipSource(*parse_clip_uri(camera.uri.reveal()), clock)
    except ConfigError as error:
        raise ConfigError(f"camera {camera.id!r}: {error}") from error


def refuse_bad_source(camera: Camera, clock: Clock) -> None:
    """Look whether a camera can be one, and into its recording if it is one.

    A network camera may come up later; a file that cannot be played now is a mistake.

    Raises:
        ConfigError: Names the camera and what is wrong.
    """
    source = open_source(camera, clock)
    if camera.uri.scheme == "file":
        try:
            source.probe()
        except SourceError as error:
            raise ConfigError(f"camera {camera.id!r}: {error}") from error
