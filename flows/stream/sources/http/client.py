"""HTTP requests of sources: bounded, and with errors of ours."""

import contextlib
import logging
import os
import re
from collections.abc import Generator, Iterator
from urllib.parse import unquote, urlsplit

import httpx

from serve.web.uploads import MAX_BYTES, decode_upload
from streetloop.clock import Clock
from streetloop.errors import (
    ConfigError,
    InputRejected,
    SourceError,
    SourceRefused,
    SourceStalled,
    SourceUnavailable,
    SourceUnreadable,
)
from streetloop.host.proxies import require_http_client
from streetloop.secrets import SecretUri
from streetloop.types import ArrayPicture

TIMEOUT_S = 10.0
"""Longest wait for a connection, and for the next bytes."""

PICTURE_S = 20.0
"""Longest time from the first byte of a picture to its last."""

_MAX_REDIRECTS = 5
_REFUSED = {401, 403}
TRANSLATED: dict[type[Exception], type[SourceError]] = {
    httpx.TimeoutException: SourceStalled,
    httpx.HTTPError: SourceUnavailable,
    httpx.StreamError: SourceUnavailable,
    httpx.UnsupportedProtocol: SourceUnreadable,
    httpx.InvalidURL: SourceUnreadable,
    httpx.CookieConflict: SourceUnavailable,
    # Not its own: a proxy that needs another package, or is none; a Digest challenge that it
    # does not understand; a host, user or password that cannot be encoded.
    ImportError: SourceUnavailable,
    KeyError: SourceUnavailable,
    NotImplementedError: SourceUnavailable,
    ValueError: SourceUnavailable,
}
"""What httpx raises, and what that becomes; the nearest base class counts."""

_WHILE_READING = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)

Response = httpx.Response


class WrongContent(SourceUnreadable):
    """The server says that it sends something else than pictures: asking again is of no use."""


@contextlib.contextmanager
def get(uri: SecretUri, silence_s: float | None = None) -> Iterator[Response]:
    """The answer to a GET, whose body is not read yet.

    Credentials are sent only to a server that asks for them, and never to another one that it
    redirects to.

    Args:
        uri: The address, with user and password if the server asks for them.
        silence_s: Longest wait for the next bytes in seconds; None for `TIMEOUT_S`.

    Raises:
        SourceError: The subclass that fits; the message shows no secret.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the address with its secrets
    try:
        require_http_client(os.environ)
    except ConfigError as error:
        raise SourceUnreadable(f"{uri} cannot be read: {error}") from error
    url, auth = _without_login(uri.reveal())
    with _translated(uri, _WHILE_READING), contextlib.ExitStack() as opened:
        with _translated(uri, tuple(TRANSLATED)):
            response = _ask(url, auth, opened, silence_s or TIMEOUT_S)
        _refuse_error(response, uri)
        yield response


def _ask(url: str, auth: httpx.Auth | None, opened: contextlib.ExitStack, silence_s: float) -> Response:
    client = httpx.Client(
        auth=auth,
        timeout=httpx.Timeout(TIMEOUT_S, read=silence_s),
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        # Pictures are compressed already, and what unpacks without limit fills the memory.
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_drop_useless_body]},
    )
    opened.enter_context(client)
    return opened.enter_context(client.stream("GET", url))


def _drop_useless_body(response: Response) -> None:
    """Close what is no success: httpx would read the body of a redirection or a 401 to its end."""
    if not response.is_success and isinstance(response.stream, httpx.SyncByteStream):
        response.stream.close()
        response.stream = httpx.ByteStream(b"")
        response.headers.pop("content-encoding", None)


@contextlib.contextmanager
def _translated(uri: SecretUri, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        kind = next(TRANSLATED[base] for base in type(error).__mro__ if base in TRANSLATED)
        # `from None`: the vendor's exception holds the request with its password.
        raise kind(f"{uri} cannot be read: {_reason(error)}") from None


def body(response: Response, uri: SecretUri, clock: Clock) -> bytes:
    """The whole body.

    Raises:
        SourceStalled: It took more than `PICTURE_S`.
        SourceUnreadable: It is larger than any picture.
    """
    began, found = clock.monotonic(), bytearray()
    for chunk in response.iter_raw():
        found += chunk
        refuse_endless(found, began, uri, clock)
    return bytes(found)


def refuse_endless(found: bytearray, began: float, uri: SecretUri, clock: Clock) -> None:
    """Raise as `body` if what was found of one picture so far is too much, or took too long."""
    if len(found) > MAX_BYTES:
        raise SourceUnreadable(f"{uri} sends a picture of more than {MAX_BYTES // 2**20} MB")
    if clock.monotonic() - began > PICTURE_S:
        raise SourceStalled(f"{uri} takes more than {PICTURE_S:g} s for one picture")


def decode(data: bytes, uri: SecretUri) -> ArrayPicture:
    """A picture of its bytes.

    Raises:
        SourceUnreadable: They are none, or one of too many pixels.
    """
    try:
        return ArrayPicture(decode_upload(data))
    except InputRejected as error:
        raise SourceUnreadable(f"{uri}: {str(error).replace('the body', 'what came')}") from error


def content_type(response: Response) -> str:
    """Such as ``image/jpeg``, lower case; empty if there is none."""
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _refuse_error(response: Response, uri: SecretUri) -> None:
    status = f"{response.status_code} {response.reason_phrase}"
    if response.status_code in _REFUSED:
        raise SourceRefused(f"{uri} cannot be read: wrong user or password ({status})")
    if not response.is_success:
        raise SourceUnavailable(f"{uri} cannot be read: {status}")


def _without_login(url: str) -> tuple[str, httpx.Auth | None]:
    """The address without user and password, and how to log in with them."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return bare.geturl(), _OnDemand(unquote(parts.username), unquote(parts.password or ""))


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer within the time-out"
    if isinstance(error, httpx.TooManyRedirects):
        return "it redirects too often"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "it leads to what is no address of HTTP"
    if isinstance(error, UnicodeError):
        return "its host, user or password cannot be sent as it is written"
    if isinstance(error, KeyError | NotImplementedError):
        return "it asks for a log-in of a kind that is not known"
    # A system's words, such as "Connection refused"; its number and addresses are left out.
    return re.sub(r"\[Errno -?\d+\] |\S*://\S*", "", str(error)) or type(error).__name__


class _OnDemand(httpx.Auth):
    """Logs in as the server asks for: Digest, or Basic."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, Response, None]:
        """See `httpx.Auth.auth_flow`."""
        response = yield request
        if response.status_code != 401:
            return
        asked = response.headers.get("www-authenticate", "").lower()
        kind = httpx.DigestAuth if asked.startswith("digest") else httpx.BasicAuth
        yield from kind(self._user, self._password).auth_flow(request)
