"""Opens the source that belongs to the scheme of a camera's URI."""

from pathlib import Path
from tempfile import gettempdir

from flows.stream.sources.clip import ClipSource, parse_clip_uri
from flows.stream.sources.http.snapshot import PREFIX, SnapshotSource
from flows.stream.sources.http.stream import HttpSource
from flows.stream.sources.masked import MaskedSource
from flows.stream.sources.network import HANDSHAKE_S, NetworkSource
from flows.stream.sources.rtsp import RtspSource
from flows.stream.sources.simulated import SimulatedSource
from flows.stream.sources.source import Source
from flows.stream.sources.v4l2 import V4l2Source
from flows.stream.sources.watched.clip_folder import ClipFolder
from flows.stream.sources.watched.played_clips import PlayedClips
from flows.stream.sources.watched.watched_source import ClipPlace, WatchedSource
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError
from streetloop.settings import Settings
from streetloop.storage.open import s3_access
from streetloop.video import speaks

_WATCHED = "watched"
_OF_THIS_MACHINE = frozenset({"file", "v4l2", "watch"})


def open_source(camera: Camera, clock: Clock, settings: Settings | None = None) -> Source:
    """The source of ``camera``, not connected yet; its pictures are masked.

    Args:
        camera: The camera.
        clock: Time.
        settings: Have ``stall_s``, the S3 server, and the home, where it is remembered which clips
            of a watched place were played; None for the defaults, and no such memory.

    Raises:
        ConfigError: The URI is malformed, or the settings do not say how to reach it; the message
            names the camera.
    """
    source = _open(camera, clock, settings)
    return MaskedSource(source, camera.mask) if camera.mask else source


def reads_this_machine(camera: Camera) -> bool:
    """True if a camera's pictures are files or devices of this machine, and not in the network."""
    return camera.uri.scheme in _OF_THIS_MACHINE


def _open(camera: Camera, clock: Clock, settings: Settings | None) -> Source:
    stall_s = (settings or Settings.model_construct()).stall_s
    sound = camera.audio and camera.record != "off"
    try:
        if camera.uri.scheme in {"rtsp", "rtsps"}:
            return RtspSource(camera.uri, camera.transport, clock, stall_s, sound=sound)
        if camera.uri.scheme in {"rtmp", "rtmps", "srt"}:
            _refuse_unknown_protocol(camera)
            options = {"rw_timeout": str(round(HANDSHAKE_S * 1e6))}
            return NetworkSource(camera.uri, options, clock, stall_s, sound=sound)
        if camera.uri.scheme in {"http", "https"}:
            return HttpSource(camera.uri, clock, sound=sound)
        if camera.uri.scheme.startswith(PREFIX):
            return SnapshotSource(camera.uri, clock)
        if camera.uri.scheme == "sim":
            return SimulatedSource(camera.uri.reveal(), clock)
        if camera.uri.scheme == "v4l2":
            return V4l2Source(camera.uri.reveal(), clock)
        if camera.uri.scheme.startswith("watch"):
            return _watched(camera, clock, settings)
        return ClipSource(*parse_clip_uri(camera.uri.reveal()), clock, sound=sound)
    except ConfigError as error:
        raise ConfigError(f"camera {camera.id!r}: {error}") from error


def _watched(camera: Camera, clock: Clock, settings: Settings | None) -> Source:
    uri, kept = camera.uri.reveal(), None if settings is None else settings.home / _WATCHED
    place: ClipPlace
    if camera.uri.scheme == "watch":
        place = ClipFolder(uri)
    else:
        from flows.stream.sources.watched.clip_bucket import ClipBucket  # MinIO's SDK comes with it

        access = s3_access(settings or Settings.model_construct(), str(camera.uri))
        place = ClipBucket(uri, access, kept or Path(gettempdir()))
    return WatchedSource(place, clock, PlayedClips(None if kept is None else kept / f"{camera.id}.jsonl"))


def _refuse_unknown_protocol(camera: Camera) -> None:
    scheme = camera.uri.scheme
    if not speaks(scheme):
        raise ConfigError(f"{camera.uri}: this FFmpeg is without {scheme}; build PyAV with one that has it")


def refuse_bad_source(camera: Camera, clock: Clock, settings: Settings | None = None) -> None:
    """Check a camera's URI, and decode the first picture of a recording.

    A network camera may come up later, so it is not contacted.

    Args:
        camera: The camera.
        clock: Time.
        settings: See `open_source`.

    Raises:
        ConfigError: The URI is malformed, or the recording cannot be played; names the camera.
    """
    source = open_source(camera, clock, settings)
    if camera.uri.scheme == "file":
        try:
            source.probe()
        except SourceError as error:
            raise ConfigError(f"camera {camera.id!r}: {error}") from error
