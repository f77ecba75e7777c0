"""What a replica asks Ray for."""

import pytest

from serve.detector import deployment
from serve.detector.deployment import room_of_replica
from streetloop.settings import Settings

HERE = {"node:127.0.0.1": 0.001}


@pytest.mark.parametrize(
    ("spread", "has_gpu", "cpus", "gpus"),
    [(False, False, 0, 0), (False, True, 0, 0.5), (True, False, 0.5, 0), (True, True, 0, 0.5)],
)
def test_on_one_machine_any_number_of_champions_finds_room(
    monkeypatch: pytest.MonkeyPatch, spread: bool, has_gpu: bool, cpus: float, gpus: float
) -> None:
    monkeypatch.setattr(deployment, "is_spread", lambda _: spread)
    monkeypatch.setattr(deployment, "on_this_node", lambda: HERE)
    room = room_of_replica(Settings(gpus_per_replica=0.5), has_gpu)
    assert room == {"num_cpus": cpus, "num_gpus": gpus, "resources": {} if spread else HERE}
