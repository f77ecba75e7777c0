"""The Terraform modules can be read, pin what they take from others, and hold no secret."""

import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.programs.checkov import install_checkov

TERRAFORM = Path(__file__).resolve().parents[2] / "deploy/terraform"
MODULES = ("streetloop", "kind", "eks")


def parsed(module: str) -> dict[str, Any]:
    with (TERRAFORM / module / "main.tf").open() as file:
        return dict(hcl2.load(file))


def blocks(content: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Blocks of a kind by their last label, without quotes."""
    found = {}
    for block in content.get(kind, []):
        body, names = block, []
        while isinstance(body, dict) and len(keys := [k for k in body if not k.startswith("__")]) == 1:
            names.append(keys[0].strip('"'))
            body = body[keys[0]]
        found[names[-1]] = body
    return found


@pytest.mark.parametrize("module", MODULES)
def test_it_can_be_read_and_asks_for_a_version_of_terraform(module: str) -> None:
    content = parsed(module)
    assert "required_version" in str(content["terraform"])
    assert str(content["terraform"]).count("version") >= 3


@pytest.mark.parametrize("module", MODULES)
def test_secrets_are_sensitive_variables_without_a_default(module: str) -> None:
    text = (TERRAFORM / module / "main.tf").read_text()
    block = text.split('variable "secrets"')[1].split("\n}\n")[0]
    assert "sensitive   = true" in block
    assert "default" not in block


@pytest.mark.parametrize("module", ["kind", "eks"])
def test_both_clusters_get_the_same_module(module: str) -> None:
    assert "../streetloop" in str(parsed(module)["module"])


def test_the_api_of_the_managed_cluster_is_not_public() -> None:
    assert "cluster_endpoint_public_access           = false" in (TERRAFORM / "eks/main.tf").read_text()


def test_no_file_is_left_unread() -> None:
    assert {path.parent.name for path in TERRAFORM.rglob("*.tf")} == set(MODULES)


def test_a_file_with_a_fault_is_not_read(tmp_path: Path) -> None:
    wrong = tmp_path / "main.tf"
    wrong.write_text((TERRAFORM / "kind/main.tf").read_text().replace("{", "", 1))
    with wrong.open() as file, pytest.raises(Exception, match=r"(?i)unexpected|expected"):
        hcl2.load(file)


def _findings(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(install_checkov()), "--directory", str(folder), "--framework", "terraform"]
    options = ["--compact", "--quiet", "--skip-download"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_checkov_finds_nothing_insecure(tmp_path: Path) -> None:
    done = _findings(TERRAFORM)
    assert done.returncode == 0, done.stdout
    (tmp_path / "main.tf").write_text('module "eks" {\n  source = "terraform-aws-modules/eks/aws"\n}\n')
    assert "CKV_TF_1" in _findings(tmp_path).stdout
