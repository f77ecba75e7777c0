"""Commands of the docs that need neither Ray nor a foreign server run, in the order of the docs."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from drift.period_log import PeriodLog
from flows.cli.main import app
from flows.service.parts import models
from flows.service.versions.sent_model import register_sent
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.docs.pages import DOCS, blocks, commands
from tests.docs.test_commands import STREETLOOP, words
from tests.drift.support import breathing
from tests.flows.learning.test_sent_dataset import zip_of
from tests.support.control_service import Content, api_of, jpeg, register_versions
from tests.support.evaluated_versions import evaluate_versions
from tests.support.samples.recordings import add_recording
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from tests.train.data.test_dataset import pure
from train.data.dataset import save_dataset

RUNS = (
    ["simulate"],
    ["plan"],
    ["drift"],
    ["check"],
    ["status"],
    ["camera"],
    ["counts"],
    ["events"],
    ["archive"],
    ["storage"],
    ["sinks"],
    ["label", "status"],
    ["label", "report"],
    ["labelstudio", "down"],
    ["learn"],
    ["models"],
    ["lineage"],
    ["trace"],
    ["evaluate"],
    ["bench"],
    ["backup"],
    ["support-bundle"],
    ["dataset", "import"],
    ["dataset", "list"],
    ["dashboards"],
    ["report"],
    ["ask"],
    ["incidents", "list"],
    ["rollout"],
)
"""All others start Ray, Label Studio or a training; tests of their own run those."""


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Content]:
    """A home, in whose parent folder commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREETLOOP_HOME", str(tmp_path / "home"))
    content = Content(tmp_path / "home")
    yield content
    content.ledger.close()


def _write_past(settings: Settings) -> None:
    """Two mornings of the camera a40 in the log of drift."""
    log = PeriodLog(FolderStore(settings.store))
    for day in (20, 21):
        for one in breathing(130, camera_id="a40", start=datetime(2026, 11, day, 8, tzinfo=UTC)):
            log.append(one)
    log.flush()


def _write_files(folder: Path) -> None:
    """The files that the docs name; the camera of the quickstart is a simulated one."""
    document = yaml.safe_load(blocks(DOCS["quickstart.md"], "yaml")[0])
    for camera in document["cameras"]:
        camera["uri"] = "sim://larkfield/gantry?size=160x96"
    (folder / "cameras.yaml").write_text(yaml.safe_dump(document))
    _write_clip(folder / "april.mp4", 120)
    _write_clip(folder / "november.mp4", 60)
    _write_dataset(folder / "coco128")
    write_tiny_model(folder / "own.onnx", detector_output((32, 32, 9, 9, 0, 0.8)))


def _write_clip(path: Path, light: int) -> None:
    rng = np.random.default_rng(light)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(120):
        video.write(rng.normal(light, 9, (48, 64, 3)).clip(0, 255).astype(np.uint8))
    video.release()


def _write_dataset(folder: Path) -> None:
    """A YOLO dataset of one picture."""
    for name, content in (("images/0.jpg", jpeg()), ("labels/0.txt", b"0 0.5 0.5 0.2 0.2\n")):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    (folder / "data.yaml").write_text(yaml.safe_dump({"val": "images", "names": list(NAMES)}))


def test_quick_commands_run_one_after_the_other(content: Content, tmp_path: Path) -> None:
    register_versions(content)
    evaluate_versions(content)
    content.add_reviews()
    _write_past(content.settings)
    _write_files(tmp_path)
    add_recording(content, "b4", datetime.now(UTC) - timedelta(minutes=90))
    quick = [c for c in STREETLOOP if any(words(c)[: len(start)] == start for start in RUNS)]
    assert len(quick) >= 25
    for command in quick:
        done = CliRunner().invoke(app, words(command), env={"COLUMNS": "200"})
        assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception!r}"


def test_curl_is_answered_by_the_api(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "in_own_process", lambda _, *given: register_sent(*given))
    write_tiny_model(tmp_path / "own.onnx", detector_output((32, 32, 9, 9, 0, 0.8)))
    content.add_rollouts()
    digest = save_dataset(content.store, pure(content.store))
    _write_dataset(tmp_path / "yolo")
    sent = zip_of(tmp_path / "yolo").getvalue()
    client = api_of(content)
    asked = [command for command in commands() if command.startswith("curl ")]
    assert len(asked) >= 4
    for command in asked:
        assert _ask(client, shlex.split(command.replace("DIGEST", digest)), sent) < 300, command


def _ask(client: TestClient, arguments: list[str], sent: bytes) -> int:
    """Do what curl does, with `sent` as a file of a form that is not there; the answer's status."""
    url = urlsplit(next(one for one in arguments if one.startswith("http")))
    path = f"{url.path}?{url.query}"
    if "--json" in arguments:
        body = arguments[arguments.index("--json") + 1].encode()
        return client.post(path, content=body, headers={"content-type": "application/json"}).status_code
    if "-F" in arguments:
        name, _, file = arguments[arguments.index("-F") + 1].partition("=@")
        data = Path(file).read_bytes() if Path(file).is_file() else sent
        return client.post(path, files={name: (file, data)}).status_code
    if "--data-binary" in arguments:
        return client.post(path, content=jpeg(), headers={"content-type": "image/jpeg"}).status_code
    return client.get(path).status_code
