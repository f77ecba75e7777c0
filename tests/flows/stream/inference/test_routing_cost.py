"""What routing costs: nothing that a batch would notice."""

import statistics
import threading
import time
from types import SimpleNamespace
from typing import Any

from flows.stream.inference.router import Roads
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable, leaders
from tests.support.build import camera, frame

_MOST_S = 1e-4


def test_a_batch_of_eight_cameras_is_routed_in_less_than_a_tenth_of_a_millisecond() -> None:
    cameras = [f"camera-{number}" for number in range(8)]
    feeds: Any = [SimpleNamespace(camera=camera(name)) for name in cameras]
    ready = threading.Condition()
    roads = Roads(cameras, ready)
    roads.follow(RouteTable(1, compared=frozenset(cameras), challenged=leaders(cameras, 0.5)))
    frames = {name: frame(camera_id=name) for name in cameras}
    took = []
    with ready:
        for batch in range(300):
            began = time.perf_counter()
            mine = roads.of((CHAMPION, CHALLENGER)[batch % 2], feeds, now_s=batch / 25)
            batched = [frames[feed.camera.id] for feed in mine]
            roads.sent(batched)
            roads.settled(batched)
            took.append(time.perf_counter() - began)
            assert len(mine) == 4
    assert statistics.median(took) < _MOST_S
