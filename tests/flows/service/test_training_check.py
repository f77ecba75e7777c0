"""What a learning run would take is said before it starts, and changes nothing."""

import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.learning import readiness
from flows.learning.readiness import Readiness
from flows.learning.training_plan import TrainingRequest
from serve.web.app.forms.training_form import training_cost
from serve.web.app.page import build_page
from streetloop.errors import ModelNotFound
from tests.support.app_page import Tags, words
from tests.support.control_service import Content, api_of, problem_of

READY = Readiness((), 48, 12, 3, 299.6, ("a box was mended",))
LACKING = Readiness(("night: 4 frames to judge by, 10 are needed",), 0, 4, None, None)


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return Content(tmp_path / "home", learn_recipe={"epochs": 7}, classes=["car"])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainingRequest]:
    """The trainings that were checked; all of them are ready."""
    requests: list[TrainingRequest] = []

    def check(_: object, __: object, request: TrainingRequest) -> Readiness:
        requests.append(request)
        return READY

    monkeypatch.setattr(readiness, "check_training", check)
    return requests


def test_it_is_what_the_learning_flow_would_train(content: Content, asked: list[TrainingRequest]) -> None:
    found = api_of(content).get("/learning/check", params={"city": "London"})
    assert found.status_code == 200
    assert found.json() == {
        "ready": True,
        "missing": [],
        "train": 48,
        "judge_frames": 12,
        "champion": 3,
        "eta_s": 300,
        "notes": ["a box was mended"],
    }
    (request,) = asked
    assert (request.recipe, request.classes) == ({"epochs": 7}, content.settings.classes)
    assert request.place is not None
    assert request.place.cameras == {"a40"}
    assert api_of(content).get("/learning").json()["items"] == [], "nothing began"


def test_a_city_without_cameras_and_a_champion_that_is_not_there(content: Content) -> None:
    client = api_of(content)
    assert "no camera is in 'rome'" in problem_of(client.get("/learning/check?city=rome"), 409)
    assert "no such model file" in problem_of(client.get("/learning/check"), 503)


def test_one_training_is_checked_at_a_time(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, going = threading.Event(), threading.Event()

    def slow(*_: Any) -> Readiness:
        begun.set()
        going.wait()
        raise ModelNotFound("it is a test")

    monkeypatch.setattr(readiness, "check_training", slow)
    client = api_of(content)
    first = threading.Thread(target=client.get, args=("/learning/check",))
    first.start()
    begun.wait()
    answer = client.get("/learning/check")
    assert "another training is being checked" in problem_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    going.set()
    first.join()
    assert "it is a test" in problem_of(client.get("/learning/check"), 503), "the next may ask"


def test_the_command_says_it_too(asked: list[TrainingRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["learn", "check"])
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        ["starts from version 3", "learns from 48 images", "is judged by 12 frames", "takes about 5 minutes"],
    )
    assert "a box was mended" in done.stderr
    monkeypatch.setattr(readiness, "check_training", lambda *_: LACKING)
    done = CliRunner().invoke(app, ["learn", "check"])
    assert done.exit_code == 1
    assert "missing: night: 4 frames to judge by, 10 are needed" in done.stdout
    assert len(asked) == 1


def test_the_form_shows_it_before_a_run_can_start(
    content: Content, asked: list[TrainingRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = training_cost(content.service, "London")
    Tags(page)
    assert asked[0].place is not None
    for text in ("ready", "version 3", "48 images", "12 frames", "about 5 min", "a box was mended"):
        assert text in words(page)
    training_cost(content.service, "all cities")
    assert asked[1].place is None
    monkeypatch.setattr(readiness, "check_training", lambda *_: LACKING)
    said = words(training_cost(content.service, None))
    for text in ("not yet", "becomes version 1", "nothing to learn from", "night: 4 frames"):
        assert text in said
    buttons = {
        c["props"]["value"]: c["props"]["interactive"]
        for c in build_page(content.service).get_config_file()["components"]
        if c["type"] == "button"
    }
    assert buttons["What it takes"] is True
    assert buttons["Learn now"] is False
