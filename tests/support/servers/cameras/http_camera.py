"""A real HTTP server of pictures on this machine: good ones, and all that servers do instead."""

import contextlib
import hashlib
import threading
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import numpy as np

from streetloop.images import encode_jpeg

Answer = Callable[["Request"], None]


def jpeg(gray: int = 90, width: int = 96, height: int = 64) -> bytes:
    """A picture of one gray."""
    return encode_jpeg(np.full((height, width, 3), gray, np.uint8))


class Request(BaseHTTPRequestHandler):
    """A request, with short ways to answer it."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the path was told to."""
        camera = self.server.camera
        path = self.path.partition("?")[0]
        camera.asked.append((self.path, self.headers.get("Authorization")))
        with contextlib.suppress(OSError):
            camera.answers.get(path, lambda request: request.say(404))(self)

    def say(self, status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> None:
        """A whole answer."""
        self.begin(status, kind, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def begin(self, status: int, kind: str, **headers: str) -> None:
        """The head of an answer; without a length the body ends with the connection."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def pause(self, seconds: float) -> None:
        """Wait, unless the server is closed meanwhile."""
        if self.server.camera.closed.wait(seconds):
            raise ConnectionAbortedError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    camera: "HttpCamera"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""


class HttpCamera:
    """The server.

    Attributes:
        answers: What each path does; others are not found.
        asked: Address and authorization of each request.
        closed: Set when it is closed.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.closed = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.camera = self

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str, login: str = "", scheme: str = "http") -> str:
        """The address of a path, with ``user:password@`` if given."""
        return f"{scheme}://{login}127.0.0.1:{self._server.server_address[1]}{path}"

    def serve_folder(self, folder: Path) -> None:
        """Give out the files of a folder."""
        kinds = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".mp4": "video/mp4"}
        for file in folder.iterdir():
            kind = kinds.get(file.suffix, "application/octet-stream")
            self.answers[f"/{file.name}"] = _file(file, kind)


def _file(file: Path, kind: str) -> Answer:
    return lambda request: request.say(200, file.read_bytes(), kind)


def mjpeg(grays: list[int], *, period_s: float = 0.0, length: bool = True, dashes: str = "") -> Answer:
    """Pictures in a row, after which the connection ends."""

    def answer(request: Request) -> None:
        request.begin(200, f"multipart/x-mixed-replace; boundary={dashes}frame")
        for gray in grays:
            data = jpeg(gray)
            size = f"Content-Length: {len(data)}\r\n" if length else ""
            head = f"--frame\r\nContent-Type: image/jpeg\r\n{size}\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")
            request.pause(period_s)
        request.wfile.write(b"--frame--\r\n")

    return answer


def snapshots(*grays: int) -> Answer:
    """Another picture each time, over and over."""
    count = iter(range(10**9))
    return lambda request: request.say(200, jpeg(grays[next(count) % len(grays)]), "image/jpeg")


def basic(user: str, password: str, then: Answer) -> Answer:
    """Ask for Basic credentials first."""
    right = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

    def answer(request: Request) -> None:
        if request.headers.get("Authorization") == right:
            then(request)
        else:
            request.say(401, WWW_Authenticate='Basic realm="camera"')

    return answer


def digest(user: str, password: str, then: Answer) -> Answer:
    """Ask for Digest credentials first."""

    def answer(request: Request) -> None:
        given = request.headers.get("Authorization", "")
        ha1 = hashlib.md5(f"{user}:camera:{password}".encode()).hexdigest()
        ha2 = hashlib.md5(f"GET:{request.path}".encode()).hexdigest()
        if hashlib.md5(f"{ha1}:n1:{ha2}".encode()).hexdigest() in given:
            then(request)
        else:
            request.say(401, WWW_Authenticate='Digest realm="camera", nonce="n1"')

    return answer


def redirect(to: str, status: int = 302) -> Answer:
    """Send elsewhere."""
    return lambda request: request.say(status, Location=to)


def trickle(kind: str, piece: bytes, pause_s: float) -> Answer:
    """A body that never ends, piece by piece."""

    def answer(request: Request) -> None:
        request.begin(200, kind)
        while True:
            request.wfile.write(piece)
            request.pause(pause_s)

    return answer


def parts_of(*bodies: bytes) -> Answer:
    """MJPEG of these bytes, whether they are pictures or not."""
    pieces = [b"--frame\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), body) for body in bodies]
    kind = "multipart/x-mixed-replace; boundary=frame"
    return lambda request: request.say(200, b"".join(pieces), kind)


def unfinished(status: int, **headers: str) -> Answer:
    """An answer whose body begins and does not end."""

    def answer(request: Request) -> None:
        request.begin(status, "text/plain", **headers)
        request.wfile.write(b"x" * 10_000)
        request.pause(30)

    return answer
