"""The adapter against a real Label Studio, with people who speak to it as browsers do."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import numpy as np
import pytest
from pydantic import SecretStr

from labeling import label_studio_api
from labeling.annotators import Agreement
from labeling.label_images import ByUrl, LocalFiles
from labeling.label_studio import LabelStudio
from labeling.task import Labeled, Quarantined, Skipped, Task
from labeling.webhook import is_genuine
from streetloop.errors import ConfigError, LabelerError, LabelerRefused
from streetloop.store import FolderStore
from tests.support.label_studio import CLASSES, Annotator, Studio, frames, rectangle

pytestmark = [pytest.mark.label_studio, pytest.mark.timeout(1500)]

Make = Callable[..., LabelStudio]


@pytest.fixture
def make(studio: Studio, title: str, store: FolderStore) -> Make:
    def labeler(**more: Any) -> LabelStudio:
        given = {"token": studio.access.token, "classes": CLASSES, "store": store} | more
        return LabelStudio(studio.access.url, title=title, **given)

    return labeler


@pytest.fixture
def ann(studio: Studio) -> Iterator[Annotator]:
    with studio.owner() as annotator:
        yield annotator


def push(labeler: LabelStudio, tasks: list[Task]) -> list[str]:
    told: list[str] = []
    labeler.push(tasks, told.append)
    return told


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
        assert prediction["model_version"] == "m-1"
        assert prediction["score"] == pytest.approx(0.4)
        assert [r["value"]["rectanglelabels"] for r in prediction["result"]] == [
            ["car"],
            ["person"],
        ]
        picture = ann.http.get(data["image"])
        assert picture.content == store.get(tasks[0].image_key)

        # One keeps what the model drew, another draws anew, all others wait.
        ann.submit(there[0]["id"], prediction["result"])
        drawn = (12.3, 45.6, 333.3, 250.9)
        ann.submit(there[1]["id"], [rectangle(drawn, "bus")])
        assert hooked.wait_for(2)
    waiting = {task.digest for task in tasks}
    answers = {answer.digest: answer for answer in labeler.pull(waiting)}
    assert set(answers) == {tasks[0].digest, tasks[1].digest}
    kept, bus = answers[tasks[0].digest], answers[tasks[1].digest]
    assert isinstance(kept, Labeled)
    assert isinstance(bus, Labeled)
    np.testing.assert_allclose(kept.boxes.xyxy, tasks[0].boxes.xyxy, atol=0.5)
    assert kept.boxes.class_id.tolist() == [0, 2]
    np.testing.assert_allclose(bus.boxes.xyxy, [drawn], atol=0.5)
    assert bus.boxes.class_id.tolist() == [1]
    assert bus.labeler == studio.access.user
    assert bus.at.tzinfo is UTC
    assert abs(datetime.now(UTC) - bus.at) < timedelta(minutes=5)
    assert labeler.pull({tasks[5].digest}) == []
    assert labeler.pull(set()) == []


def test_more_than_one_page(
    make: Make, ann: Annotator, store: FolderStore, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_studio_api, "_PAGE", 3)
    labeler, tasks = make(), frames(store, 10, seed=6)
    digests = {task.digest for task in tasks}
    push(labeler, tasks)
    assert labeler.missing(digests | {"another"}) == {"another"}
    for task in ann.tasks(title)[1:8]:
        ann.submit(task["id"], [])
    assert {answer.digest for answer in labeler.pull(digests)} == {t.digest for t in tasks[1:8]}


def test_answers_that_are_not_boxes(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(), frames(store, 7, seed=1)
    push(labeler, tasks)
    ids = [task["id"] for task in ann.tasks(title)]
    polygon = rectangle((10, 10, 90, 90), "car") | {"type": "polygonlabels"}
    polygon["value"] = {"points": [[1, 1], [9, 1], [5, 9]], "polygonlabels": ["car"]}
    ann.submit(ids[0], [])
    ann.submit(ids[1], [], skip=True)
    ann.submit(ids[2], [rectangle((10, 10, 90, 90), "zebra")])
    ann.submit(ids[3], [rectangle((10, 10, 90, 90), "car"), polygon])
    ann.submit(ids[4], [rectangle((10, 10, 90, 90), "car", rotation=30)])
    ann.submit(ids[5], [rectangle((700, 10, 790, 90), "car")])
    ann.submit(ids[6], [rectangle((-50, 300, 90, 500), "car")])
    found = {answer.digest: answer for answer in labeler.pull({task.digest for task in tasks})}
    answers = [found[task.digest] for task in tasks]
    assert isinstance(answers[0], Labeled)
    assert len(answers[0].boxes) == 0
    assert isinstance(answers[1], Skipped)
    reasons = [answer.reason for answer in answers if isinstance(answer, Quarantined)]
    for reason, word in zip(
        reasons, ("'zebra'", "polygonlabels", "rotated", "outside"), strict=True
    ):
        assert word in reason
    assert isinstance(answers[6], Labeled)
    np.testing.assert_allclose(answers[6].boxes.xyxy, [[0, 300, 90, 360]], atol=0.5)


def test_personal_access_token(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler = make(token=SecretStr(ann.personal_token()))
    assert len(push(labeler, frames(store, 2))) == 2
    ann.submit(ann.tasks(title)[0]["id"], [])
    assert len(labeler.pull({task.digest for task in frames(store, 2)})) == 1


def expiring(in_s: float) -> str:
    claims = {"token_type": "refresh", "exp": time.time() + in_s, "jti": "x", "user_id": "1"}
    return str(jwt.encode(claims, "not the server's key, but as long", algorithm="HS256"))


@pytest.mark.parametrize("token", ["0" * 40, expiring(3600)], ids=["legacy", "personal"])
def test_wrong_token(make: Make, store: FolderStore, token: str) -> None:
    with pytest.raises(LabelerRefused, match="token is wrong, expired") as caught:
        push(make(token=SecretStr(token)), frames(store, 1))
    assert token not in str(caught.value) + repr(caught.value.__cause__)


def test_expired_token(make: Make) -> None:
    with pytest.raises(LabelerRefused, match="expired"):
        make(token=SecretStr(expiring(-60)))


def test_what_can_be_no_token_or_title(make: Make, studio: Studio, store: FolderStore) -> None:
    with pytest.raises(ConfigError, match="neither") as caught:
        make(token=SecretStr("hunter2"))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="3 to 50"):
        LabelStudio(studio.access.url, studio.access.token, "ab", CLASSES, store)


def test_the_newest_of_two_annotators(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str
) -> None:
    labeler, (task,) = make(), frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    first = ann.submit(there["id"], [rectangle((10, 10, 90, 90), "car")])
    with studio.join(f"bob-{title[5:]}@example.com") as bob:
        bob.submit(there["id"], [rectangle((20, 20, 99, 99), "bus")])
        (answer,) = labeler.pull({task.digest})
        assert isinstance(answer, Labeled)
        assert (answer.labeler, answer.boxes.class_id.tolist()) == (bob.email, [1])
    changed = {"result": [rectangle((30, 30, 80, 80), "person")]}
    ann.ask("PATCH", f"/api/annotations/{first}/", json=changed)
    (answer,) = labeler.pull({task.digest})
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
        found = {answer.digest: answer for answer in labeler.pull({t.digest for t in tasks})}
    agreed, disagreed = found.pop(tasks[0].digest), found.pop(tasks[1].digest)
    assert isinstance(agreed, Labeled)
    assert agreed.labeler == ", ".join(sorted([ann.email, eve.email]))
    np.testing.assert_allclose(agreed.boxes.xyxy[:1], [[302, 100, 402, 200]], atol=0.5)
    assert isinstance(disagreed, Quarantined)
    assert "disagree" in disagreed.reason
    assert found == {}, "one annotator is not enough"


class StoreThatKills(FolderStore):
    """Calls somebody when it is asked for the n-th object."""

    def __init__(self, store: FolderStore, at: int, call: Callable[[], None]) -> None:
        self._inner, self._left, self._call = store, at, call

    def get(self, key: str) -> bytes:
        self._left -= 1
        if self._left == 0:
            self._call()
        return self._inner.get(key)


@pytest.mark.parametrize("delay_s", [0.0, 0.15])
def test_server_killed_in_the_middle_of_a_push(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str, delay_s: float
) -> None:
    tasks = frames(store, 120, seed=3)
    killer = threading.Timer(delay_s, studio.kill)
    told: list[str] = []
    with pytest.raises(LabelerError):
        make(store=StoreThatKills(store, 40, killer.start)).push(tasks, told.append)
    killer.join()
    studio.start()
    assert 25 <= len(told) < 120
    assert make().missing(told) == set(), "what was told is there"
    again = push(make(), tasks)
    assert sorted(again) == sorted(task.digest for task in tasks)
    there = [task["data"]["digest"] for task in ann.tasks(title)]
    assert sorted(there) == sorted(task.digest for task in tasks)


def test_we_are_killed_between_import_and_note(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    tasks = frames(store, 30, seed=4)

    def die(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make().push(tasks, die)
    assert sorted(push(make(), tasks)) == sorted(task.digest for task in tasks)
    assert len(ann.tasks(title)) == 30
    assert len(push(make(), tasks)) == 30
    assert len(ann.tasks(title)) == 30


def test_server_is_down(studio: Studio, store: FolderStore, title: str) -> None:
    labeler = LabelStudio("http://user:pw@127.0.0.1:9", studio.access.token, title, CLASSES, store)
    with pytest.raises(LabelerError, match="not reached") as caught:
        labeler.pull({"a"})
    assert not isinstance(caught.value, LabelerRefused)
    assert "pw" not in str(caught.value)


def test_image_that_is_gone_keeps_no_other_back(make: Make, store: FolderStore) -> None:
    tasks = frames(store, 3)
    (store._root / tasks[1].image_key).unlink()
    told: list[str] = []
    with pytest.raises(LabelerError, match="1 frames have no image"):
        make().push(tasks, told.append)
    assert told == [tasks[0].digest, tasks[2].digest]


def test_project_deleted_underneath(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(), frames(store, 3)
    push(labeler, tasks)
    labeler.want_webhook("http://127.0.0.1:9/hook", SecretStr("s"))
    digests = {task.digest for task in tasks}
    assert labeler.missing(digests) == set()
    ann.ask("DELETE", f"/api/projects/{ann.project(title)['id']}/")
    with pytest.raises(LabelerRefused, match="no project"):
        labeler.pull(digests)
    assert labeler.missing(digests) == digests
    assert len(push(labeler, tasks)) == 3
    assert len(ann.tasks(title)) == 3
    hooks = ann.ask("GET", "/api/webhooks/", params={"project": ann.project(title)["id"]})
    assert [hook["url"] for hook in hooks] == ["http://127.0.0.1:9/hook"]


def test_label_config_changed_by_hand(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, tasks = make(), frames(store, 3)
    push(labeler, tasks[:1])
    project = ann.project(title)["id"]

    def edit(inner: str) -> None:
        config = f"<View>{inner}</View>"
        ann.ask("PATCH", f"/api/projects/{project}/", json={"label_config": config})

    labels = "".join(f'<Label value="{name}"/>' for name in [*CLASSES, "tram"])
    image = '<Image name="pic" value="$image"/>'
    edit(
        f'<Choices name="light" toName="pic"><Choice value="day"/><Choice value="night"/></Choices>'
        f'{image}<RectangleLabels name="things" toName="pic">{labels}</RectangleLabels>'
    )
    push(labeler, tasks[1:2])
    there = ann.tasks(title)[1]
    result = there["predictions"][0]["result"]
    assert {(r["from_name"], r["to_name"]) for r in result} == {("things", "pic")}
    choice = {"id": "c", "type": "choices", "from_name": "light", "to_name": "pic"}
    ann.submit(there["id"], [*result, choice | {"value": {"choices": ["day"]}}])
    (answer,) = labeler.pull({tasks[1].digest})
    assert isinstance(answer, Labeled)
    assert len(answer.boxes) == 2


def test_label_config_that_our_classes_do_not_fit(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    # Label Studio itself refuses to take away what annotations use; here there are none yet.
    labeler, (task,) = make(), frames(store, 1)
    ann.ask("POST", "/api/projects/", json={"title": title})
    project = ann.project(title)["id"]
    label, image = '<Label value="car"/>', '<Image name="pic" value="$image"/>'
    for control, word in (
        ("RectangleLabels", "lacks 'bus', 'person'"),
        ("PolygonLabels", "no RectangleLabels"),
    ):
        config = f'<View>{image}<{control} name="x" toName="pic">{label}</{control}></View>'
        ann.ask("PATCH", f"/api/projects/{project}/", json={"label_config": config})
        with pytest.raises(LabelerRefused, match=word):
            push(labeler, [task])
        with pytest.raises(LabelerRefused, match=word):
            labeler.pull({task.digest})


def test_project_made_by_hand_is_set_up(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    ann.ask("POST", "/api/projects/", json={"title": title})
    push(make(), frames(store, 1))
    assert "RectangleLabels" in ann.project(title)["label_config"]


def test_boxes_of_the_newest_model_are_shown(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    push(make(), frames(store, 1, seed=1))
    push(make(), frames(store, 1, seed=2, version="m-2"))
    assert ann.project(title)["model_version"] == "m-2"


def test_images_from_local_files(make: Make, ann: Annotator, studio: Studio, title: str) -> None:
    folder = studio.documents / "store"
    store = FolderStore(folder)
    tasks = frames(store, 2)
    labeler = make(store=store, images=LocalFiles(studio.documents, folder))
    push(labeler, tasks[:1])
    push(labeler, tasks)
    there = ann.tasks(title)
    assert len(there) == 2
    assert there[0]["data"]["image"].startswith("/data/local-files/?d=store/frames/")
    assert ann.http.get(there[0]["data"]["image"]).content == store.get(tasks[0].image_key)


def test_images_by_url(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler = make(images=ByUrl(lambda key: f"http://minio.example/{key}?sig=1"))
    (task,) = frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    assert there["data"]["image"] == f"http://minio.example/{task.image_key}?sig=1"


class Hooked:
    """Listens for webhooks, and pulls nothing unless they are genuine."""

    def __init__(self) -> None:
        self.secret = SecretStr("open sesame")
        self.genuine: list[str] = []
        self.forged = 0
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if is_genuine(dict(self.headers.items()), outer.secret):
                    with outer._changed:
                        outer.genuine.append(json.loads(body)["action"])
                        outer._changed.notify_all()
                else:
                    outer.forged += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> "Hooked":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.genuine) == count, timeout=10)


def test_webhook_doubled_forged_and_lost(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    labeler, (task,) = make(), frames(store, 1)
    push(labeler, [task])
    (there,) = ann.tasks(title)
    with Hooked() as hooked:
        labeler.want_webhook(hooked.url, SecretStr("of former days"))
        labeler.want_webhook(hooked.url, hooked.secret)  # again: replaces, doubles nothing
        annotation = ann.submit(there["id"], [rectangle((10, 10, 90, 90), "car")])
        assert hooked.wait_for(1)
        changed = {"result": [rectangle((10, 10, 90, 90), "bus")]}
        ann.ask("PATCH", f"/api/annotations/{annotation}/", json=changed)
        assert hooked.wait_for(2)
        assert hooked.genuine == ["ANNOTATION_CREATED", "ANNOTATION_UPDATED"]
        for headers in ({}, {"X-Streetloop-Secret": "guess"}, {"X-Streetloop-Secret": ""}):
            httpx.post(hooked.url, json={"action": "ANNOTATION_CREATED"}, headers=headers)
        assert hooked.forged == 3
        assert len(hooked.genuine) == 2
        # Doubled: the answer to a second hint is the same answer.
        first, second = labeler.pull({task.digest}), labeler.pull({task.digest})
        assert len(first) == len(second) == 1
    # Lost: nobody listens any more; the next poll finds the answer all the same.
    ann.ask("PATCH", f"/api/annotations/{annotation}/", json={"result": []})
    (answer,) = labeler.pull({task.digest})
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
