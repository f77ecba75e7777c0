import threading

import pytest

from flows.stream.inference.router import Router
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from tests.support.stream_flow.build import frame

OWN = "champion-Oslo"
TO_CHALLENGER = RouteTable(compared=frozenset("ab"), challenged=frozenset("a"))


class _Routed:
    """A router of three cameras."""

    def __init__(self) -> None:
        self.ready = threading.Condition()
        self.router = Router("abc", self.ready)

    def cameras_of(self, application: str, now_s: float = 0.0) -> str:
        """The cameras whose frames may go to an application."""
        with self.ready:
            return "".join(sorted(self.router.cameras_of(application, now_s)))

    def sent(self, *cameras: str) -> None:
        with self.ready:
            self.router.sent([frame(camera_id=c) for c in cameras])

    def settled(self, *cameras: str) -> None:
        with self.ready:
            self.router.settled([frame(camera_id=c) for c in cameras])


@pytest.fixture
def routed() -> _Routed:
    return _Routed()


def test_without_a_table_every_camera_is_at_the_champion(routed: _Routed) -> None:
    assert routed.cameras_of(CHAMPION) == "abc"
    assert routed.cameras_of(CHALLENGER) == ""


def test_a_table_moves_cameras_that_have_no_frame_in_flight(routed: _Routed) -> None:
    routed.router.follow(TO_CHALLENGER)
    assert routed.cameras_of(CHAMPION) == "bc"
    assert routed.cameras_of(CHALLENGER) == "a"
    routed.router.follow(RouteTable(champion_applications={"c": OWN}))
    assert (routed.cameras_of(CHAMPION), routed.cameras_of(CHALLENGER), routed.cameras_of(OWN)) == (
        "ab",
        "",
        "c",
    )


def test_a_camera_with_frames_in_flight_moves_once_they_are_settled(routed: _Routed) -> None:
    routed.sent("a", "a")
    routed.router.follow(TO_CHALLENGER)
    for _ in range(2):
        # Neither application may take more of its frames: not the old one, and not yet the new one.
        assert routed.cameras_of(CHAMPION) == "bc"
        assert routed.cameras_of(CHALLENGER) == ""
        routed.settled("a")
    assert routed.cameras_of(CHALLENGER) == "a"


def test_a_table_that_is_revoked_at_once_moves_no_camera_with_frames_in_flight(routed: _Routed) -> None:
    routed.sent("a")
    routed.router.follow(TO_CHALLENGER)
    routed.router.follow(RouteTable())
    assert routed.cameras_of(CHAMPION) == "abc"


def test_waiting_dispatchers_are_notified_of_tables_and_of_settled_frames(routed: _Routed) -> None:
    woken = []

    def wait() -> None:
        with routed.ready:
            waiting.set()
            woken.append(routed.ready.wait(60))

    for wake in (lambda: routed.router.follow(TO_CHALLENGER), lambda: routed.settled("b")):
        routed.sent("b")
        waiting = threading.Event()
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(60)
        wake()
        thread.join(60)
    assert woken == [True, True]


# Suspension


def test_a_suspended_challengers_cameras_are_at_the_champion_for_two_seconds(routed: _Routed) -> None:
    routed.router.follow(TO_CHALLENGER)
    assert routed.cameras_of(CHALLENGER, 10.0) == "a"
    routed.router.suspend_challenger(10.0)
    assert routed.cameras_of(CHAMPION, 10.0) == "abc"
    assert routed.cameras_of(CHALLENGER, 11.9) == ""
    assert routed.cameras_of(CHALLENGER, 12.0) == "a"
    assert routed.cameras_of(CHAMPION, 12.0) == "bc"


def test_a_suspension_routes_to_the_citys_own_champion(routed: _Routed) -> None:
    routed.router.follow(RouteTable(champion_applications={"a": OWN}, challenged=frozenset("a")))
    routed.router.suspend_challenger(0.0)
    assert (routed.cameras_of(OWN, 1.0), routed.cameras_of(CHAMPION, 1.0)) == ("a", "bc")


def test_suspensions_double_up_to_a_minute(routed: _Routed) -> None:
    routed.router.follow(TO_CHALLENGER)
    now, suspensions = 0.0, []
    for _ in range(8):
        routed.router.suspend_challenger(now)
        suspension = next(s for s in range(1, 100) if routed.cameras_of(CHALLENGER, now + s))
        suspensions.append(suspension)
        now += suspension
    assert suspensions == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_new_table_ends_the_suspension_and_resets_its_length(routed: _Routed) -> None:
    routed.router.follow(TO_CHALLENGER)
    for _ in range(4):
        routed.router.suspend_challenger(0.0)
    routed.router.follow(TO_CHALLENGER)
    assert routed.cameras_of(CHALLENGER, 0.0) == "a"
    routed.router.suspend_challenger(0.0)
    assert routed.cameras_of(CHALLENGER, 2.0) == "a"


def test_applications_are_those_of_the_cameras_and_always_the_champion(routed: _Routed) -> None:
    assert routed.router.applications("") == {CHAMPION}
    routed.router.follow(RouteTable(champion_applications={"a": OWN}, challenged=frozenset("a")))
    assert routed.router.applications("bc") == {CHAMPION}
    # Also the champion of a challenged camera: it is the fallback.
    assert routed.router.applications("abc") == {CHAMPION, CHALLENGER, OWN}
