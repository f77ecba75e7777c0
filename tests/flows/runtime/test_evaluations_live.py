"""A model is measured over HTTP beside running streams, as `streetloop evaluate` measures it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from streetloop.settings import BASELINE
from streetloop.storage.store import FolderStore
from tests.flows.learning.test_sent_dataset import zip_of
from tests.support.programs.cli import Command
from tests.support.rollout import wait_for
from tests.support.servers.ports import free_port
from tests.train.data.test_dataset import pure
from train.data.formats import write_yolo

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

_SETTINGS = {"image_size": 320}
_OPTIONS = {"split": "train", "map": {"car": "car"}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def sent(tmp_path: Path) -> bytes:
    """A zip of a YOLO dataset."""
    store = FolderStore(tmp_path / "store")
    write_yolo(pure(store), store, tmp_path / "yolo")
    return zip_of(tmp_path / "yolo").getvalue()


@pytest.fixture
def api(home: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    port = free_port()
    camera = {"id": "gantry", "uri": "sim://larkfield/gantry?seed=1&fps=4&size=640x360", "fps": 2}
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": [camera], "settings": {"app_port": port, **_SETTINGS}}))
    command = Command("up", str(path), home=home)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        def is_ready() -> bool:
            assert command.process.poll() is None, command.finish().stderr
            try:
                return bool(client.get("/ready").json()["live"] == 1)
            except (httpx.HTTPError, ValueError, KeyError):
                return False

        wait_for(is_ready, "a live camera", 300)
        yield client
    command.interrupt()
    outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr


def _detected(api: httpx.Client) -> int:
    (camera,) = api.get("/cameras").json()["items"]
    return int(camera["frames"]["detected"])


def test_the_result_is_that_of_the_command(api: httpx.Client, home: Path, sent: bytes) -> None:
    before, began = _detected(api), time.monotonic()
    stored = api.post("/datasets", files={"archive": ("set.zip", sent)}, timeout=300)
    assert stored.status_code == 201, stored.text
    assert stored.json()["splits"] == {"train": 4, "val": 1}
    digest = stored.json()["digest"]
    wanted = {"model": BASELINE, "dataset": digest[:12], **_OPTIONS}
    asked = api.post("/evaluations", json=wanted)
    assert asked.status_code == 202, asked.text
    assert asked.json()["state"] == "queued"
    number = asked.json()["id"]

    def done() -> dict[str, object] | None:
        found: dict[str, object] = api.get(f"/evaluations/{number}").json()
        return found if found["ended_at"] else None

    found = wait_for(done, "the end of an evaluation", 600)
    assert (found["state"], found["error"], found["progress"]) == ("done", None, 1.0)
    print(f"streams: {(_detected(api) - before) / (time.monotonic() - began):.2f} frames/s meanwhile")
    assert _detected(api) > before, "the camera was watched meanwhile"
    size = str(_SETTINGS["image_size"])
    flags = ("--split", "train", "--map", "car=car", "--image-size", size, "--json")
    printed = Command("evaluate", BASELINE, digest, *flags, home=home).finish(300)
    assert printed.code == 0, printed.stderr
    assert json.dumps(found["result"]) == json.dumps(printed.json)

    refused = {**wanted, "map": {"car": "bus", "tram": "car"}}
    number = api.post("/evaluations", json=refused).json()["id"]
    failed = wait_for(done, "the end of one that fails", 600)
    assert failed["state"] == "failed"
    assert "tram" in failed["error"]
