import threading

import pytest

from flows.stream.inference.router import Router
from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.reader import CameraReader
from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from tests.support.build import camera, frame
from tests.support.fakes import FakeClock, ScriptedSource

OWN = "champion-Oslo"
TO_CHALLENGER = RouteTable(compared=frozenset("ab"), challenged=frozenset("a"))


class Town:
    """Roads of three cameras, of which nobody reads a frame."""

    def __init__(self) -> None:
        self.ready = threading.Condition()
        self.router = Router("abc", self.ready)
        self.readers = [self._reader(camera_id) for camera_id in "abc"]

    def _reader(self, camera_id: str) -> CameraReader:
        account, source = FrameAccount(), ScriptedSource([])
        mailbox = Mailbox(account, 0.5, self.ready)
        return CameraReader(camera(camera_id), source, mailbox, account, FakeClock())

    def of(self, application: str, now_s: float = 0.0) -> str:
        """Cameras of a lane."""
        with self.ready:
            return "".join(reader.camera.id for reader in self.router.of(application, self.readers, now_s))

    def sent(self, *cameras: str) -> None:
        with self.ready:
            self.router.sent([frame(camera_id=c) for c in cameras])

    def settled(self, *cameras: str) -> None:
        with self.ready:
            self.router.settled([frame(camera_id=c) for c in cameras])


@pytest.fixture
def town() -> Town:
    return Town()


def test_at_first_all_are_at_the_champion(town: Town) -> None:
    assert town.of(CHAMPION) == "abc"
    assert town.of(CHALLENGER) == ""


def test_a_table_moves_cameras_that_have_nothing_under_way(town: Town) -> None:
    town.router.follow(TO_CHALLENGER)
    assert town.of(CHAMPION) == "bc"
    assert town.of(CHALLENGER) == "a"
    town.router.follow(RouteTable(champion_applications={"c": OWN}))
    assert (town.of(CHAMPION), town.of(CHALLENGER), town.of(OWN)) == ("ab", "", "c")


def test_a_camera_with_frames_under_way_waits_for_them(town: Town) -> None:
    town.sent("a", "a")
    town.router.follow(TO_CHALLENGER)
    for _ in range(2):
        # Neither may take more of it: the old one is not to, the new one would be too early.
        assert town.of(CHAMPION) == "bc"
        assert town.of(CHALLENGER) == ""
        town.settled("a")
    assert town.of(CHALLENGER) == "a"


def test_a_table_that_comes_and_goes_leaves_a_camera_where_it_is(town: Town) -> None:
    town.sent("a")
    town.router.follow(TO_CHALLENGER)
    town.router.follow(RouteTable())
    assert town.of(CHAMPION) == "abc"


def test_lanes_are_woken_by_a_table_and_by_answers(town: Town) -> None:
    woken = []

    def wait() -> None:
        with town.ready:
            waiting.set()
            woken.append(town.ready.wait(10))

    for wake in (lambda: town.router.follow(TO_CHALLENGER), lambda: town.settled("b")):
        town.sent("b")
        waiting = threading.Event()
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(10)
        wake()
        thread.join(10)
    assert woken == [True, True]


# Rest


def test_after_a_failure_the_cameras_of_the_challenger_are_home_for_a_while(town: Town) -> None:
    town.router.follow(TO_CHALLENGER)
    assert town.of(CHALLENGER, 10.0) == "a"
    town.router.rest_challenger(10.0)
    assert town.of(CHAMPION, 10.0) == "abc"
    assert town.of(CHALLENGER, 11.9) == ""
    assert town.of(CHALLENGER, 12.0) == "a"
    assert town.of(CHAMPION, 12.0) == "bc"


def test_home_is_where_the_citys_own_champion_is(town: Town) -> None:
    town.router.follow(RouteTable(champion_applications={"a": OWN}, challenged=frozenset("a")))
    town.router.rest_challenger(0.0)
    assert (town.of(OWN, 1.0), town.of(CHAMPION, 1.0)) == ("a", "bc")


def test_each_failure_costs_a_longer_rest_but_none_more_than_a_minute(town: Town) -> None:
    town.router.follow(TO_CHALLENGER)
    now, rests = 0.0, []
    for _ in range(8):
        town.router.rest_challenger(now)
        rest = next(s for s in range(1, 100) if town.of(CHALLENGER, now + s))
        rests.append(rest)
        now += rest
    assert rests == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_new_table_ends_the_rest_and_forgets_the_failures(town: Town) -> None:
    town.router.follow(TO_CHALLENGER)
    for _ in range(4):
        town.router.rest_challenger(0.0)
    town.router.follow(TO_CHALLENGER)
    assert town.of(CHALLENGER, 0.0) == "a"
    town.router.rest_challenger(0.0)
    assert town.of(CHALLENGER, 2.0) == "a"
