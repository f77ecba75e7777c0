"""An MQTT broker, through paho: a topic a camera and kind, and retained states."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from flows.event_sinks.adapters.home_assistant import Announcement, Discovery
from flows.event_sinks.detections.message import DetectionMessage
from streetloop.alerting.sink_config import MQTT_PREFIX, EventSinkConfig
from streetloop.errors import EventSinkError
from streetloop.ledger.alerts.event_changes import BEGIN, END, EventChange

ONLINE, OFFLINE = "online", "offline"
NO_CAMERA = "_system"
"""Stands in topics for the camera of events that concern none; no camera has this id."""

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_CAMERA_LOST = "camera_lost"
_REFUSALS = {
    "Bad user name or password": "refuses the user or password",
    "Not authorized": "refuses the user or password",
}
_LOOK_S = 0.1


class MqttSink:
    """See `EventSink`. Messages have QoS 1: the broker confirms each.

    ``PREFIX/CAMERA/events/KIND`` has changes of events, ``PREFIX/CAMERA/state`` retains ``online``
    or ``offline``, and ``PREFIX/availability`` the same of streetloop itself.
    ``PREFIX/CAMERA/detections`` has detections.

    Args:
        config: ``topic`` is the prefix; ``discovery`` announces cameras to Home Assistant.
        announces: Whether it says that streetloop is there; only one connection may.
    """

    batch_size = 200
    batches = False

    def __init__(self, config: EventSinkConfig, *, announces: bool = True) -> None:
        self._announces = announces
        self._shown, self._timeout_s = str(config.url), config.timeout_s
        self._url = urlsplit(config.url.reveal())
        self._prefix = config.topic or MQTT_PREFIX
        self._discovery = None if config.discovery is None else Discovery(config.discovery, self._prefix)
        self._client: paho.Client | None = None
        self._lost = threading.Event()

    def send(self, changes: Sequence[EventChange]) -> None:
        """See `EventSink.send`."""
        client = self._client or self._connect()
        self._confirm([self._publish(client, change) for change in changes])

    def send_detections(self, messages: Sequence[DetectionMessage]) -> None:
        """See `flows.event_sinks.detections.detection_stream.DetectionSink.send_detections`."""
        client = self._client or self._connect()
        topics = [f"{self._prefix}/{one.camera_id}/detections" for one in messages]
        self._confirm(
            [client.publish(topic, one.payload, qos=1) for topic, one in zip(topics, messages, strict=True)]
        )

    def _confirm(self, last: Sequence[paho.MQTTMessageInfo]) -> None:
        """Wait until the broker has confirmed all messages."""
        end = time.monotonic() + self._timeout_s
        for taken, info in enumerate(last):
            if not self._is_confirmed(info, end):
                why = "the connection broke" if self._lost.is_set() else "no answer in time"
                self._drop()
                raise EventSinkError(f"{self._shown}: {why}", taken)

    def close(self) -> None:
        """See `EventSink.close`."""
        if self._client is not None and self._announces:
            info = self._retain(self._client, f"{self._prefix}/availability", OFFLINE)
            self._is_confirmed(info, time.monotonic() + 1.0)
        self._drop()

    def _publish(self, client: paho.Client, change: EventChange) -> paho.MQTTMessageInfo:
        """Publish all messages of a change; the last of them."""
        camera, kind = change.camera_id, change.kind.replace(" ", "_")
        if camera is not None and change.kind == _CAMERA_LOST and change.change in {BEGIN, END}:
            is_live = change.message["event"]["ended_at"] is not None
            self._retain(client, f"{self._prefix}/{camera}/state", ONLINE if is_live else OFFLINE)
        if self._discovery is not None and camera is not None:
            self._announce(client, self._discovery.camera(camera))
            self._announce(client, self._discovery.kind(camera, kind))
        topic = f"{self._prefix}/{camera or NO_CAMERA}/events/{kind}"
        return client.publish(topic, json.dumps(change.message, ensure_ascii=False), qos=1)

    def _announce(self, client: paho.Client, found: Announcement | None) -> None:
        if found is not None:
            self._retain(client, found.topic, json.dumps(found.document))

    @staticmethod
    def _retain(client: paho.Client, topic: str, payload: str) -> paho.MQTTMessageInfo:
        return client.publish(topic, payload, qos=1, retain=True)

    def _is_confirmed(self, info: paho.MQTTMessageInfo, end: float) -> bool:
        try:
            while not info.is_published() and not self._lost.is_set() and time.monotonic() < end:
                info.wait_for_publish(_LOOK_S)
            return info.is_published()
        except (ValueError, RuntimeError):  # not connected any more
            return False

    def _connect(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.connect_timeout = self._timeout_s
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(self.batch_size)
        if self._url.username is not None:
            client.username_pw_set(unquote(self._url.username), unquote(self._url.password or ""))
        if self._url.scheme == "mqtts":
            client.tls_set()
        if self._announces:
            client.will_set(f"{self._prefix}/availability", OFFLINE, qos=1, retain=True)
        answered, refused, lost = threading.Event(), list[str](), threading.Event()

        def on_connect(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
            if reason.is_failure:
                refused.append(str(reason))
            answered.set()

        def on_disconnect(*_: Any) -> None:
            lost.set()
            answered.set()

        client.on_connect, client.on_disconnect = on_connect, on_disconnect
        try:
            client.connect(str(self._url.hostname), self._url.port or _PORTS[self._url.scheme])
        except (OSError, ValueError) as error:
            raise EventSinkError(f"{self._shown}: cannot be reached: {_plain(error)}") from None
        client.loop_start()
        self._client, self._lost = client, lost
        if not answered.wait(self._timeout_s) or refused or lost.is_set():
            self._drop()
            why = _REFUSALS.get(refused[0], refused[0]) if refused else "no answer in time"
            raise EventSinkError(f"{self._shown}: {why}")
        if self._announces:
            self._retain(client, f"{self._prefix}/availability", ONLINE)
        return client

    def _drop(self) -> None:
        """Forget the connection, and what it did not send."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        if self._discovery is not None:
            self._discovery.forget()


def _plain(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return strerror if isinstance(strerror, str) else type(error).__name__
