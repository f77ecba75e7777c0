"""Labels that are given over HTTP, where the labeler is the app."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streetloop.ledger.reviews import ReviewState, find_reviews
from tests.support.control_service import Content, api_of, problem_of

CAR = {"class": "car", "xyxy": [1, 2, 30.04, 20]}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Content]:
    content = Content(tmp_path / "home", labeler="app")
    content.add_reviews()
    yield content
    content.ledger.close()


def digest_of(content: Content, state: str) -> str:
    return content.service.reviews(state, 0, 1).items[0].digest


@pytest.mark.parametrize("state", ["pending", "pushed", "rejected", "labeled", "in dataset"])
def test_a_frame_is_labeled_at_once(app: Content, state: str) -> None:
    digest = digest_of(app, state)
    client = api_of(app)
    answered = client.post(f"/reviews/{digest[:12]}/answer", json={"boxes": [CAR], "by": "Änne"}).json()
    assert (answered["state"], answered["labeler"]) == ("labeled", "Änne")
    assert answered["label"] == [{"class": "car", "xyxy": [1.0, 2.0, 30.0, 20.0], "confidence": 1.0}]
    assert client.get(f"/reviews/{digest}").json() == answered
    (frame,) = find_reviews(app.ledger, [digest])
    assert frame.state is ReviewState.LABELED
    assert client.get("/queue").json()["people"] == "app"


def test_nothing_there_and_a_skip_are_two_things(app: Content) -> None:
    client, digest = api_of(app), digest_of(app, "pushed")
    empty = client.post(f"/reviews/{digest}/answer", json={"boxes": []}).json()
    assert (empty["state"], empty["label"]) == ("labeled", [])
    skipped = client.post(f"/reviews/{digest}/answer", json={"boxes": None}).json()
    assert (skipped["state"], skipped["label"], skipped["note"]) == (
        "rejected",
        None,
        "declined by the labeler",
    )


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        ([{"class": "tram", "xyxy": [1, 2, 30, 20]}], "'tram' is no class of the frame's model"),
        ([{"class": "car", "xyxy": [1, 2, 1, 20]}], "smaller than a pixel"),
        ([{"class": "car", "xyxy": [900, 900, 990, 990]}], "outside the picture"),
    ],
)
def test_boxes_that_cannot_be_are_refused(app: Content, boxes: list[object], says: str) -> None:
    digest = digest_of(app, "pushed")
    answer = api_of(app).post(f"/reviews/{digest}/answer", json={"boxes": boxes})
    assert says in problem_of(answer, 422)
    assert digest_of(app, "pushed") == digest


def test_frames_that_nobody_asks_about_take_no_answer(app: Content) -> None:
    client = api_of(app)
    for state in ("candidate", "expired"):
        answer = client.post(f"/reviews/{digest_of(app, state)}/answer", json={"boxes": []})
        assert f"is {state}, and takes no answer" in problem_of(answer, 422)
    assert "no frame begins with" in problem_of(client.get("/reviews/ffffff"), 404)


def test_where_others_label_the_app_does_not(content: Content) -> None:
    digest = digest_of(content, "pushed")
    answer = api_of(content).post(f"/reviews/{digest}/answer", json={"boxes": []})
    assert "labelled by none; set labeler: app" in problem_of(answer, 422)
