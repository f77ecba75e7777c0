"""The listener against whoever can reach it."""

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from labeling.webhook import listener as hook_listener
from labeling.webhook.listener import HookListener
from labeling.webhook.verify import SECRET_HEADER
from streetloop.errors import ConfigError
from tests.support.stream_flow.fakes import eventually

GENUINE = {SECRET_HEADER: "open sesame"}


class Ears:
    def __init__(self) -> None:
        self.heard = 0
        self.listener = HookListener("127.0.0.1", 0, SecretStr("open sesame"), self._hear)
        self.url = f"http://127.0.0.1:{self.listener.port}/any/path"
        self.listener.start()

    def _hear(self) -> None:
        self.heard += 1

    def raw(self, data: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.listener.port), timeout=10)
        connection.sendall(data)
        return connection


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears = Ears()
    yield ears
    ears.listener.close()


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff" * 60_000])
def test_a_genuine_hook_is_heard_whatever_it_carries(ears: Ears, body: bytes) -> None:
    answer = httpx.post(ears.url, content=body, headers=GENUINE)
    assert (answer.status_code, answer.content, ears.heard) == (204, b"", 1)


@pytest.mark.parametrize("headers", [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "open sesame2"}])
def test_a_forged_hook_is_turned_away_unread(ears: Ears, headers: dict[str, str]) -> None:
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    head = f"POST / HTTP/1.1\r\n{lines}Content-Length: 60000\r\n\r\n"
    with ears.raw(head.encode()) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.0 403")  # though no body ever came
    assert ears.heard == 0


@pytest.mark.parametrize("length", ["65537", "9" * 4000, "-1", "many", ""])
def test_a_body_without_bounds_is_refused(ears: Ears, length: str) -> None:
    head = f"POST / HTTP/1.1\r\n{SECRET_HEADER}: open sesame\r\nContent-Length: {length}\r\n\r\n"
    with ears.raw(head.encode()) as connection:
        assert b" 413 " in connection.recv(1000)
    assert ears.heard == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_answered(ears: Ears, method: str) -> None:
    assert httpx.request(method, ears.url, headers=GENUINE).status_code == 501
    assert ears.heard == 0


def test_whoever_sends_nothing_does_not_keep_the_others_out(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_listener, "_SILENCE_S", 0.2)
    idle = [ears.raw(b"POST / HTTP/1.1\r\n") for _ in range(12)]

    def is_heard() -> bool:
        try:
            return httpx.post(ears.url, headers=GENUINE).status_code == 204
        except httpx.TransportError:
            return False  # turned away: all places are taken

    eventually(is_heard)
    for connection in idle:
        connection.close()


def test_odd_bytes_and_hanging_up_are_survived(ears: Ears, capfd: pytest.CaptureFixture[str]) -> None:
    for data in (b"", b"\x16\x03\x01\x00\xff" * 100, b"POST / HTTP/9.9\r\n\r\n", b"\r\n\r\n"):
        ears.raw(data).close()
    cut = f"POST / HTTP/1.1\r\n{SECRET_HEADER}: open sesame\r\nContent-Length: 50\r\n\r\nabc"
    ears.raw(cut.encode()).close()
    assert httpx.post(ears.url, headers=GENUINE).status_code == 204
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_is_a_config_error(ears: Ears) -> None:
    for host, port in (("127.0.0.1", ears.listener.port), ("no such host.", 0), ("127.0.0.1", -1)):
        with pytest.raises(ConfigError, match="not free for Label Studio's webhook"):
            HookListener(host, port, SecretStr("x"), lambda: None)


def test_closing_ends_it_though_somebody_hangs_on(ears: Ears) -> None:
    with ears.raw(b"POST / HTTP/1.1\r\n"):
        closer = threading.Thread(target=ears.listener.close)
        closer.start()
        closer.join(60)
        assert not closer.is_alive()
    with pytest.raises(httpx.TransportError):
        httpx.post(ears.url, headers=GENUINE)


def test_a_listener_that_never_began_can_be_closed() -> None:
    HookListener("127.0.0.1", 0, SecretStr("x"), lambda: None).close()
