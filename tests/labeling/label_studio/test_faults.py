"""What goes wrong with a real Label Studio, and that nothing is lost by it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from pydantic import SecretStr

from labeling.answers import Labeled
from labeling.label_studio.adapter import LabelStudio
from labeling.label_studio.config import class_names
from labeling.queue import ReviewQueue
from streetloop.errors import ConfigError, LabelerError, LabelerRefused
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState
from streetloop.storage.store import FolderStore
from tests.support.samples.frames import NOON, asked
from tests.support.servers.labels.label_studio import CLASSES, Annotator, Make, Studio, frames, push
from tests.support.stream_flow.fakes import FakeClock

pytestmark = [pytest.mark.label_studio, pytest.mark.timeout(1500)]


def test_personal_access_token(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler = make(token=SecretStr(ann.personal_token()))
    assert len(push(labeler, frames(store, 2))) == 2
    ann.submit(ann.tasks(title)[0]["id"], [])
    assert len(labeler.pull(asked(*(task.digest for task in frames(store, 2))))) == 1


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


def test_token_withdrawn_between_two_pushes_loses_nothing(
    make: Make, ann: Annotator, studio: Studio, store: FolderStore, title: str, tmp_path: Path
) -> None:
    queue = ReviewQueue(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), FakeClock(NOON))
    tasks = frames(store, 6, seed=11)
    with studio.join(f"kim-{title[5:]}@example.com") as kim:
        token = kim.personal_token()
        labeler = make(token=SecretStr(token))
        queue.add(tasks[:3])
        queue.choose(10)
        assert queue.push(labeler) == 3
        queue.add(tasks[3:])
        queue.choose(10)
        kim.ask("POST", "/api/token/blacklist/", json={"refresh": token})
    with pytest.raises(LabelerRefused, match="token is wrong, expired"):
        queue.push(make(token=SecretStr(token)))
    assert queue.counts()[ReviewState.PENDING] == 3
    assert queue.push(make()) == 3
    assert queue.counts()[ReviewState.PUSHED] == 6
    there = [task["data"]["digest"] for task in ann.tasks(title)]
    assert sorted(there) == sorted(task.digest for task in tasks)


def test_what_can_be_no_token_or_title(make: Make, studio: Studio, store: FolderStore) -> None:
    with pytest.raises(ConfigError, match="neither") as caught:
        make(token=SecretStr("hunter2"))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="3 to 50"):
        LabelStudio(studio.access.url, studio.access.token, "ab", store)


def test_server_is_down(studio: Studio, store: FolderStore, title: str) -> None:
    labeler = LabelStudio("http://user:pw@127.0.0.1:9", studio.access.token, title, store)
    with pytest.raises(LabelerError, match="not reached") as caught:
        labeler.pull(asked("a"))
    assert not isinstance(caught.value, LabelerRefused)
    assert "pw" not in str(caught.value)


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
    assert make().missing(asked(*told)) == set(), "what was told is there"
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


def test_image_that_is_gone_keeps_no_other_back(make: Make, store: FolderStore) -> None:
    tasks = frames(store, 3)
    (store._root / tasks[1].image_key).unlink()
    told: list[str] = []
    with pytest.raises(LabelerError, match="1 frames have no image"):
        make().push(tasks, told.append)
    assert told == [tasks[0].digest, tasks[2].digest]


def test_project_deleted_underneath(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
    labeler, tasks = make(), frames(store, 3)
    push(labeler, tasks)
    labeler.want_webhook("http://127.0.0.1:9/hook", SecretStr("s"))
    digests = {task.digest for task in tasks}
    assert labeler.missing(asked(*digests)) == set()
    ann.ask("DELETE", f"/api/projects/{ann.project(title)['id']}/")
    with pytest.raises(LabelerRefused, match="no project"):
        labeler.pull(asked(*digests))
    assert labeler.missing(asked(*digests)) == digests
    assert len(push(labeler, tasks)) == 3
    assert len(ann.tasks(title)) == 3
    hooks = ann.ask("GET", "/api/webhooks/", params={"project": ann.project(title)["id"]})
    assert [hook["url"] for hook in hooks] == ["http://127.0.0.1:9/hook"]


def test_label_config_changed_by_hand(make: Make, ann: Annotator, store: FolderStore, title: str) -> None:
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
    (answer,) = labeler.pull(asked(tasks[1].digest))
    assert isinstance(answer, Labeled)
    assert len(answer.boxes) == 2


def test_label_config_that_our_classes_do_not_fit(
    make: Make, ann: Annotator, store: FolderStore, title: str
) -> None:
    # Label Studio itself refuses to take away what annotations use; here there are none yet.
    labeler, (task,) = make(), frames(store, 1)
    ann.ask("POST", "/api/projects/", json={"title": title})
    project = ann.project(title)["id"]

    def draw_with(control: str) -> None:
        label, image = '<Label value="car"/>', '<Image name="pic" value="$image"/>'
        config = f'<View>{image}<{control} name="x" toName="pic">{label}</{control}></View>'
        ann.ask("PATCH", f"/api/projects/{project}/", json={"label_config": config})

    draw_with("PolygonLabels")
    with pytest.raises(LabelerRefused, match="no RectangleLabels"):
        push(labeler, [task])
    with pytest.raises(LabelerRefused, match="no RectangleLabels"):
        labeler.pull(asked(task.digest))
    draw_with("RectangleLabels")
    push(labeler, [task])
    assert set(class_names(ann.project(title)["label_config"])) == {"car", "bus", "person"}
