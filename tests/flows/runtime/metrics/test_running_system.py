"""Every query of every panel and alert, against a real Prometheus that scrapes a running `up`.

What happens in it is real: a street is watched, another camera is away, a sink is away, a
challenger runs in shadow. The street differs from its past in the home, so that drift is found.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest
import yaml

from drift.period_log import PeriodLog
from flows.reports.dashboards.alerts import ALERTS
from flows.reports.dashboards.boards import BOARDS
from flows.reports.dashboards.rules import prometheus_rules
from flows.runtime.metrics.endpoint import TARGETS_FILE
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.drift.support import USUAL, make_period
from tests.support.programs.cli import Command
from tests.support.rollout import register_tiny
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.support.servers.ports import free_port
from tests.support.servers.prometheus import Prometheus, prometheus
from tests.support.stream_flow.fakes import eventually
from train.model.find_model import open_registry
from train.model_registry import CHAMPION

pytestmark = [pytest.mark.ray, pytest.mark.prometheus, pytest.mark.timeout(600)]

STREET = "sim://larkfield/gantry?size=320x180&fps=10&seed=1"
SETTINGS = {
    "drift_period_s": 0.5,
    "gate": False,
    "image_size": 160,
    "label_budget": 1000,
    "label_every_s": 1.0,
    "labeler": "oracle",
    "learn_labels": 100_000,
    "triage_period_s": 1.0,
}

HAPPENS = {"CameraLost", "DriftOpen"}
"""The alerts whose cause is in this run; the causes of the others are played to promtool."""

MAY_HAPPEN = {"FramesDropped", "LagHigh"}
"""A slow machine is their cause."""


class Running(NamedTuple):
    """A running `up`, and a Prometheus that scrapes it."""

    url: str
    server: Prometheus

    def ask(self, path: str) -> int:
        return httpx.get(f"{self.url}{path}", timeout=20, trust_env=False).status_code

    def shows(self, query: str) -> bool:
        """Whether a query has an answer; requests go on, since some tell of their rate."""
        assert self.ask("/cameras/street") == 200
        assert self.ask("/cameras/nobody") == 404
        return bool(self.server.query(_of_number(query)))


def _write_home(folder: Path) -> Settings:
    """Two versions of a model, and an hour of a brighter street."""
    settings = Settings(home=folder / "home")
    registry = open_registry(settings)
    for number, x in enumerate((50, 60)):
        answer = detector_output((x, 50, 30, 30, 0, 0.9), (100, 60, 40, 30, 1, 0.5))
        register_tiny(registry, write_tiny_model(folder / f"tiny{number}.onnx", answer))
    registry.set_alias(CHAMPION, 1)
    log, rng = PeriodLog(FolderStore(settings.store)), np.random.default_rng(1)
    for number in range(100):
        values = {name: value * rng.normal(1, 0.01) for name, value in USUAL.items()}
        at = datetime.now(UTC) - timedelta(minutes=110)
        log.append(make_period(number, "street", at, {**values, "brightness": 0.9 * rng.normal(1, 0.01)}))
    log.flush()
    return settings


def _camera_file(folder: Path, port: int) -> str:
    document: dict[str, Any] = {
        "cameras": [
            {"id": "street", "uri": STREET, "record": "continuous", "lines": {"bar": [[0, 0.3], [1, 0.3]]}},
            {"id": "away", "uri": f"rtsp://127.0.0.1:{free_port()}/none"},
        ],
        "settings": {**SETTINGS, "app_port": port},
        "sinks": {"bus": {"type": "mqtt", "url": f"mqtt://127.0.0.1:{free_port()}", "detections": True}},
    }
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump(document))
    return str(path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("system"), free_port()
    settings = _write_home(folder)
    command = Command("up", _camera_file(folder, port), home=settings.home)
    targets = settings.home / TARGETS_FILE
    try:
        with prometheus(folder, targets, prometheus_rules("runbook.md")) as server:
            found = Running(f"http://127.0.0.1:{port}", server)
            eventually(lambda: _is_up(command, found.url), 240, 0.2, "the street is not live")
            asked = httpx.post(f"{found.url}/rollouts", json={"version": "2"}, timeout=20, trust_env=False)
            assert asked.status_code == 202, asked.text
            yield found
    finally:
        if command.process.poll() is None:
            command.interrupt()
        outcome = command.finish()
    assert "Traceback" not in outcome.stderr, outcome.stderr


def _is_up(command: Command, url: str) -> bool:
    assert command.process.poll() is None, command.finish().stderr
    try:
        return bool(httpx.get(f"{url}/ready", timeout=5, trust_env=False).json().get("live") == 1)
    except (httpx.HTTPError, ValueError):
        return False


def test_every_panel_shows_something(running: Running) -> None:
    queries = {q.expr.replace("$camera", ".*") for b in BOARDS for panel in b.panels for q in panel.queries}
    for query in queries:
        eventually(partial(running.shows, query), 60, 0.2, f"nothing answers {query}")


def test_every_alert_is_evaluated_and_fires_for_what_is_wrong_alone(running: Running) -> None:
    for alert in ALERTS:
        if alert.name in HAPPENS:
            running.server.wait_for(alert.expr, 60)
        elif alert.name not in MAY_HAPPEN:
            assert not running.server.query(alert.expr), alert.name
    (lost,) = running.server.wait_for('ALERTS{alertname="CameraLost"}')
    assert (lost["metric"]["camera"], lost["metric"]["state"]) == ("away", "lost")
    (rules,) = httpx.get(f"{running.server.url}/api/v1/rules", trust_env=False).json()["data"]["groups"]
    assert {rule["name"]: rule["health"] for rule in rules["rules"]} == {a.name: "ok" for a in ALERTS}


def test_the_challenger_in_shadow_is_measured_beside_the_champion(running: Running) -> None:
    phase = running.server.wait_for('streetloop_rollout_phase{phase="shadow"} == 1')
    assert phase[0]["metric"]["job"] == "streetloop"
    running.server.wait_for("count(streetloop_detector_batch_seconds_count > 0) == 2", 60)


def test_errors_of_the_api_are_counted_by_status(running: Running) -> None:
    running.ask("/cameras/nobody")
    found = running.server.wait_for('ray_serve_num_http_error_requests_total{error_code="404"} > 0', 60)
    assert found[0]["metric"]["method"] == "GET"


def test_the_frames_of_a_camera_add_up(running: Running) -> None:
    total = 'sum by (camera) (streetloop_frames_total{camera="street"}) > 10'
    running.server.wait_for(total)
    running.server.wait_for('streetloop_frames_total{camera="street",fate="detected"} > 10')
    assert not running.server.query('streetloop_frames_total{camera="street",fate="failed"} > 0')


def _of_number(query: str) -> str:
    """The series of a query that have a number, of which a panel draws a line."""
    return f"({query}) == ({query})"
