"""A single picture at an address, asked for again and again: ``snapshot+https://host/now.jpg?every=2``."""

import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from flows.stream.sources.http import client
from flows.stream.sources.source import SourceFrame
from streetloop.clock import Clock
from streetloop.errors import ConfigError, SourceError, SourceRefused
from streetloop.secrets import SecretUri
from streetloop.types import ArrayPicture
from streetloop.video import VideoInfo

PREFIX = "snapshot+"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n")
_EVERY_S, _MIN_S, _MAX_S = 1.0, 0.1, 3600.0


def parse_snapshot_uri(uri: SecretUri) -> tuple[SecretUri, float]:
    """The address to ask, and the seconds between two requests.

    >>> address, every_s = parse_snapshot_uri(SecretUri("snapshot+http://10.0.0.7/a.jpg?c=1&every=2"))
    >>> str(address), every_s
    ('http://10.0.0.7/a.jpg?c=1', 2.0)

    Raises:
        ConfigError: ``every`` is no number from 0.1 to 3600.
    """
    address = uri.reveal()
    parts = urlsplit(address[len(PREFIX) :] if uri.scheme.startswith(PREFIX) else address)
    options = parse_qsl(parts.query, keep_blank_values=True)
    given = [value for key, value in options if key == "every"]
    try:
        every_s = float(given[-1]) if given else _EVERY_S
    except ValueError:
        every_s = 0.0
    if not _MIN_S <= every_s <= _MAX_S:
        raise ConfigError(f"{uri}: every is the seconds between two pictures, {_MIN_S:g} to {_MAX_S:g}")
    # Only where it is needed: servers may compare a signed query byte by byte.
    query = urlencode([one for one in options if one[0] != "every"]) if given else parts.query
    return SecretUri(parts._replace(query=query).geturl()), every_s


class SnapshotSource:
    """A `Source` of a picture that a server replaces now and then.

    Args:
        uri: As `parse_snapshot_uri`.
        clock: Paces the requests; a picture's time is that of its arrival.

    Raises:
        ConfigError: The URI is malformed.
    """

    live = True

    def __init__(self, uri: SecretUri, clock: Clock) -> None:
        self._uri, self._every_s = parse_snapshot_uri(uri)
        self._clock = clock
        self._was_live = False
        self.nominal_fps = 1 / self._every_s

    def probe(self) -> VideoInfo:
        """See `Source.probe`."""
        picture = self._ask()
        return VideoInfo("jpeg", picture.width, picture.height, self.nominal_fps, 0)

    def read(self, stop: threading.Event) -> Iterator[SourceFrame]:
        """See `Source.read`."""
        while not stop.is_set():
            began = self._clock.monotonic()
            picture = self._ask()
            self._was_live = True
            now = self._clock.monotonic()
            yield SourceFrame(now, picture)
            if self._clock.wait(stop, max(0.0, began + self._every_s - self._clock.monotonic())):
                return

    def is_final(self, error: SourceError) -> bool:
        """See `Source.is_final`."""
        return isinstance(error, SourceRefused | client.WrongContent) and not self._was_live

    def wait_for_return(self, stop: threading.Event, timeout_s: float) -> None:
        """See `Source.wait_for_return`."""
        self._clock.wait(stop, timeout_s)

    def _ask(self) -> ArrayPicture:
        with client.get(self._uri) as response:
            kind = client.content_type(response)
            if kind.startswith(("video/", "multipart/")):
                raise client.WrongContent(f"{self._uri} is {kind}, not a picture")
            data = client.body(response, self._uri, self._clock)
            # Old servers call every file text/plain.
            if kind.startswith("text/") and not data.startswith(_PICTURES):
                raise client.WrongContent(f"{self._uri} is {kind}, not a picture")
            return client.decode(data, self._uri)
