"""Opens the source that belongs to the scheme of a camera's URI."""

from flows.stream.sources.clip import ClipSource, parse_clip_uri
from flows.stream.sources.http.snapshot import PREFIX, SnapshotSource
from flows.stream.sources.http.stream import HttpSource
from flows.stream.sources.network import HANDSHAKE_S, NetworkSource
from flows.stream.sources.rtsp import RtspSource
from flows.stream.sources.simulated import SimulatedSource
from flows.stream.sources.source import Source
from flows.stream.sources.watched_folder import WatchedFolderSource
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError
from streetloop.video import speaks


def open_source(camera: Camera, clock: Clock, stall_s: float = 2.2) -> Source:
    """The source of ``camera``, not connected yet.

    Args:
        camera: The camera.
        clock: Time.
        stall_s: Seconds of silence after which a network stream is lost, see `NetworkSource`.
            Higher tolerates longer pauses; lower notices a frozen camera sooner.

    Raises:
        ConfigError: The URI is malformed; the message names the camera.
    """
    try:
        if camera.uri.scheme in {"rtsp", "rtsps"}:
            return RtspSource(camera.uri, camera.transport, clock, stall_s)
        if camera.uri.scheme in {"rtmp", "rtmps", "srt"}:
            _refuse_unknown_protocol(camera)
            options = {"rw_timeout": str(round(HANDSHAKE_S * 1e6))}
            return NetworkSource(camera.uri, options, clock, stall_s)
        if camera.uri.scheme in {"http", "https"}:
            return HttpSource(camera.uri, clock)
        if camera.uri.scheme.startswith(PREFIX):
            return SnapshotSource(camera.uri, clock)
        if camera.uri.scheme == "sim":
            return SimulatedSource(camera.uri.reveal(), clock)
        if camera.uri.scheme == "watch":
            return WatchedFolderSource(camera.uri.reveal(), clock)
        return ClipSource(*parse_clip_uri(camera.uri.reveal()), clock)
    except ConfigError as error:
        raise ConfigError(f"camera {camera.id!r}: {error}") from error


def _refuse_unknown_protocol(camera: Camera) -> None:
    scheme = camera.uri.scheme
    if not speaks(scheme):
        raise ConfigError(f"{camera.uri}: this FFmpeg is without {scheme}; build PyAV with one that has it")


def refuse_bad_source(camera: Camera, clock: Clock) -> None:
    """Check a camera's URI, and decode the first picture of a recording.

    A network camera may come up later, so it is not contacted.

    Args:
        camera: The camera.
        clock: Time.

    Raises:
        ConfigError: The URI is malformed, or the recording cannot be played; names the camera.
    """
    source = open_source(camera, clock)
    if camera.uri.scheme == "file":
        try:
            source.probe()
        except SourceError as error:
            raise ConfigError(f"camera {camera.id!r}: {error}") from error
