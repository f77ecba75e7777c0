"""A process that dies is noticed, and one that is slow is not."""

import socket
import threading

from flows.runtime.cluster.ray_watch import RayWatch, is_listening
from tests.support.stream_flow.fakes import eventually


def test_a_process_that_dies_is_told_once_by_name() -> None:
    told: list[str] = []
    noticed = threading.Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        noticed.set()

    with socket.create_server(("127.0.0.1", 0)) as lives, socket.create_server(("127.0.0.1", 0)) as dies:
        where, port = dies.getsockname()
        watch = RayWatch({"gcs_server": lives.getsockname(), "raylet": (where, port)}, tell)
        watch.start()
        assert not noticed.wait(2.5), "neither accepts, as a process that has no time"
        dies.close()
        assert noticed.wait(30)
        watch.close()
    assert told == [f"Ray's raylet at 127.0.0.1:{port} died"]


def test_what_dies_after_the_end_is_not_told() -> None:
    told: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))
    watch = RayWatch({"raylet": server.getsockname()}, told.append)
    watch.start()
    watch.close()
    server.close()
    assert told == []


def test_a_look_tells_what_the_thread_has_not_noticed_yet() -> None:
    told: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))
    where, port = server.getsockname()
    watch = RayWatch({"raylet": (where, port)}, told.append)
    assert not watch.look()
    server.close()
    assert watch.look()
    assert watch.look(), "and it stays dead"
    assert told == [f"Ray's raylet at {where}:{port} died"]


def test_a_process_that_may_come_back_is_waited_for() -> None:
    told: list[str] = []
    head = socket.create_server(("127.0.0.1", 0))
    where, port = head.getsockname()
    waits = RayWatch({"gcs_server": (where, port)}, told.append, {"gcs_server": 3600.0})
    hurries = RayWatch({"gcs_server": (where, port)}, told.append, {"gcs_server": 0.2})
    head.close()
    assert not waits.look()
    assert not hurries.look()
    eventually(hurries.look)
    assert not waits.look()
    with socket.create_server((where, port)):
        assert not waits.look()


def test_who_listens_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = server.getsockname()
        assert is_listening(where)
    assert not is_listening(where)
