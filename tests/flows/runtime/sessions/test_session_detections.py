"""A run sends detections to brokers, and loses no frame to one that is away."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.programs.cli import Command
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.servers.event_receivers import MqttReceiver
from tests.support.servers.ports import free_port
from tests.support.stream_flow.fakes import eventually

pytestmark = [pytest.mark.ray, pytest.mark.broker]


def test_detections_reach_a_broker_and_one_that_is_away_costs_no_frame(tmp_path: Path) -> None:
    receiver = MqttReceiver(tmp_path)
    model = write_tiny_model(tmp_path / "tiny.onnx", detector_output((50, 50, 30, 30, 0, 0.9)))
    away = {"type": "mqtt", "url": f"mqtt://127.0.0.1:{free_port()}", "detections": True}
    document = {
        "cameras": [{"id": "a40", "uri": "sim://larkfield/gantry?size=160x96&frames=60&live=0"}],
        "settings": {"gate": False, "drift": False, "triage": False},
        "sinks": {"home": {**receiver.config, "detections": True, "detection_fps": 2}, "away": away},
    }
    (tmp_path / "cameras.yaml").write_text(yaml.safe_dump(document))
    arguments = ["run", str(tmp_path / "cameras.yaml"), "--model", str(model), "--json"]
    done = Command(*arguments, home=tmp_path / "home").finish()
    assert done.json["cameras"]["a40"]["detected"] == 60, done.stderr
    (problem,) = done.json["problems"]
    assert problem.startswith("sink away: detections of 6 frames are dropped: mqtt://127.0.0.1")
    topic = "streetloop/a40/detections"
    eventually(lambda: sum(one[0] == topic for one in list(receiver.got)) == 12)
    messages = [json.loads(payload) for name, payload, _ in receiver.got if name == topic]
    assert [one["frame_id"] for one in messages] == list(range(0, 60, 5))
    assert messages[-1]["detections"][0]["class"] == "car"
    receiver.kill()
