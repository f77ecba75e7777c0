"""The adapter against a real Label Studio, with people who speak to it as browsers do."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from labeling.annotators import Agreement
from labeling.answers import Labeled, Quarantined, Skipped
from labeling.label_studio import api as label_studio_api
from labeling.label_studio.config import class_names
from labeling.label_studio.payload import SHOWN
from streetloop.ledger.reviews import AskedFrame
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import asked
from tests.support.servers.labels.label_studio import Annotator, Hooked, Make, Studio, frames, push, rectangle

pytestmark = [pytest.mark.label_studio, pytest.mark.timeout(1500)]


def test_twenty_frames_there_and_back(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(), frames(store, 20)
    with Hooked() as hooked:
        labeler.want_webhook(hooked.url, hooked.secret)
        assert push(labeler, tasks) == [task.digest for task in tasks]
        there = ann.tasks(title)
        assert [task["data"]["digest"] for task in there] == [task.digest for task in tasks]
        data, (prediction,) = there[0]["data"], there[0]["predictions"]
        assert (data["camera"], data["reason"], data["drift"]) == ("old-oak", "unsure", "fog")
        assert datetime.fromisoformat(data["captured_at"]) == tasks[0].captured_at
        assert (data["model"], prediction["model_version"]) == ("m-1", SHOWN)
        assert prediction["score"] == pytest.approx(0.4)
        assert [r["value"]["rectanglelabels"] for r in prediction["result"]] == [["car"], ["person"]]
        picture = ann.http.get(data["image"])
        assert picture.content == store.get(tasks[0].image_key)

        # One keeps what the model drew, another draws anew, all others wait.
        ann.submit(there[0]["id"], prediction["result"])
        drawn = (12.3, 45.6, 333.3, 250.9)
        ann.submit(there[1]["id"], [rectangle(drawn, "bus")])
        assert hooked.wait_for(2)
    waiting = {task.digest for task in tasks}
    answers = {answer.digest: answer for answer in labeler.pull(asked(*waiting))}
    assert set(answers) == {tasks[0].digest, tasks[1].digest}
    kept, bus = answers[tasks[0].digest], answers[tasks[1].digest]
    assert isinstance(kept, Labeled)
    assert isinstance(bus, Labeled)
    np.testing.assert_allclose(kept.boxes.xyxy, [box.xyxy for box in tasks[0].boxes], atol=0.5)
    assert kept.boxes.class_id.tolist() == [0, 2]
    np.testing.assert_allclose(bus.boxes.xyxy, [drawn], atol=0.5)
    assert bus.boxes.class_id.tolist() == [1]
    assert bus.labeler == studio.access.user
    assert bus.at.tzinfo is UTC
    assert abs(datetime.now(UTC) - bus.at) < timedelta(minutes=5)
    assert labeler.pull(asked(tasks[5].digest)) == []
    assert labeler.pull([]) == []


def test_more_than_one_page(
    make: Make, ann: Annotator, store: FolderStore, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_studio_api, "_PAGE", 3)
    labeler, tasks = make(), frames(store, 10, seed=6)
    digests = {task.digest for task in tasks}
    push(labeler, tasks)
    assert labeler.missing(asked(*digests, "another")) == {"another"}
    for task in ann.tasks(title)[1:8]:
        ann.submit(task["id"], [])
    assert {answer.digest for answer in labeler.pull(asked(*digests))} == {t.digest for t in tasks[1:8]}


def test_answers_that_are_not_boxes(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler, tasks = make(), frames(store, 7, seed=1)
    push(labeler, tasks)
    ids = [task["id"] for task in ann.tasks(title)]
    polygon = rectangle((10, 10, 90, 90), "car") | {"type": "polygonlabels"}
    polygon["value"] = {"points": [[1, 1], [9, 1], [5, 9]], "polygonlabels": ["car"]}
    ann.submit(ids[0], [])
    ann.submit(ids[1], [], skip=True)
    ann.submit(ids[2], [rectangle((10, 10, 90, 90), "zebra")])
    ann.submit(ids[3], [rectangle((10, 10, 90, 90), "car"), polygon])
    turned = rectangle((10, 10, 90, 90), "car") | {"image_rotation": 90}
    ann.submit(ids[4], [turned])
    ann.submit(ids[5], [rectangle((700, 10, 790, 90), "car")])
    ann.submit(ids[6], [rectangle((-50, 300, 90, 500), "car")])
    found = {answer.digest: answer for answer in labeler.pull(asked(*(task.digest for task in tasks)))}
    answers = [found[task.digest] for task in tasks]
    assert isinstance(answers[0], Labeled)
    assert len(answers[0].boxes) == 0
    assert isinstance(answers[1], Skipped)
    reasons = [answer.reason for answer in answers if isinstance(answer, Quarantined)]
    for reason, word in zip(reasons, ("'zebra'", "polygonlabels", "rotated", "outside"), strict=True):
        assert word in reason
    assert isinstance(answers[6], Labeled)
    np.testing.assert_allclose(answers[6].boxes.xyxy, [[0, 300, 90, 360]], atol=0.5)


def test_the_newest_of_two_annotators(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str
) -> None:
    labeler, (task,) = make(), frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    first = ann.submit(there["id"], [rectangle((10, 10, 90, 90), "car")])
    with studio.join(f"bob-{title[5:]}@example.com") as bob:
        bob.submit(there["id"], [rectangle((20, 20, 99, 99), "bus")])
        (answer,) = labeler.pull(asked(task.digest))
        assert isinstance(answer, Labeled)
        assert (answer.labeler, answer.boxes.class_id.tolist()) == (bob.email, [1])
    changed = {"result": [rectangle((30, 30, 80, 80), "person")]}
    ann.ask("PATCH", f"/api/annotations/{first}/", json=changed)
    (answer,) = labeler.pull(asked(task.digest))
    assert isinstance(answer, Labeled)
    assert (answer.labeler, answer.boxes.class_id.tolist()) == (ann.email, [2])


def test_agreement_of_two_annotators(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(resolve=Agreement(2, iou=0.8)), frames(store, 3)
    push(labeler, tasks)
    assert ann.project(title)["maximum_annotations"] == 2
    ids = [task["id"] for task in ann.tasks(title)]
    with studio.join(f"eve-{title[5:]}@example.com") as eve:
        for who, shift in ((ann, 0.0), (eve, 4.0)):
            boxes = [rectangle((300, 100, 400, 200), "bus"), rectangle((10, 10, 90, 90), "car")]
            moved = [rectangle((300 + shift, 100, 400 + shift, 200), "bus"), boxes[1]]
            who.submit(ids[0], moved if who is ann else moved[::-1])
            who.submit(ids[1], [rectangle((10 + 10 * shift, 10, 90 + 10 * shift, 90), "car")])
        ann.submit(ids[2], boxes)
        found = {answer.digest: answer for answer in labeler.pull(asked(*(t.digest for t in tasks)))}
    agreed, disagreed = found.pop(tasks[0].digest), found.pop(tasks[1].digest)
    assert isinstance(agreed, Labeled)
    assert agreed.labeler == ", ".join(sorted([ann.email, eve.email]))
    np.testing.assert_allclose(agreed.boxes.xyxy[:1], [[302, 100, 402, 200]], atol=0.5)
    assert isinstance(disagreed, Quarantined)
    assert "disagree" in disagreed.reason
    assert found == {}, "one annotator is not enough"


def test_project_made_by_hand_is_set_up(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    ann.ask("POST", "/api/projects/", json={"title": title})
    push(make(), frames(store, 1))
    assert "RectangleLabels" in ann.project(title)["label_config"]


def test_boxes_of_all_models_are_shown_and_named_as_their_models_name_them(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    (first,), (second,) = frames(store, 1, seed=1), frames(store, 1, seed=2, version="m-2")
    second = replace(second, classes=("lorry", "x", "car"))
    push(make(), [first])
    push(make(), [second])
    project = ann.project(title)
    assert project["model_version"] == SHOWN
    assert class_names(project["label_config"]).keys() == {"car", "bus", "person", "lorry", "x"}
    names = [[r["value"]["rectanglelabels"] for r in t["predictions"][0]["result"]] for t in ann.tasks(title)]
    assert names == [[["car"], ["person"]], [["lorry"], ["car"]]]
    assert {t["predictions"][0]["model_version"] for t in ann.tasks(title)} == {SHOWN}


def test_an_answer_that_was_read_is_read_again_when_it_is_changed(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, (task,) = make(), frames(store, 1, seed=5)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    given = ann.submit(there["id"], [rectangle((10, 10, 90, 90), "car")])
    (answer,) = labeler.pull(asked(task.digest))
    assert answer.url == f"{labeler.url}/projects/{ann.project(title)['id']}/data?task={there['id']}"
    read = AskedFrame(task.digest, answered_at=answer.at)
    assert labeler.pull([read]) == []
    ann.ask("PATCH", f"/api/annotations/{given}/", json={"result": [rectangle((1, 1, 9, 9), "bus")]})
    (changed,) = labeler.pull([read])
    assert isinstance(changed, Labeled)
    assert changed.at > read.answered_at
    assert [changed.classes[k] for k in changed.boxes.class_id] == ["bus"]


def test_a_frame_that_is_asked_anew_is_another_task_and_only_its_answers_count(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(), frames(store, 2, seed=8)
    push(labeler, tasks)
    answered = ann.tasks(title)[0]
    ann.submit(answered["id"], [rectangle((10, 10, 90, 90), "car")])
    anew = [replace(task, asks=1) for task in tasks]
    assert labeler.missing([AskedFrame(one.digest, 1) for one in anew]) == {one.digest for one in anew}
    assert push(labeler, anew) == push(labeler, anew) == [one.digest for one in anew]
    there = [(task["data"]["digest"], task["data"]["ask"]) for task in ann.tasks(title)]
    assert there == [(tasks[0].digest, 0), (tasks[0].digest, 1), (tasks[1].digest, 1)]
    assert labeler.pull([AskedFrame(one.digest, 1) for one in anew]) == []
    ann.submit(ann.tasks(title)[1]["id"], [])
    (answer,) = labeler.pull([AskedFrame(one.digest, 1) for one in anew])
    assert isinstance(answer, Labeled)
    assert len(answer.boxes) == 0


def test_two_hundred_frames_within_a_minute(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    tasks = frames(store, 200, seed=9)
    began = time.monotonic()
    assert len(push(make(), tasks)) == 200
    seconds = time.monotonic() - began
    print(f"200 frames pushed in {seconds:.1f} s")
    assert seconds <= 60
    there = ann.tasks(title)
    assert len(there) == 200
    assert all(task["predictions"] for task in there)
