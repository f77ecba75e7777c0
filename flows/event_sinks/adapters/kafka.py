"""A Kafka cluster, through aiokafka: a record a change, with the camera as its key."""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka import errors as kafka_errors
from aiokafka.helpers import create_ssl_context  # type: ignore[import-untyped]

from flows.event_sinks.detections.message import DetectionMessage
from streetloop.alerting.sink_config import DETECTIONS_TOPIC, EVENTS_TOPIC, EventSinkConfig
from streetloop.errors import EventSinkError
from streetloop.ledger.alerts.event_changes import EventChange

_CLOSE_S = 2.0
_REASONS: Mapping[type[BaseException], str] = {
    kafka_errors.AuthenticationFailedError: "refuses the user or password",
    kafka_errors.TopicAuthorizationFailedError: "this user may not write the topic",
    kafka_errors.UnknownTopicOrPartitionError: "has no such topic",
    kafka_errors.MessageSizeTooLargeError: "takes no message of this size",
    kafka_errors.KafkaTimeoutError: "no answer in time",
    kafka_errors.KafkaConnectionError: "cannot be reached",
    kafka_errors.KafkaError: "refuses the message",
    TimeoutError: "no answer in time",
    OSError: "cannot be reached",
}
"""The errors of aiokafka in our words; the first kind that fits counts."""

T = TypeVar("T")


class KafkaSink:
    """See `EventSink`. All replicas in sync confirm each record.

    Args:
        config: ``topic`` takes the events, ``detection_topic`` the detections; a user in ``url``
            signs in by SASL PLAIN.
    """

    batch_size = 200
    batches = False

    def __init__(self, config: EventSinkConfig) -> None:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what fails is raised, and said once
        self._config, self._shown = config, str(config.url)
        self._topic = config.topic or EVENTS_TOPIC
        self._detection_topic = config.detection_topic or DETECTIONS_TOPIC
        self._loop: asyncio.AbstractEventLoop | None = None
        self._producer: AIOKafkaProducer | None = None

    def send(self, changes: Sequence[EventChange]) -> None:
        """See `EventSink.send`."""
        messages = [json.dumps(change.message, ensure_ascii=False) for change in changes]
        keys = [change.camera_id or "" for change in changes]
        self._send_all(self._topic, list(zip(keys, messages, strict=True)))

    def send_detections(self, messages: Sequence[DetectionMessage]) -> None:
        """See `flows.event_sinks.detections.detection_stream.DetectionSink.send_detections`."""
        self._send_all(self._detection_topic, [(one.camera_id, one.payload) for one in messages])

    def _send_all(self, topic: str, records: Sequence[tuple[str, str]]) -> None:
        """Send records of key and value, and wait until all are confirmed."""
        confirmed: list[object] = []
        try:
            self._run(self._send(topic, records, confirmed), self._config.timeout_s)
        except tuple(_REASONS) as error:
            self._drop()
            # `from None`: the vendor's exception may hold the password.
            raise EventSinkError(f"{self._shown}: {_reason(error)}", len(confirmed)) from None

    def close(self) -> None:
        """See `EventSink.close`."""
        self._drop()

    async def _send(self, topic: str, records: Sequence[tuple[str, str]], confirmed: list[object]) -> None:
        producer = self._producer
        if producer is None:
            self._producer = producer = self._make()
            await producer.start()
        futures = []
        for key, value in records:
            futures.append(await producer.send(topic, value.encode(), key=key.encode()))
        for future in futures:
            confirmed.append(await future)

    def _make(self) -> AIOKafkaProducer:
        parts, timeout_ms = urlsplit(self._config.url.reveal()), round(1000 * self._config.timeout_s)
        is_encrypted, has_user = parts.scheme == "kafkas", parts.username is not None
        protocol = ("SASL_" if has_user else "") + ("SSL" if is_encrypted else "PLAINTEXT")
        return AIOKafkaProducer(
            bootstrap_servers=parts.netloc.rpartition("@")[2].split(","),
            client_id="streetloop",
            acks="all",
            request_timeout_ms=timeout_ms,
            security_protocol=protocol,
            ssl_context=create_ssl_context() if is_encrypted else None,
            sasl_plain_username=unquote(parts.username or "") if has_user else None,
            sasl_plain_password=unquote(parts.password or "") if has_user else None,
        )

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(asyncio.wait_for(work, timeout_s))

    def _drop(self) -> None:
        """Forget the connection, and what it did not send."""
        producer, self._producer = self._producer, None
        loop, self._loop = self._loop, None
        if loop is None:
            return
        loop.run_until_complete(_end(producer))
        loop.close()


async def _end(producer: AIOKafkaProducer | None) -> None:
    """Stop a producer and all that it has begun: what it still holds is sent again."""
    if producer is not None:
        await asyncio.wait({asyncio.ensure_future(producer.stop())}, timeout=_CLOSE_S)
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)


def _reason(error: BaseException) -> str:
    return next(text for kind, text in _REASONS.items() if isinstance(error, kind))
