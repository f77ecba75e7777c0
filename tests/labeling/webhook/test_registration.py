"""The webhook in the running system: it changes when answers come home, and nothing else."""

import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from labeling import label_loop
from labeling.answers import Answer
from labeling.label_loop import LabelLoop
from labeling.label_studio.adapter import LabelStudio
from labeling.webhook.listener import HookListener
from labeling.webhook.registration import is_hook_wanted
from labeling.webhook.verify import SECRET_HEADER
from streetloop.ledger.reviews import AskedFrame, ReviewState, list_reviews
from streetloop.settings import Settings
from tests.support.samples.frames import NOON, FakeLabeler, digest, labeled, only, review
from tests.support.servers.labels.label_service import LabelSetup
from tests.support.servers.labels.label_studio import Studio, frames, rectangle
from tests.support.servers.ports import free_port
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import eventually

SECRET = SecretStr("open sesame")
GENUINE = {SECRET_HEADER: "open sesame"}


class Counting(FakeLabeler):
    """Counts who asks for answers, and says when."""

    def __init__(self) -> None:
        super().__init__()
        self.pulls = 0
        self.pulled = threading.Event()

    def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
        self.pulls += 1
        self.pulled.set()
        return super().pull(asked)


class Open:
    """A loop that would poll in 15 seconds, with three frames that have been answered."""

    def __init__(self, home: Path) -> None:
        self.setup = LabelSetup(home, label_every_s=600)
        self.people = Counting()
        self.setup.queue.add([review(k) for k in range(3)])
        self.setup.queue.choose(10)
        self.setup.queue.push(self.people)
        self.loop: LabelLoop = self.setup.loop(self.people)
        self.listener = HookListener("127.0.0.1", 0, SECRET, self.loop.hint)
        self.url = f"http://127.0.0.1:{self.listener.port}/"

    def post(self, headers: dict[str, str]) -> int:
        return httpx.post(self.url, json={"action": "X"}, headers=headers).status_code


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Open]:
    system = Open(tmp_path / "home")
    system.listener.start()
    system.loop.start()
    yield system
    system.loop.close()
    system.listener.close()
    system.setup.ledger.close()


def test_a_hint_brings_answers_home_at_once(system: Open) -> None:
    assert system.post(GENUINE) == 204
    eventually(lambda: system.setup.said == ["3 answers from the labeler"])
    assert system.setup.count(ReviewState.LABELED) == 3


def test_an_answer_that_was_changed_comes_home_at_once_too(system: Open) -> None:
    assert system.post(GENUINE) == 204
    eventually(lambda: system.setup.count(ReviewState.LABELED) == 3)
    later = NOON + timedelta(minutes=1)
    system.people.answers[digest(1)] = labeled(digest(1), found((1, 2, 30, 40)), at=later)
    system.loop._thread._rest_s = 0.0
    assert system.post(GENUINE) == 204
    eventually(lambda: system.setup.said == ["3 answers from the labeler", "1 answers from the labeler"])
    assert len(only(system.setup.ledger, 1).label or ()) == 1


def test_a_forged_hint_does_nothing(system: Open) -> None:
    for headers in ({}, {SECRET_HEADER: "guess"}, {SECRET_HEADER: ""}):
        assert system.post(headers) == 403
    assert not system.loop._thread._woken.is_set()
    assert (system.people.pulls, system.setup.count(ReviewState.LABELED)) == (0, 0)


def test_doubled_hints_count_nothing_twice(system: Open) -> None:
    system.loop._thread._rest_s = 0.0
    for _ in range(2):
        system.people.pulled.clear()
        assert system.post(GENUINE) == 204
        eventually(lambda: system.setup.said == ["3 answers from the labeler"])
    assert [r.state for r in list_reviews(system.setup.ledger, list(ReviewState))] == ["labeled"] * 3


def test_a_flood_of_hints_is_not_a_flood_of_pulls(system: Open) -> None:
    class Slow(Counting):
        def pull(self, asked: Collection[AskedFrame]) -> list[Answer]:
            super().pull(asked)
            return []  # still waiting: there is something to ask for each time

    system.loop._labeler = people = Slow()
    began = time.monotonic()
    for _ in range(30):
        assert system.post(GENUINE) == 204
    assert people.pulled.wait(60)
    most = 2 + 2 * (time.monotonic() - began)  # a hint and a poll a second
    assert people.pulls <= min(most, 15), "one, and at most one more a second"


def test_a_lost_hint_costs_the_time_until_the_next_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_loop, "_POLL_S", 0.1)
    system = Open(tmp_path / "home")
    system.loop.start()
    try:
        eventually(lambda: system.setup.count(ReviewState.LABELED) == 3)
    finally:
        system.loop.close()
        system.listener.close()


def test_a_hint_to_a_loop_without_a_labeler_is_nothing(tmp_path: Path) -> None:
    setup = LabelSetup(tmp_path / "home", label_every_s=600)
    loop = setup.loop(None)
    loop.start()
    loop.hint()
    eventually(lambda: not loop._thread._woken.is_set())
    loop.close()
    assert setup.said == []


@pytest.mark.parametrize(
    ("settings", "url", "wanted"),
    [
        ({}, "http://127.0.0.1:8080", True),
        ({}, "http://[::1]:8080", True),
        ({}, "http://localhost", True),
        ({}, "http://10.0.0.7:8080", False),
        ({}, "https://labels.example", False),
        ({}, "", False),
        ({"label_hook_url": "http://streets.example:8091/"}, "https://labels.example", True),
        ({"label_hook_port": 0}, "http://127.0.0.1:8080", False),
        ({"label_hook_port": 0, "label_hook_url": "http://x/"}, "http://127.0.0.1", False),
    ],
)
def test_where_label_studio_can_reach_us_we_listen(
    settings: dict[str, object], url: str, wanted: bool
) -> None:
    assert is_hook_wanted(Settings.model_validate(settings), url) is wanted


# With the real Label Studio

Labels = Callable[..., tuple[LabelSetup, LabelStudio]]


@pytest.fixture
def labels(studio: Studio, title: str, tmp_path: Path) -> Labels:
    def make(port: int) -> tuple[LabelSetup, LabelStudio]:
        setup = LabelSetup(tmp_path / "home", label_every_s=600, label_hook_port=port)
        labeler = LabelStudio(studio.access.url, studio.access.token, title, setup.store)
        return setup, labeler

    return make


@pytest.mark.label_studio
@pytest.mark.timeout(1500)
def test_what_is_submitted_in_label_studio_is_home_before_the_next_poll(
    labels: Labels, studio: Studio, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_loop, "_POLL_S", 300.0)
    setup, labeler = labels(free_port())
    loop = setup.loop(labeler)
    loop.add([frames(setup.store, 1)[0]])
    loop.round()
    assert setup.count(ReviewState.PUSHED) == 1
    loop.start()
    try:
        assert loop._hook is not None
        loop._hook.register(labeler)  # at the next poll otherwise
        with studio.owner() as ann:
            ann.submit(ann.tasks(title)[0]["id"], [rectangle((10, 10, 90, 90), "car")])
        eventually(lambda: setup.count(ReviewState.LABELED) == 1)
    finally:
        loop.close()
    assert setup.said == ["1 frames chosen for labeling", "1 answers from the labeler"]


@pytest.mark.label_studio
@pytest.mark.timeout(1500)
def test_without_a_port_answers_still_come_by_polling(
    labels: Labels, studio: Studio, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_loop, "_POLL_S", 0.5)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        setup, labeler = labels(other.getsockname()[1])
        loop = setup.loop(labeler)
        loop.add([frames(setup.store, 1)[0]])
        loop.round()
        loop.start()
        try:
            with studio.owner() as ann:
                ann.submit(ann.tasks(title)[0]["id"], [])
            eventually(lambda: setup.count(ReviewState.LABELED) == 1)
        finally:
            loop.close()
    (refused,) = [sentence for sentence in setup.said if "polling alone" in sentence]
    assert "not free for Label Studio's webhook" in refused
