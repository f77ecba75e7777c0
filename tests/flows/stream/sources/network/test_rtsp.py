import socket
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest

from flows.stream.sources import rtsp
from flows.stream.sources.rtsp import RtspSource
from streetloop.errors import ConfigError, SourceRefused, SourceStalled, SourceUnavailable, SourceUnreadable
from streetloop.secrets import SecretUri
from tests.support.stream_flow.fakes import PATIENCE_S, FakeClock

_SECRET = "s3cret"
_OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


class _Server:
    """A server on a local port that sends every client the same bytes.

    Until it listens, connections to its port are refused.
    """

    def __init__(self, says: bytes | None) -> None:
        self.requests: list[bytes] = []
        self._says = says
        self._quiet: list[socket.socket] = []
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def listen(self) -> None:
        self._socket.listen()
        self._thread.start()

    def close(self) -> None:
        if self._thread.ident is not None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(PATIENCE_S)
        for connection in (self._socket, *self._quiet):
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            self.requests.append(connection.recv(1000))
            if self._says is None:
                self._quiet.append(connection)
                continue
            connection.sendall(self._says)
            connection.close()


@pytest.fixture
def server() -> Iterator[Callable[[bytes | None], _Server]]:
    servers: list[_Server] = []

    def make(says: bytes | None) -> _Server:
        servers.append(_Server(says))
        return servers[-1]

    yield make
    for one in servers:
        one.close()


Make = Callable[[bytes | None], _Server]


class _Then(FakeClock):
    """A clock that does something once ``after_s`` seconds have passed."""

    def __init__(self, after_s: float, action: Callable[[], None]) -> None:
        super().__init__()
        self._after_s = after_s
        self._action: Callable[[], None] | None = action

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        is_set = super().wait(event, timeout_s)
        if self._action is not None and self.monotonic() >= self._after_s:
            self._action()
            self._action = None
        return is_set


def _source(port: int, clock: FakeClock | None = None) -> RtspSource:
    uri = SecretUri(f"rtsp://admin:{_SECRET}@127.0.0.1:{port}/ch1")
    return RtspSource(uri, "tcp", clock or FakeClock())


def test_an_absent_server_is_unavailable_and_the_error_hides_the_password(server: Make) -> None:
    source = _source(server(None).port)

    with pytest.raises(SourceUnavailable) as caught:
        source.probe()
    assert "rtsp://***@127.0.0.1" in str(caught.value)
    assert _SECRET not in "".join(traceback.format_exception(caught.value))

    with pytest.raises(SourceUnavailable) as caught:
        next(source.read(threading.Event()))
    assert _SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "address", ["", ":554", "10.0.0.7:99999", "10.0.0.7:-1", "10.0.0.7:http", "[::1", "fe80::1]"]
)
def test_the_error_of_a_malformed_uri_hides_the_password(address: str) -> None:
    uri = SecretUri(f"rtsp://admin:{_SECRET}@{address}/ch1")

    with pytest.raises(ConfigError) as caught:
        RtspSource(uri, "tcp", FakeClock())
    assert _SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("address", ["10.0.0.7", "camera.local:8554", "[fe80::1]", "[::1]:554"])
def test_the_constructor_connects_to_nothing(address: str) -> None:
    source = RtspSource(SecretUri(f"rtsp://{address}/ch1"), "udp", FakeClock())

    assert source.live
    assert source.nominal_fps == 0


def test_only_a_refusal_is_final() -> None:
    source = _source(554)

    assert source.is_final(SourceRefused("401"))
    for error in (SourceUnavailable("gone"), SourceStalled("silent"), SourceUnreadable("noise")):
        assert not source.is_final(error)


def test_the_wait_for_an_absent_server_lasts_its_whole_time(server: Make) -> None:
    clock = FakeClock()
    _source(server(None).port, clock).wait_for_return(threading.Event(), 20.0)

    assert clock.monotonic() == pytest.approx(20.0)


def test_the_return_of_a_server_ends_the_wait_early(server: Make) -> None:
    away = server(_OK)
    clock = _Then(6.0, away.listen)
    _source(away.port, clock).wait_for_return(threading.Event(), 20.0)

    assert 6.0 <= clock.monotonic() <= 8.0


def test_a_server_that_answers_all_along_is_pinged_once_and_waited_for(server: Make) -> None:
    up = server(_OK)
    up.listen()
    clock = FakeClock()
    _source(up.port, clock).wait_for_return(threading.Event(), 20.0)

    assert clock.monotonic() == pytest.approx(20.0)
    assert len(up.requests) == 1


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_another_service_on_the_port_is_not_the_servers_return(server: Make, says: bytes) -> None:
    other = server(says)
    clock = _Then(3.0, other.listen)
    _source(other.port, clock).wait_for_return(threading.Event(), 10.0)

    assert clock.monotonic() == pytest.approx(10.0)
    assert other.requests


def test_a_frozen_server_does_not_count_as_answering(server: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # The wait for its answer is real time: a second each in operation.
    monkeypatch.setattr(rtsp, "_PING_TIMEOUT_S", 0.02)
    frozen = server(None)
    frozen.listen()
    clock = FakeClock()
    _source(frozen.port, clock).wait_for_return(threading.Event(), 6.0)

    assert clock.monotonic() == pytest.approx(6.0)
    assert len(frozen.requests) > 1


def test_a_ping_sends_no_password(server: Make) -> None:
    up = server(_OK)
    up.listen()
    _source(up.port).wait_for_return(threading.Event(), 1.0)

    assert up.requests[0].startswith(f"OPTIONS rtsp://127.0.0.1:{up.port}/ RTSP/1.0\r\n".encode())
    assert up.requests[0].endswith(b"\r\n\r\n")
    assert _SECRET.encode() not in up.requests[0]


def test_closing_ends_the_wait(server: Make) -> None:
    clock = FakeClock()
    stop = threading.Event()
    stop.set()
    _source(server(None).port, clock).wait_for_return(stop, 20.0)

    assert clock.monotonic() == 0.0
