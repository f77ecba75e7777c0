"""The running system with everything in MinIO and people in front of Label Studio, all real."""

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState, list_reviews
from streetloop.settings import Settings
from streetloop.storage.minio import MinioStore
from tests.support.programs.cli import Command
from tests.support.servers.gateway import PASSWORD, USER, Gateway
from tests.support.servers.labels.label_studio import Studio, rectangle
from tests.support.servers.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.minio, pytest.mark.label_studio, pytest.mark.timeout(1500)]

URI = "sim://larkfield/gantry?traffic=busy&condition=dusk&size=320x180"
SETTINGS = {
    "drift_period_s": 1,
    "triage_period_s": 1,
    "label_every_s": 2,
    "label_budget": 50_000,
    "image_size": 320,
    "labeler": "label-studio",
    "log_flush_s": 2,
}


def wait_for(what: str, found: Callable[[], Any], timeout_s: float = 120) -> Any:
    """Poll what no event announces: the work of another process."""
    tick, end = threading.Event(), time.monotonic() + timeout_s
    while time.monotonic() < end:
        if value := found():
            return value
        tick.wait(0.2)
    raise AssertionError(f"{what} did not come about")


@pytest.fixture
def bucket(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> MinioStore:
    name = f"b{uuid.uuid4().hex[:20]}"
    monkeypatch.setenv("STREETLOOP_STORE_URL", f"s3://{name}/north")
    monkeypatch.setenv("STREETLOOP_S3_ENDPOINT", gateway.endpoint)
    monkeypatch.setenv("STREETLOOP_S3_ACCESS_KEY", USER)
    monkeypatch.setenv("STREETLOOP_S3_SECRET_KEY", PASSWORD)
    return MinioStore(name, "north", gateway.access)


@pytest.fixture
def project(studio: Studio, title: str, monkeypatch: pytest.MonkeyPatch) -> str:
    token = studio.access.token.get_secret_value()
    monkeypatch.setenv("STREETLOOP_LABEL_STUDIO_URL", studio.access.url)
    monkeypatch.setenv("STREETLOOP_LABEL_STUDIO_TOKEN", token)
    monkeypatch.setenv("STREETLOOP_LABEL_PROJECT", title)
    return title


def test_frames_go_out_by_themselves_and_answers_come_home(
    tmp_path: Path, bucket: MinioStore, project: str, studio: Studio, gateway: Gateway
) -> None:
    path, home, port = tmp_path / "cameras.yaml", tmp_path / "home", free_port()
    settings = {**SETTINGS, "label_hook_port": port}
    path.write_text(yaml.safe_dump({"settings": settings, "cameras": [{"id": "gantry", "uri": URI}]}))
    ledger = open_ledger(Settings(home=home).ledger)
    command = Command("run", str(path), "--json", home=home)
    try:
        with studio.owner() as ann:
            waits = wait_for("a pushed frame", lambda: list_reviews(ledger, [ReviewState.PUSHED]))
            task = ann.tasks(project)[0]
            assert task["data"]["camera"] == "gantry"
            picture = httpx.get(task["data"]["image"])
            assert picture.content == bucket.get(waits[0].image_key)
            query = {"project": ann.project(project)["id"]}
            hooks = lambda: ann.ask("GET", "/api/webhooks/", params=query)  # noqa: E731
            (hook,) = wait_for("the webhook", hooks)
            assert hook["url"] == f"http://127.0.0.1:{port}/"
            ann.submit(task["id"], [rectangle((10, 10, 90, 90), "car")])
        (one,) = wait_for("an answer", lambda: list_reviews(ledger, [ReviewState.LABELED]))
        assert one.digest == task["data"]["digest"]
        assert httpx.post(hook["url"], headers={"X-Streetloop-Secret": "guess"}).status_code == 403
    finally:
        command.interrupt()
        outcome = command.finish()
    assert outcome.code == 0, outcome.stderr
    assert "1 answers from the labeler" in outcome.stderr
    assert outcome.json["log"].startswith(bucket.uri("detections/run="))
    assert {key.split("/")[0] for key in bucket.keys("")} == {"detections", "frames", "minutes"}
    assert not (home / "store").exists(), "nothing is kept beside it"
    said = outcome.stdout + outcome.stderr
    assert PASSWORD not in said
    assert studio.access.token.get_secret_value() not in said
    ledger.close()
