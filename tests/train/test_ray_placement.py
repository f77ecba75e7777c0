"""Where workers run, without Ray."""

import pytest

from streetloop.settings import Settings
from train import ray_placement
from train.ray_placement import worker_options

SHARED = Settings(
    ledger_url="postgresql+psycopg://db/loop", store_url="s3://loop", tracking_uri="http://registry"
)


@pytest.fixture(autouse=True)
def three_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 4.0, "site:denver": 1.0}},
        {"Alive": False, "Resources": {"CPU": 4.0, "site:paris": 1.0}},
        {"Alive": True, "Resources": {"CPU": 4.0}},
    ]
    monkeypatch.setattr(ray_placement.ray, "nodes", lambda: nodes)
    monkeypatch.setattr(ray_placement, "is_joined", lambda: True)
    monkeypatch.setattr(ray_placement, "on_this_node", lambda: {"node:here": 0.001})


@pytest.mark.parametrize(
    ("settings", "site", "is_bound", "where"),
    [
        (SHARED, None, False, {"scheduling_strategy": "SPREAD"}),
        (SHARED, "denver", False, {"resources": {"site:denver": 0.001}}),
        (SHARED, "paris", False, {"scheduling_strategy": "SPREAD"}),
        (SHARED, "denver", True, {"resources": {"node:here": 0.001}}),
        (Settings(), "denver", False, {"resources": {"node:here": 0.001}}),
    ],
    ids=["anywhere", "at its site", "its site is away", "reads files", "state of one machine"],
)
def test_a_worker_runs_where_it_can(
    settings: Settings, site: str | None, is_bound: bool, where: dict[str, object]
) -> None:
    assert worker_options(settings, site, is_bound=is_bound) == where
