"""The cost of routing is negligible beside a batch."""

import statistics
import threading
import time

from flows.stream.inference.router import Router
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable, leaders
from tests.support.stream_flow.build import frame

_MAX_S = 1e-4


def test_a_batch_of_eight_cameras_is_routed_in_less_than_a_tenth_of_a_millisecond() -> None:
    cameras = [f"camera-{number}" for number in range(8)]
    ready = threading.Condition()
    router = Router(cameras, ready)
    router.follow(RouteTable(1, compared=frozenset(cameras), challenged=leaders(cameras, 0.5)))
    frames = {name: frame(camera_id=name) for name in cameras}
    took = []
    with ready:
        for batch in range(300):
            began = time.perf_counter()
            mine = router.cameras_of((CHAMPION, CHALLENGER)[batch % 2], now_s=batch / 25)
            batched = [frames[name] for name in mine]
            router.sent(batched)
            router.settled(batched)
            took.append(time.perf_counter() - began)
            assert len(mine) == 4
    assert statistics.median(took) < _MAX_S
