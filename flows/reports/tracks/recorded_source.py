"""A camera played from its beginning, without loss, with the truth of what it shows."""

import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flows.reports.tracks.mot_files import DISTRACTOR, TARGET
from flows.stream.sources.registry import open_source
from flows.stream.sources.simulated_picture import SimulatedPicture
from flows.stream.sources.source import Source, SourceFrame
from streetloop.cameras.camera_file import Camera
from streetloop.city.truth import Truth
from streetloop.clock import Clock
from streetloop.errors import SourceError
from streetloop.secrets import SecretUri
from streetloop.types import Picture
from streetloop.video import VideoInfo

_PACE_OPTIONS = {"live", "loop"}


class RecordedSource:
    """A `Source` that plays a simulated camera or a clip once, as fast as it is analysed.

    Args:
        camera: The camera; the options ``live`` and ``loop`` of its URI are overridden.
        clock: Of the source.
        seconds: It ends after this media time.

    Attributes:
        frames: Pictures so far.
        truth: Rows of a MOT file, see `MotTracks.table`: the objects of the pictures of a simulated
            camera; none of another.
        class_of: Class names of these objects by track id.

    Raises:
        ConfigError: The URI is malformed.
    """

    def __init__(self, camera: Camera, clock: Clock, seconds: float) -> None:
        uri = SecretUri(_unpaced(camera.uri.reveal()))
        self.live = False
        self._source: Source = open_source(camera.model_copy(update={"uri": uri}), clock)
        self._seconds = seconds
        self.nominal_fps = self._source.nominal_fps
        self.frames = 0
        self.truth: list[list[float]] = []
        self.class_of: dict[int, str] = {}

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        return self._source.probe()

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        for frame in self._source.read(stop):
            if frame.media_s is not None and frame.media_s > self._seconds - 1e-6:
                return
            self.nominal_fps = self._source.nominal_fps
            self.frames += 1
            self._note_truth(frame.picture)
            yield frame

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`."""
        return self._source.is_final(error)

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._source.wait_for_return(stop, timeout_s)

    def _note_truth(self, picture: Picture) -> None:
        if isinstance(picture, SimulatedPicture):
            truth = picture.truth()
            self.truth += _rows(truth, self.frames)
            self.class_of |= {seen.track_id: seen.class_name for seen in truth.seen}


def _rows(truth: Truth, frame: int) -> list[list[float]]:
    rows = []
    for seen in truth.seen:
        left, top, right, bottom = seen.xyxy
        role = (1, TARGET) if seen.clear else (0, DISTRACTOR)
        rows.append([frame, seen.track_id, left, top, right - left, bottom - top, *role])
    return rows


def _unpaced(uri: str) -> str:
    """The URI with ``live=0`` and without ``loop``.

    >>> _unpaced("sim://kingsport/crossing?seed=7&condition=night@60:30")
    'sim://kingsport/crossing?seed=7&condition=night@60:30&live=0'
    """
    parts = urlsplit(uri)
    options = [o for o in parse_qsl(parts.query, keep_blank_values=True) if o[0] not in _PACE_OPTIONS]
    return urlunsplit(parts._replace(query=urlencode([*options, ("live", "0")], safe="@:,/")))
