"""Dashboards and alerts as files, without a server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.reports.dashboards.alerts import ALERTS, Alert
from flows.reports.dashboards.boards import BOARDS
from flows.reports.dashboards.export import export_dashboards
from flows.reports.dashboards.grafana import to_grafana
from flows.runtime.metrics.catalogue import METRICS
from streetloop.errors import ConfigError
from tests.docs.pages import DOCS

RUNBOOK = "https://wiki.example/runbook"
QUERIES = [query.expr for board in BOARDS for panel in board.panels for query in panel.queries]
_NAME = re.compile(r"streetloop_\w+")
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("monitoring") / "new"
    files = export_dashboards(folder, RUNBOOK)
    assert all(file.is_file() for file in files)
    assert len(files) == len(BOARDS) + 2
    return folder


@pytest.mark.parametrize("expr", [*QUERIES, *(alert.expr for alert in ALERTS)])
def test_a_query_names_metrics_of_the_catalogue(expr: str) -> None:
    names = [name if name in METRICS else _SUFFIX.sub("", name) for name in _NAME.findall(expr)]
    assert set(names) <= METRICS.keys()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_panels_of_a_dashboard_do_not_overlap(board: Any) -> None:
    document = json.loads(to_grafana(board))
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
        assert panel["datasource"]["uid"] == "${source}"
        assert panel["targets"]


def test_names_and_addresses_are_not_used_twice() -> None:
    assert len({board.name for board in BOARDS}) == len(BOARDS) == 5
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_has_a_section_in_the_runbook(alert: Alert, exported: Path) -> None:
    assert f"\n## {alert.name}\n" in DOCS["runbook.md"]
    rules = yaml.safe_load((exported / "alerts.yaml").read_text())["groups"][0]["rules"]
    (rule,) = [rule for rule in rules if rule["alert"] == alert.name]
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOK}#{alert.anchor}"


def test_kubernetes_gets_the_same_rules(exported: Path) -> None:
    plain = yaml.safe_load((exported / "alerts.yaml").read_text())
    rule = yaml.safe_load((exported / "prometheusrule.yaml").read_text())
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == plain


def test_a_folder_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.*cannot be written"):
        export_dashboards(tmp_path / "file", RUNBOOK)
