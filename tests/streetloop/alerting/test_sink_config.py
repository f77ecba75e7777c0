from typing import Any

import pytest

from streetloop.alerting.sink_config import EventSinkConfig, parse_sinks, resolve_sinks
from streetloop.cameras.camera_file import parse_cameras
from streetloop.errors import ConfigError

SECRET = "hunter2"
HOOK = {"type": "webhook", "url": f"https://ops.example.org/hook/{SECRET}", "secret": SECRET}
FILE = """
cameras: [{id: a40, uri: 'sim://larkfield/gantry'}]
sinks:
  ops: {type: webhook, url: 'https://u:hunter2@ops.example.org/hunter2', kinds: [camera_lost]}
"""


def refusal(**values: Any) -> str:
    with pytest.raises(ValueError, match="'ops': ") as caught:
        parse_sinks({"ops": {**HOOK, **values}})
    said = str(caught.value)
    assert SECRET not in said
    assert "\n" not in said
    return said


def test_a_sink_is_read_from_the_camera_file_and_prints_no_secret() -> None:
    file = parse_cameras(FILE)
    ops = file.sinks["ops"]
    assert (ops.type, ops.kinds, ops.cameras) == ("webhook", ("camera_lost",), None)
    assert ops.url.reveal() == "https://u:hunter2@ops.example.org/hunter2"
    assert str(ops.url) == "https://ops.example.org"
    assert SECRET not in repr(file)
    assert SECRET not in repr(parse_sinks({"ops": HOOK}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": f"mqtt://{SECRET}"}, "url: begins with http:// or https://"),
        ({"url": f"https:///{SECRET}"}, "url: names no host"),
        ({"url": f"https://[{SECRET}"}, "url: is no valid address"),
        ({"url": 5}, "url: must be an address"),
        ({"type": "pigeon"}, "type: input should be 'webhook'"),
        ({"kinds": []}, "kinds: "),
        ({"kinds": "camera_lost"}, "kinds: "),
        ({"topic": "a"}, "topic: is for type mqtt and kafka, not for webhook"),
        ({"discovery": "ha"}, "discovery: is for type mqtt, not for webhook"),
        ({"rate_limit": 0}, "rate_limit: "),
        ({"uri": SECRET}, "unknown key 'uri'; known are type, url"),
        ({"from": "a@b"}, "from: is for type email"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_sink_and_key(values: dict[str, Any], said: str) -> None:
    assert said in refusal(**values)


def test_an_email_needs_both_ends() -> None:
    mail = {"type": "email", "url": "smtp://host", "from": "streetloop@example.org"}
    with pytest.raises(ValueError, match="an e-mail needs both"):
        parse_sinks({"mail": mail})
    with pytest.raises(ValueError, match="to: is no e-mail address"):
        parse_sinks({"mail": {**mail, "to": ["nobody"]}})
    assert parse_sinks({"mail": {**mail, "to": ["ann@example.org"]}})["mail"].to == ("ann@example.org",)


def test_the_file_names_itself_in_what_it_refuses() -> None:
    with pytest.raises(ConfigError, match=r"^city.yaml: sinks: 'ops': unknown key 'kind'") as caught:
        parse_cameras(FILE.replace("kinds", "kind"), "city.yaml")
    assert SECRET not in str(caught.value)


def resolved(environment: dict[str, str], **values: Any) -> EventSinkConfig:
    return resolve_sinks(parse_sinks({"ops": {**HOOK, **values}}), environment)["ops"]


def test_variables_are_filled_in_and_escaped_where_they_are_a_part_of_the_address() -> None:
    found = resolved({"PW": "a/b@c"}, url="https://u:${PW}@ops.example.org", secret="${PW}")
    assert found.url.reveal() == "https://u:a%2Fb%40c@ops.example.org"
    assert found.secret is not None
    assert found.secret.get_secret_value() == "a/b@c"
    whole = resolved({"URL": "https://host/a?b=c"}, url="${URL}")
    assert whole.url.reveal() == "https://host/a?b=c"


@pytest.mark.parametrize("environment", [{}, {"URL": ""}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="sink 'ops': the environment variable URL is not set"):
        resolved(environment, url="${URL}")


def test_an_address_of_a_variable_is_checked_without_being_shown() -> None:
    with pytest.raises(ConfigError, match="sink 'ops': url: begins with http") as caught:
        resolved({"URL": f"ftp://{SECRET}"}, url="${URL}")
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(parse_sinks({"ops": {**HOOK, "url": "${" + SECRET + "}"}})["ops"].url)


def test_detections_are_for_brokers_and_have_a_rate_and_a_topic() -> None:
    bus = {"type": "kafka", "url": "kafka://host:9092", "detections": True}
    found = parse_sinks({"bus": {**bus, "detection_fps": 5, "detection_topic": "city.boxes"}})["bus"]
    assert (found.detections, found.detection_fps, found.detection_topic) == (True, 5, "city.boxes")
    assert parse_sinks({"bus": bus})["bus"].detection_fps == 1
    for changes, words in (
        ({"detections": False, "detection_fps": 2}, "detection_fps: needs detections: true"),
        ({"type": "mqtt", "url": "mqtt://host", "detection_topic": "a"}, "is for type kafka"),
        ({"detection_fps": 0}, "detection_fps"),
    ):
        with pytest.raises(ValueError, match=words):
            parse_sinks({"bus": {**bus, **changes}})
    with pytest.raises(ValueError, match="detections: is for type mqtt and kafka, not for webhook"):
        parse_sinks({"ops": {"type": "webhook", "url": "https://h/x", "detections": True}})
