"""Dashboards as Grafana's JSON: the only adapter of its SDK."""

import json
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, VariableOption

from flows.reports.dashboards.board import Board, Panel

_WIDTH, _CHART, _STAT = 24, (12, 8), (6, 4)
_SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")


def to_grafana(board: Board) -> str:
    """The JSON of a dashboard; viewers choose the data source, so it fits any Grafana."""
    built = (
        dashboard.Dashboard(f"streetloop: {board.title}")
        .uid(f"streetloop-{board.name}")
        .tags(["streetloop"])
        .refresh("30s")
        .time("now-6h", "now")
        .with_variable(dashboard.DatasourceVariable("source").type("prometheus").label("Prometheus"))
    )
    if board.camera:
        built = built.with_variable(_camera())
    for panel, (x, y) in zip(board.panels, _positions(board), strict=True):
        width, height = _size(panel)
        built = built.with_panel(_panel(panel).grid_pos(_at(x, y, width, height)))
    return json.dumps(json.loads(JSONEncoder().encode(built.build())), indent=2, sort_keys=True) + "\n"


def _camera() -> Any:
    query = "label_values(streetloop_camera_state, camera)"
    return (
        dashboard.QueryVariable("camera")
        .label("Camera")
        .query(query)
        .datasource(_SOURCE)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all", selected=True))
    )


def _panel(panel: Panel) -> Any:
    built = stat.Panel() if panel.is_stat else timeseries.Panel()
    built = built.title(panel.title).description(panel.help).unit(panel.unit).datasource(_SOURCE)
    for number, query in enumerate(panel.queries):
        built = built.with_target(
            prometheus.Dataquery()
            .expr(query.expr)
            .legend_format(query.legend or panel.title)
            .ref_id(chr(ord("A") + number))
        )
    return built


def _size(panel: Panel) -> tuple[int, int]:
    return _STAT if panel.is_stat else _CHART


def _positions(board: Board) -> list[tuple[int, int]]:
    """Left and top of each panel, from left to right, row by row."""
    found, x, y, row = [], 0, 0, 0
    for panel in board.panels:
        width, height = _size(panel)
        if x + width > _WIDTH or (row and height != row):
            x, y = 0, y + row
        found.append((x, y))
        x, row = x + width, height
    return found


def _at(x: int, y: int, width: int, height: int) -> Any:
    return GridPos(h=height, w=width, x=x, y=y)
