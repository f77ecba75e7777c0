"""The manifests are valid by the schemas of their kinds, and one configuration serves both."""

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings
from tests.support.material import material

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy/kubernetes"
CORE = ("namespace.yaml", "config.yaml", "home.yaml", "networkpolicy.yaml")
CUSTOM = {
    "raycluster.yaml": "rayclusters.json",
    "rayservice.yaml": "rayservices.json",
    "podmonitor.yaml": "podmonitors.json",
    "../argocd/application.yaml": "application.json",
}
_VERSION = "1.33"


def manifest(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((MANIFESTS / name).read_text()))


def strict(schema: Any) -> Any:
    """The schema of a kind that also refuses fields that it does not know."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    is_open = found.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in found
    if isinstance(found.get("properties"), dict) and found.get("type") == "object" and not is_open:
        found["additionalProperties"] = False
    return found


@functools.cache
def validator(file: str, version: str) -> jsonschema.Draft7Validator:
    versions = json.loads(material(f"../schemas/{file}").read_text())["versions"]
    return jsonschema.Draft7Validator(strict(versions[version]))


def faults(file: str, content: dict[str, Any]) -> list[str]:
    version = content["apiVersion"].split("/")[1]
    return [error.message for error in validator(file, version).iter_errors(content)]


@pytest.mark.parametrize("name", CORE)
def test_a_core_kind_is_valid(name: str) -> None:
    kubernetes_validate.validate(manifest(name), _VERSION, strict=True)


@pytest.mark.model
@pytest.mark.parametrize("name", CUSTOM)
def test_another_kind_is_valid_by_its_own_schema(name: str) -> None:
    assert faults(CUSTOM[name], manifest(name)) == []


@pytest.mark.model
@pytest.mark.parametrize("name", CUSTOM)
def test_a_misspelt_key_is_found(name: str) -> None:
    content = manifest(name)
    content["spec"]["misspelt"] = 1
    assert any("misspelt" in fault for fault in faults(CUSTOM[name], content))


@pytest.mark.parametrize("name", ["raycluster.yaml", "rayservice.yaml"])
def test_pods_are_valid_core_pods(name: str) -> None:
    for template in pods(name):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": template["spec"]}
        kubernetes_validate.validate(pod, _VERSION, strict=True)


def pods(name: str) -> list[dict[str, Any]]:
    spec = manifest(name)["spec"]
    cluster = spec.get("rayClusterConfig", spec)
    return [cluster["headGroupSpec"]["template"], *(one["template"] for one in cluster["workerGroupSpecs"])]


def test_every_pod_is_confined_as_the_namespace_asks() -> None:
    assert (
        manifest("namespace.yaml")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    for template in pods("raycluster.yaml") + pods("rayservice.yaml"):
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]


def test_cluster_and_service_have_one_configuration() -> None:
    containers = [
        template["spec"]["containers"][0] for template in pods("raycluster.yaml") + pods("rayservice.yaml")
    ]
    for key in ("image", "envFrom", "securityContext"):
        assert all(container[key] == containers[0][key] for container in containers)
    sources = containers[0]["envFrom"]
    assert sources == [{"configMapRef": {"name": "streetloop"}}, {"secretRef": {"name": "streetloop"}}]


def test_the_settings_are_settings_and_none_is_secret() -> None:
    data = manifest("config.yaml")["data"]
    cameras = yaml.safe_load(data.pop("cameras.yaml"))["cameras"]
    assert [parse_camera(camera).id for camera in cameras]
    values = {name.removeprefix("STREETLOOP_").lower(): value for name, value in data.items()}
    assert set(values) <= set(Settings.model_fields)
    assert Settings(**values).store_url == "s3://streets"
    assert not any(word in name for name in data for word in ("TOKEN", "SECRET", "KEY", "LEDGER_URL"))


def test_the_service_is_an_application_that_serve_can_import() -> None:
    config = yaml.safe_load(manifest("rayservice.yaml")["spec"]["serveConfigV2"])
    (application,) = ServeDeploySchema.model_validate(config).applications
    module, name = str(application.import_path).split(":")
    assert f"def {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text()


def test_ray_is_the_version_that_is_pinned() -> None:
    pinned = [
        line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("ray==")
    ]
    spec = manifest("raycluster.yaml")["spec"]
    service = manifest("rayservice.yaml")["spec"]["rayClusterConfig"]
    assert pinned == [f"ray=={spec['rayVersion']}"] == [f"ray=={service['rayVersion']}"]


def test_the_kustomization_names_every_manifest() -> None:
    named = manifest("kustomization.yaml")["resources"]
    there = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(named) == there


def test_what_prometheus_asks_is_a_port_of_the_pods() -> None:
    ports = {
        port["name"] for pod in pods("raycluster.yaml") for port in pod["spec"]["containers"][0]["ports"]
    }
    assert {one["port"] for one in manifest("podmonitor.yaml")["spec"]["podMetricsEndpoints"]} <= ports
