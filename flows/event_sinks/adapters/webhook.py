"""A webhook: one POST a change, signed."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence

import httpx

from streetloop.alerting.sink_config import EventSinkConfig
from streetloop.errors import EventSinkError
from streetloop.host.proxies import require_http_client
from streetloop.ledger.alerts.event_changes import EventChange

SIGNATURE, DELIVERY = "X-Streetloop-Signature", "X-Streetloop-Delivery"

_WHY: Mapping[type[Exception], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.TimeoutException: "no answer in time",
    httpx.ConnectError: "cannot be reached",
    httpx.NetworkError: "the connection broke",
    httpx.ProtocolError: "does not speak HTTP",
    httpx.HTTPError: "the request failed",
    httpx.InvalidURL: "the address is not valid",
}
"""The errors of httpx in our words; the first kind that fits counts."""


class WebhookSink:
    """See `EventSink`. Any answer of 200 to 299 confirms; redirections are not followed.

    Args:
        config: ``secret`` signs the body, as `signature` says.

    Raises:
        ConfigError: A variable lets no HTTP client start.
    """

    batch_size = 50
    batches = False

    def __init__(self, config: EventSinkConfig) -> None:
        self._url, self._shown = config.url.reveal(), str(config.url)
        self._secret = None if config.secret is None else config.secret.get_secret_value()
        require_http_client(os.environ)
        self._client = httpx.Client(timeout=config.timeout_s)

    def send(self, changes: Sequence[EventChange]) -> None:
        """See `EventSink.send`."""
        for taken, change in enumerate(changes):
            body = json.dumps(change.message, ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", DELIVERY: str(change.message["id"])}
            if self._secret is not None:
                headers[SIGNATURE] = signature(self._secret, body)
            try:
                answer = self._client.post(self._url, content=body, headers=headers)
            except tuple(_WHY) as error:
                # `from None`: the vendor's exception holds the address with its secrets.
                raise EventSinkError(f"{self._shown}: {_why(error)}", taken) from None
            if not answer.is_success:
                raise EventSinkError(f"{self._shown}: answers {answer.status_code}", taken)

    def close(self) -> None:
        """See `EventSink.close`."""
        self._client.close()


def signature(secret: str, body: bytes) -> str:
    """The value of the header `SIGNATURE`: ``sha256=`` and the HMAC of the body in hexadecimal.

    >>> signature("key", b"{}")[:20]
    'sha256=a777724d943eb'

    Args:
        secret: The key.
        body: The body, byte for byte.
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _why(error: Exception) -> str:
    return next(text for kind, text in _WHY.items() if isinstance(error, kind))
