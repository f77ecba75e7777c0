"""`cluster.yaml` is valid by Ray's own schema, and installs what this project pins."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError, validate

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Ray's schema, from the installed package; Ray itself is not imported."""
    spec = find_spec("ray")
    assert spec is not None
    assert spec.origin is not None
    return dict(json.loads((Path(spec.origin).parent / "autoscaler" / "ray-schema.json").read_text()))


@pytest.fixture
def cluster() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "cluster.yaml").read_text()))


def test_it_is_valid_by_rays_schema(schema: dict[str, Any], cluster: dict[str, Any]) -> None:
    validate(cluster, schema)


def test_the_schema_refuses_a_misspelt_key(schema: dict[str, Any], cluster: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="max_workrs"):
        validate({**cluster, "max_workrs": 1}, schema)


def test_the_number_of_workers_is_that_of_the_hosts(cluster: dict[str, Any]) -> None:
    hosts = cluster["provider"]["worker_ips"]
    assert cluster["max_workers"] == len(hosts)


def test_hosts_are_of_the_network_for_examples(cluster: dict[str, Any]) -> None:
    provider = cluster["provider"]
    assert all(host.startswith("192.0.2.") for host in [provider["head_ip"], *provider["worker_ips"]])


def test_what_it_copies_and_installs_is_there(cluster: dict[str, Any]) -> None:
    sources = [source for source in cluster["file_mounts"].values() if not source.startswith("~")]
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    assert any("constraints.txt" in command for command in cluster["setup_commands"])
    assert (ROOT / "constraints.txt").exists()


def test_whoever_reaches_the_head_needs_the_token(cluster: dict[str, Any]) -> None:
    commands = [*cluster["head_start_ray_commands"], *cluster["worker_start_ray_commands"]]
    assert all(command.startswith("RAY_AUTH_MODE=token ") for command in commands if "bin/ray " in command)
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


VARIANTS = dict(re.findall(r"^#: (\w+)\n((?:# .*\n)+)", (ROOT / "cluster.yaml").read_text(), re.MULTILINE))


def test_each_cloud_has_a_variant() -> None:
    assert set(VARIANTS) == {"AWS", "GCP", "Azure"}


@pytest.mark.parametrize("cloud", VARIANTS)
def test_a_variant_is_valid_and_bounds_its_nodes(
    cloud: str, schema: dict[str, Any], cluster: dict[str, Any]
) -> None:
    variant = yaml.safe_load(re.sub(r"^# ", "", VARIANTS[cloud], flags=re.MULTILINE))
    validate({**cluster, **variant}, schema)
    assert variant["provider"]["type"] == cloud.lower()
    nodes = variant["available_node_types"]
    bounds = [node["max_workers"] for name, node in nodes.items() if name != variant["head_node_type"]]
    assert sum(bounds) <= variant["max_workers"]
    assert any(word in str(nodes["training"]) for word in ("spot", "Spot", "preemptible"))
