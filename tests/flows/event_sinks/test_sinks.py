"""What holds for every sink, with the real receiver of each; and what only one does."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.event_sinks.event_sink import EventSink
from flows.event_sinks.open_sink import open_sink
from streetloop.alerting.sink_config import parse_sinks
from streetloop.errors import EventSinkError
from streetloop.ledger.alerts.event_changes import EventChange
from tests.support.servers import event_receivers
from tests.support.servers.event_receivers import (
    PASSWORD,
    RECEIVERS,
    HttpReceiver,
    KafkaReceiver,
    MqttReceiver,
    Receiver,
    SmtpReceiver,
)
from tests.support.stream_flow.fakes import eventually

pytestmark = pytest.mark.broker

_TIMEOUT_S = 1.5


def change(number: int, kind: str = "queue", what: str = "begin", camera: str | None = "a40") -> EventChange:
    event = {"id": number, "kind": kind, "camera_id": camera, "started_at": "2026-03-01T12:00:00Z"}
    event |= {"ended_at": "2026-03-01T12:01:00Z" if what == "end" else None, "cause": "ä long queue"}
    message = {"id": f"id-{number}", "schema": 1, "number": number, "change": what, "event": event}
    return EventChange(number, what, kind, camera, message)


def changes(first: int, last: int) -> list[EventChange]:
    return [change(number) for number in range(first, last)]


def ids(first: int, last: int) -> list[str]:
    return [f"id-{number}" for number in range(first, last)]


def sink_of(receiver: Receiver, **values: Any) -> EventSink:
    config = {**receiver.config, "timeout_s": _TIMEOUT_S, **values}
    return open_sink(parse_sinks({"ops": config})["ops"])


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    receiver = event_receivers.start(request.param, tmp_path)
    yield receiver
    receiver.kill()


@pytest.fixture
def sink(receiver: Receiver) -> Iterator[EventSink]:
    sink = sink_of(receiver)
    yield sink
    sink.close()


def failed(sink: EventSink, number: int) -> EventSinkError:
    began = time.monotonic()
    with pytest.raises(EventSinkError) as caught:
        sink.send([change(number)])
    assert time.monotonic() - began < 10 * _TIMEOUT_S
    assert caught.value.taken == 0
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    return caught.value


def arrived(receiver: Receiver, expected: list[str]) -> None:
    eventually(lambda: len(receiver.ids()) >= len(expected))
    assert receiver.ids() == expected


def test_changes_arrive_in_their_order(receiver: Receiver, sink: EventSink) -> None:
    sink.send(changes(0, 50))
    sink.send(changes(50, 51))
    arrived(receiver, ids(0, 51))


def test_a_receiver_that_was_killed_is_found_again(receiver: Receiver, sink: EventSink) -> None:
    sink.send(changes(0, 2))
    arrived(receiver, ids(0, 2))
    receiver.kill()
    failed(sink, 2)
    failed(sink, 2)
    receiver.start()
    sink.send(changes(2, 5))
    arrived(receiver, ids(0, 5))


def test_a_receiver_that_says_nothing_is_waited_for_no_longer_than_the_time_out(
    receiver: Receiver, sink: EventSink
) -> None:
    sink.send(changes(0, 1))
    with receiver.frozen():
        assert "in time" in str(failed(sink, 1))
        failed(sink, 1)
    sink.send(changes(1, 2))
    eventually(lambda: receiver.ids()[-1] == "id-1")


# webhook


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    yield receiver
    receiver.kill()


def test_a_body_is_signed_byte_for_byte(hook: HttpReceiver) -> None:
    sink_of(hook).send([change(1)])
    ((headers, body),) = hook.requests
    expected = "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()
    assert headers["X-Streetloop-Signature"] == expected
    assert headers["X-Streetloop-Delivery"] == "id-1"
    assert json.loads(body) == change(1).message


@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_an_answer_that_is_no_success_says_how_many_were_taken(hook: HttpReceiver, status: int) -> None:
    hook.statuses = [200, 200, status]
    sink = sink_of(hook)
    with pytest.raises(EventSinkError, match=f"answers {status}") as caught:
        sink.send(changes(0, 5))
    assert caught.value.taken == 2
    sink.send(changes(2, 5))
    assert hook.ids() == ids(0, 5)


# mqtt


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[MqttReceiver]:
    receiver = MqttReceiver(tmp_path)
    yield receiver
    receiver.kill()


def test_topics_name_camera_and_kind_and_states_are_retained(mosquitto: MqttReceiver) -> None:
    sink = sink_of(mosquitto)
    sink.send([change(1, "camera_lost"), change(2, "labels measured", camera=None)])
    eventually(lambda: len(mosquitto.ids()) == 2)
    found = {topic: payload for topic, payload, _ in mosquitto.got}
    assert json.loads(found["streetloop/a40/events/camera_lost"]) == change(1).message | {
        "event": change(1, "camera_lost").message["event"]
    }
    assert "streetloop/_system/events/labels_measured" in found
    assert found["streetloop/a40/state"] == "offline"
    assert found["streetloop/availability"] == "online"
    sink.send([change(3, "camera_lost", "end")])
    sink.close()
    mosquitto.got.clear()
    eventually(lambda: ("streetloop/availability", "offline") in retained(mosquitto).items())
    assert retained(mosquitto)["streetloop/a40/state"] == "online"


def retained(mosquitto: MqttReceiver) -> dict[str, str]:
    """What a subscriber that comes now is told."""
    import paho.mqtt.subscribe as subscribe

    auth = {"username": "street", "password": PASSWORD}
    topics = ["streetloop/a40/state", "streetloop/availability"]
    found = subscribe.simple(topics, qos=1, msg_count=2, hostname="127.0.0.1", port=mosquitto.port, auth=auth)
    return {one.topic: one.payload.decode() for one in found}


def test_home_assistant_is_told_of_cameras_and_kinds_once(mosquitto: MqttReceiver) -> None:
    sink = sink_of(mosquitto)
    sink.send([change(1), change(2), change(3, camera="b.1")])
    sink.close()
    eventually(lambda: len(mosquitto.ids()) == 3)
    found = [(topic, json.loads(payload)) for topic, payload, _ in mosquitto.got if topic.startswith("ha/")]
    assert len(found) == len(dict(found)) == 4
    kind = dict(found)["ha/event/streetloop_a40/queue/config"]
    assert kind["state_topic"] == "streetloop/a40/events/queue"
    assert kind["event_types"] == ["begin", "end", "acknowledged"]
    connection = dict(found)["ha/binary_sensor/streetloop_a40/connection/config"]
    assert (connection["state_topic"], connection["payload_on"]) == ("streetloop/a40/state", "online")
    assert connection["device"] == kind["device"]
    assert all(set(topic) <= set("abcdefghijklmnopqrstuvwxyz0123456789_/") for topic, _ in found)


def test_a_broker_that_refuses_the_password_is_named_without_it(mosquitto: MqttReceiver) -> None:
    sink = sink_of(mosquitto, url=f"mqtt://other:{PASSWORD}@127.0.0.1:{mosquitto.port}")
    assert "refuses the user or password" in str(failed(sink, 1))
    sink.close()


# kafka


def test_the_camera_is_the_key_and_each_camera_is_in_order(tmp_path: Path) -> None:
    broker = KafkaReceiver(tmp_path)
    sink = sink_of(broker)
    try:
        sent = [change(k, camera=("a", "b", None)[k % 3]) for k in range(60)]
        sink.send(sent)
        found = broker.records()
        for camera in ("a", "b", None):
            expected = [one.message for one in sent if one.camera_id == camera]
            assert [value for key, value in found if key == (camera or "")] == expected
    finally:
        sink.close()
        broker.kill()


# e-mail


@pytest.fixture
def post() -> Iterator[SmtpReceiver]:
    receiver = SmtpReceiver()
    yield receiver
    receiver.kill()


def test_a_mail_tells_of_all_that_waited(post: SmtpReceiver) -> None:
    sink_of(post).send([change(1), change(2, "camera_lost", "end"), change(3, camera=None)])
    (mail,) = post.mails
    assert mail["Subject"] == "[streetloop] 3 changes: queue, camera_lost"
    assert (mail["From"], mail["To"]) == ("streetloop@example.org", "ann@example.org")
    text = mail.get_content().replace("\r\n", "\n")
    assert "a40: queue began\n  began 2026-03-01T12:00:00Z\n  ä long queue\n  event 1" in text
    assert "a40: camera_lost ended" in text
    sink_of(post).send([change(4)])
    assert post.mails[1]["Subject"] == "[streetloop] a40: queue began"


def test_a_server_that_refuses_a_mail_or_offers_no_encryption_is_named(post: SmtpReceiver) -> None:
    post.refusal = "451 try again later"
    assert "refuses the mail" in str(failed(sink_of(post), 1))
    secret = sink_of(post, url=f"smtp://street:{PASSWORD}@127.0.0.1:{post.port}")
    assert "offers no encryption" in str(failed(secret, 1))
    assert post.mails == []
