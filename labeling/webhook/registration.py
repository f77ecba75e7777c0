"""Registers a webhook, with which Label Studio reports new annotations."""

import ipaddress
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from labeling.label_studio.adapter import LabelStudio
from labeling.webhook.listener import HookListener
from streetloop.settings import Settings


class LabelHook:
    """The webhook of this process: a listener, registered in the Label Studio project.

    Each start makes a new secret and replaces the earlier registration.

    Args:
        settings: Give the address to listen on.
        heard: Called after each annotation, from several threads.

    Raises:
        ConfigError: The port cannot be listened on.
    """

    def __init__(self, settings: Settings, heard: Callable[[], None]) -> None:
        self._secret = SecretStr(secrets.token_urlsafe(24))
        host = settings.label_hook_host
        self._listener = HookListener(host, settings.label_hook_port, self._secret, heard)
        self._url = settings.label_hook_url or f"http://{host}:{settings.label_hook_port}/"
        self._is_registered = False

    def start(self) -> None:
        """Start listening."""
        self._listener.start()

    def register(self, labeler: LabelStudio) -> None:
        """Register the webhook once; to be called until it succeeds.

        Raises:
            LabelerError: The server cannot be reached, or refuses the address.
        """
        if not self._is_registered:
            labeler.want_webhook(self._url, self._secret)
            self._is_registered = True

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def is_hook_wanted(settings: Settings, url: str) -> bool:
    """True if the Label Studio at ``url`` can probably reach this machine.

    >>> is_hook_wanted(Settings(), "http://localhost:8080")
    True
    >>> is_hook_wanted(Settings(), "https://labels.example")  # it has another loopback
    False
    >>> elsewhere = Settings(label_hook_url="http://streets.example:8091/")
    >>> is_hook_wanted(elsewhere, "https://labels.example")
    True
    """
    if settings.label_hook_port == 0:
        return False
    return settings.label_hook_url is not None or _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
