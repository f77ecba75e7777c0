"""A relay before an RTSP server that is slow, refuses, or hangs up."""

import contextlib
import socket
import threading
import time
from typing import Self

_DENIED = b'RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\nWWW-Authenticate: Basic realm="relay"\r\n\r\n'


class RtspRelay:
    """Forwards connections to a server on this machine.

    Args:
        target: Port of the server.
        describe_s: Seconds that it holds back each ``DESCRIBE``.

    Attributes:
        port: Where it listens.
        refuses: Answer each ``DESCRIBE`` with 401 in place of the server.
        described: Number of ``DESCRIBE`` so far.
        most_at_once: Largest number of ``DESCRIBE`` that waited at the same time.
    """

    def __init__(self, target: int, describe_s: float = 0.0) -> None:
        self._target, self._describe_s = target, describe_s
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.refuses = False
        self.described = self.most_at_once = self._waiting = 0
        self._closed = threading.Event()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.hang_up()

    def url(self, name: str) -> str:
        """Address of a camera behind the relay."""
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def hang_up(self) -> None:
        """End every connection."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def refuse_for(self, seconds: float) -> None:
        """Hang up, and refuse from now on for a while."""
        self.refuses = True
        self.hang_up()

        def relent() -> None:
            self._closed.wait(seconds)
            self.refuses = False

        threading.Thread(target=relent, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._open += [client, server]
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if data.startswith(b"DESCRIBE"):
                    self._hold()
                    if self.refuses:
                        number = data.split(b"CSeq:")[1].split(b"\r\n")[0].strip()
                        client.sendall(_DENIED % number)
                        continue
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def _hold(self) -> None:
        self.described += 1
        self._waiting += 1
        self.most_at_once = max(self.most_at_once, self._waiting)
        until = time.monotonic() + self._describe_s
        while (left := until - time.monotonic()) > 0 and not self._closed.wait(left):
            pass
        self._waiting -= 1


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
