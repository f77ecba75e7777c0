"""The image and the compose file: valid, without a secret, on loopback, with our settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streetloop.cameras.camera_file import load_cameras
from streetloop.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text()))


def checked(*command: str) -> str:
    """Run a checker; what it said, empty if all is well."""
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_compose_file_is_valid() -> None:
    file = str(DEPLOY / "compose/compose.yaml")
    assert checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file) == ""


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", "ci/github/retrain.yml"),
        ("vendor.github-workflows", "ci/github/image.yml"),
        ("vendor.gitlab-ci", "ci/gitlab/.gitlab-ci.yml"),
    ],
)
def test_a_workflow_is_valid_and_ends(schema: str, file: str) -> None:
    assert checked("check-jsonschema", "--builtin-schema", schema, str(DEPLOY / file)) == ""
    assert "timeout" in (DEPLOY / file).read_text()


def test_a_checker_finds_a_misspelt_key(tmp_path: Path, compose: dict[str, Any]) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(yaml.safe_dump({**compose, "servces": {}}))
    assert "servces" in checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong))


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    assert checked("hadolint", str(DEPLOY / "Dockerfile")) == ""


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    stages = [line for line in lines if line.startswith("FROM")]
    assert any(line.endswith(" AS gpu") for line in stages)
    assert any(line.endswith(" AS cpu") for line in stages)
    users = [line for line in lines if line.startswith("USER")]
    assert users[-1] == users[0] == "USER 10001"
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_gpu_runtime_is_that_of_the_cpu() -> None:
    (pinned,) = re.findall(r"^onnxruntime==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f"onnxruntime-gpu=={pinned}" in (DEPLOY / "Dockerfile").read_text()


def test_what_the_image_is_built_from_is_let_in() -> None:
    let_in = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"
    }
    needed = {"flows", "serve", "train", "labeling", "drift", "streetloop", "models", "constraints.txt"}
    assert needed <= let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_every_port_is_on_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) >= 8
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_come_from_the_environment_and_the_example_names_each() -> None:
    text = (DEPLOY / "compose/compose.yaml").read_text()
    asked = set(re.findall(r"\$\{(\w+)", text))
    example = (DEPLOY / "compose/.env.example").read_text()
    named = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert asked == set(named)
    assert all(value == "" for name, value in named.items() if re.search("PASSWORD|TOKEN", name))
    for line in text.splitlines():
        if re.search(r"(?<!LEGACY_API_)(PASSWORD|TOKEN|SECRET_KEY|LEDGER_URL): ", line):
            assert "${" in line, line
    assert ".env" in (DEPLOY / "compose/.gitignore").read_text().split()


def test_the_settings_of_streetloop_are_settings(compose: dict[str, Any]) -> None:
    environment = compose["services"]["streetloop"]["environment"]
    values = {name.removeprefix("STREETLOOP_").lower(): value for name, value in environment.items()}
    assert set(values) <= set(Settings.model_fields)
    plain = {name: "0" * 40 if "$" in value else value for name, value in values.items()}
    assert Settings(**plain).labeler == "label-studio"


def test_what_it_mounts_is_there_and_can_be_read(compose: dict[str, Any]) -> None:
    mounts = [one for service in compose["services"].values() for one in service.get("volumes", [])]
    files = [one.split(":")[0] for one in mounts if one.startswith("./")]
    assert len(files) >= 4
    assert all((DEPLOY / "compose" / name).is_file() for name in files)
    assert [camera.id for camera in load_cameras(DEPLOY / "compose/cameras.yaml").cameras]


def test_prometheus_asks_where_streetloop_answers(compose: dict[str, Any]) -> None:
    config = yaml.safe_load((DEPLOY / "compose/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    assert target.split(":") == ["streetloop", compose["services"]["streetloop"]["command"][-1]]
