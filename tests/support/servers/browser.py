"""A real Chromium, and what went wrong in it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[3] / "build" / "screenshots"
"""Kept for whoever looks at them."""

_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without the program its tests are skipped, but never in CI."""
    program = shutil.which("chromium")
    if program is None:
        lack = "the browser test needs the Debian package chromium"
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=_ARGS)
        yield browser
        browser.close()


class Complaints:
    """What a page says in its console, and whom it asks that it should not.

    Args:
        page: The page.
        host: The only one that it may ask, with its port.
    """

    def __init__(self, page: Page, host: str) -> None:
        self._host = host
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _see(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.elsewhere.append(request.url)
