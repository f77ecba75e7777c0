"""Whatever pictures an ``http(s)://`` address has: a recording, HLS, a live stream, or MJPEG."""

import logging
import math
import threading
from collections.abc import Iterator

from flows.stream.sources.http import client
from flows.stream.sources.http.multipart import parts
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.network import NetworkSource
from flows.stream.sources.source import SourceFrame
from streetloop.clock import Clock
from streetloop.errors import SourceError, SourceRefused, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.host.polling import SayOnce
from streetloop.secrets import SecretUri
from streetloop.video import VideoInfo, VideoReader

_log = logging.getLogger(__name__)

_MJPEG = "multipart/x-mixed-replace"
_AS_THEY_COME = {"mpegts", "flv"}  # formats of a live stream; pictures of all others come in bunches
_SILENCE_S = 15.0  # a segment of HLS takes six to ten
_JUMP_S = 3.0  # as of clips
_LONGEST_SILENCE_S = 160.0  # of a camera that sends a picture a minute
_LATE_S = 1.0  # a picture that is later was not there in time, and those after it are not hurried
_OPTIONS = {
    "rw_timeout": str(round(_SILENCE_S * 1e6)),
    # Neither a redirection nor a playlist may lead to a file of this machine.
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,crypto",
}


class HttpSource(NetworkSource):
    """A `Source` of an HTTP address; its answer says what it is.

    A recording is played at its own pace and ends; HLS and recordings are paced, because their
    pictures come in bunches. Pictures of MJPEG have no stamps: their time is that of their arrival.

    Args:
        uri: The address.
        clock: Time.
        sound: See `VideoReader`.
    """

    def __init__(self, uri: SecretUri, clock: Clock, *, sound: bool = False) -> None:
        super().__init__(uri, _OPTIONS, clock, sound=sound)
        self._is_recording = False
        self._silence_s = client.TIMEOUT_S
        self._say = SayOnce(_log.warning)

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        if self._is_mjpeg():
            picture = next(self._mjpeg()).picture
            return VideoInfo("mjpeg", picture.width, picture.height, 0.0, 0)
        return super().probe()

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        frames = self._mjpeg() if self._is_mjpeg() else self._video(stop)
        for frame in frames:
            if stop.is_set():
                return
            self._was_live = True
            yield frame

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`: a recording that broke off would begin anew, for ever."""
        if self._was_live:
            return self._is_recording
        return isinstance(error, SourceRefused | client.WrongContent)

    def _is_mjpeg(self) -> bool:
        """Ask what is there.

        Raises:
            SourceError: Nothing that has pictures.
        """
        with client.get(self._uri) as response:
            kind = client.content_type(response)
        if kind.startswith("image/"):
            raise client.WrongContent(f"{self._uri} is a single picture; write snapshot+{self._uri}")
        if kind in {"text/html", "application/json"}:
            raise client.WrongContent(f"{self._uri} is {kind}, not a video")
        return kind == _MJPEG

    def _mjpeg(self) -> Iterator[SourceFrame]:
        try:
            with client.get(self._uri, self._silence_s) as response:
                yield from self._pictures(response)
        except SourceStalled:
            # It may be a slow camera: after each loss longer silences are borne.
            self._silence_s = min(2 * self._silence_s, _LONGEST_SILENCE_S)
            raise
        raise SourceUnavailable(f"{self._uri} closed the stream")

    def _pictures(self, response: client.Response) -> Iterator[SourceFrame]:
        is_broken, before_s = False, -math.inf  # many send the first one at once
        for data in parts(response, self._uri, self._clock):
            now_s = self._clock.monotonic()
            if now_s - before_s < client.TIMEOUT_S:
                self._silence_s = client.TIMEOUT_S
            before_s = now_s
            try:
                picture = client.decode(data, self._uri)
            except SourceUnreadable as error:
                if is_broken:  # the second in a row
                    raise
                is_broken = True
                self._say(f"a picture is passed over: {error}")
                continue
            is_broken = False
            yield SourceFrame(now_s, picture)

    def _video(self, stop: threading.Event) -> Iterator[SourceFrame]:
        timeline = MediaClock(_JUMP_S)
        with self._open() as reader:
            self.nominal_fps = reader.info.fps
            self._is_recording = reader.is_recording
            began: float | None = None
            for time_s, picture in reader.pictures():
                gaps = timeline.gaps
                media_s = timeline.stamp(time_s, 0.0, self.nominal_fps)
                now = self._clock.monotonic()
                if began is None or now - began - media_s > _LATE_S:
                    began = now - media_s
                if reader.format not in _AS_THEY_COME and began + media_s > now:
                    self._clock.wait(stop, began + media_s - now)
                gap = timeline.gaps > gaps
                yield SourceFrame(media_s, picture, picture.held_s, gap, picture.encoded)
            if self._is_recording:
                return
        raise SourceUnavailable(f"{self._uri} closed the stream")

    def _open(self) -> VideoReader:
        return VideoReader(
            self._uri.reveal(),
            str(self._uri),
            self._options,
            _SILENCE_S,
            _SILENCE_S,
            live=True,
            sound=self._sound,
        )
