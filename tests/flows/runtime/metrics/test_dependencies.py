"""Whether ledger, store and Label Studio answer."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows.runtime.metrics import dependencies as module
from flows.runtime.metrics.dependencies import Dependencies
from flows.runtime.metrics.readings import Readings
from flows.runtime.metrics.spool_reading import SpoolReading
from streetloop.ledger.alerts.outbox import SinkRecord, list_sinks
from streetloop.ledger.events import begin_event
from streetloop.ledger.rollouts import open_rollout
from streetloop.settings import Settings, change_settings
from tests.support.control_service import Content, content, empty  # noqa: F401 - fixtures


@pytest.fixture
def label_studio() -> Iterator[HTTPServer]:
    class Studio(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Studio) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def look(settings: Settings) -> Readings:
    dependencies = Dependencies(settings)
    dependencies.look()
    found = dependencies.add_to(Readings())
    dependencies.close()
    return found


def test_what_answers_is_up_and_the_ledger_is_read(content: Content) -> None:  # noqa: F811
    found = look(content.settings)
    assert found.dependencies == {"ledger": True, "store": True}
    assert found.ledger is not None
    assert found.ledger.events == {"drift": 1}
    assert found.ledger.labels["candidate"] == 1
    assert found.ledger.learning == "parked"
    assert found.ledger.learned["refused"] == 1
    assert found.ledger.rolled_out == {"promoted": 0, "rolled back": 1}
    rollout, known = found.ledger.rollout, open_rollout(content.ledger)
    assert rollout is not None
    assert known is not None
    assert (rollout.phase, rollout.state, rollout.share) == ("shadow", "running", 0)
    assert (rollout.phase_at, rollout.blocks) == (known.phase_at, 40)
    assert found.disk is not None
    assert 0 < found.disk[0] <= found.disk[1]


def test_a_ledger_that_is_away_is_down_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    url = f"sqlite:///{tmp_path}/file/ledger.db"
    found = look(Settings(home=tmp_path, ledger_url=url))  # type: ignore[arg-type]
    assert found.dependencies == {"ledger": False, "store": True}
    assert found.ledger is None


def test_a_ledger_that_another_program_holds_is_down_and_read(
    content: Content,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)
    with content.ledger.transaction():
        found = look(content.settings)
    assert found.dependencies == {"ledger": False, "store": True}
    assert found.ledger is not None
    assert look(content.settings).dependencies["ledger"]


def test_what_waits_for_sinks_and_in_the_spool_is_read(content: Content) -> None:  # noqa: F811
    assert look(content.settings).spool == SpoolReading(0, 0, None)
    video = content.settings.home / "spool" / "writer-1" / "a40" / "x.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(b"1234")
    list_sinks(content.ledger, [SinkRecord("bus", "webhook", "http://bus.example")])
    begin_event(content.ledger, "camera_lost", datetime.now(UTC), "a40")
    found = look(content.settings)
    assert found.spool is not None
    assert (found.spool.segments, found.spool.bytes) == (1, 4)
    assert found.ledger is not None
    bus = found.ledger.outboxes["bus"]
    assert bus.waiting == 1
    assert bus.oldest_at is not None


def test_a_registry_on_a_server_is_asked(content: Content, label_studio: HTTPServer) -> None:  # noqa: F811
    url = f"http://127.0.0.1:{label_studio.server_address[1]}"
    assert look(change_settings(content.settings, tracking_uri=url)).dependencies["mlflow"]
    away = look(change_settings(content.settings, tracking_uri="http://127.0.0.1:9"))
    assert not away.dependencies["mlflow"]


def test_a_store_that_is_away_is_down(tmp_path: Path) -> None:
    found = look(
        Settings(
            home=tmp_path,
            store_url="s3://streets",
            s3_endpoint="http://127.0.0.1:9",
            s3_access_key="a",  # type: ignore[arg-type]
            s3_secret_key="b",  # type: ignore[arg-type]
        )
    )
    assert found.dependencies == {"ledger": True, "store": False}


def test_label_studio_is_asked_where_it_labels(tmp_path: Path, label_studio: HTTPServer) -> None:
    url = f"http://127.0.0.1:{label_studio.server_address[1]}"
    settings = Settings(home=tmp_path, labeler="label-studio", label_studio_url=url)
    assert look(settings).dependencies["label_studio"]
    away = Settings(home=tmp_path, labeler="label-studio", label_studio_url="http://127.0.0.1:9")
    assert not look(away).dependencies["label_studio"]
