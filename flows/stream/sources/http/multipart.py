"""Pictures in a row in one body: ``multipart/x-mixed-replace``, known as MJPEG."""

import re
from collections.abc import Iterator

from flows.stream.sources.http import client
from streetloop.clock import Clock
from streetloop.errors import SourceUnreadable
from streetloop.secrets import SecretUri

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_HEAD_BYTES = 256
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,12})\s*$", re.IGNORECASE | re.MULTILINE)


def parts(response: client.Response, uri: SecretUri, clock: Clock) -> Iterator[bytes]:
    """The bytes of each picture, as it is whole.

    Raises:
        SourceStalled: A picture takes longer than `client.PICTURE_S`.
        SourceUnreadable: There is no boundary, or a picture is larger than any.
    """
    boundary = _boundary(response, uri)
    found, began = bytearray(), clock.monotonic()
    for chunk in response.iter_raw():
        if len(found) < _HEAD_BYTES:  # the picture has not begun: what passed was the camera's period
            began = clock.monotonic()
        found += chunk
        while (part := _take(found, boundary)) is not None:
            began = clock.monotonic()
            if part:
                yield part
        client.refuse_endless(found, began, uri, clock)


def _boundary(response: client.Response, uri: SecretUri) -> bytes:
    kind: str = response.headers["content-type"]
    named = re.search(r'boundary="?([^";]+)', kind, re.IGNORECASE)
    if named is None:
        raise SourceUnreadable(f"{uri} sends pictures without a boundary between them")
    # Some cameras count the dashes as a part of the name.
    return b"--" + named[1].strip().removeprefix("--").encode("latin-1", "replace")


def _take(found: bytearray, boundary: bytes) -> bytes | None:
    """Remove the first part from the bytes so far; None if it is not whole yet."""
    start = found.find(boundary)
    header = None if start < 0 else _HEADER_END.search(found, start)
    if header is None:
        return None
    length = _LENGTH.search(found, start, header.end())
    end = header.end() + int(length[1]) if length else found.find(boundary, header.end())
    if end < 0 or end > len(found):
        return None
    part = bytes(found[header.end() : end]).removesuffix(b"\r\n")
    del found[:end]
    return part
