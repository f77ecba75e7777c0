"""The wheel has all that the packages need, and runs where no checkout is."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.support.programs.cli import camera_file

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("flows", "serve", "train", "labeling", "drift", "streetloop", "models")
_BESIDE = ("pyproject.toml", "README.md", "LICENSE")
_NO_SOURCE = {"__pycache__"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the checkout gets no folder ``build``."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns(*_NO_SOURCE))
    for name in _BESIDE:
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(out), str(source)], check=True, cwd=source)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel alone; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True, cwd=folder)
    return folder


def files_of(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``streetloop`` from the wheel, in a folder that is no checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"}
    command = [sys.executable, str(installed / "bin" / "streetloop"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_file_of_the_packages_is_in_it_and_no_other(wheel: Path) -> None:
    there = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and not _NO_SOURCE & set(path.parts)
    }
    assert files_of(wheel) == there


def test_what_is_no_code_is_there(wheel: Path) -> None:
    found = files_of(wheel)
    for needed in (
        "drift/causes.json",
        "flows/capacity/costs.json",
        "flows/reports/templates/demo.html",
        "models/baseline/baseline.pt",
        "serve/web/app/app.css",
        "serve/web/app/live.js",
        "serve/web/app/templates/wall.html",
        "streetloop/ledger/migrations/versions/v1_events_and_findings.py",
    ):
        assert needed in found


def test_it_names_its_command_its_licence_and_its_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    said = {name.rsplit("/", 1)[-1]: name for name in archive.namelist() if ".dist-info/" in name}
    assert "streetloop = flows.cli.main:main" in archive.read(said["entry_points.txt"]).decode()
    metadata = Parser().parsestr(archive.read(said["METADATA"]).decode())
    assert metadata["License-Expression"] == "AGPL-3.0-or-later"
    assert any(need.startswith("psycopg") for need in metadata.get_all("Requires-Dist"))
    assert "LICENSE" in said


def test_the_help_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "--help")
    assert done.returncode == 0, done.stderr
    assert "plan" in done.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import flows, streetloop; print(flows.__file__, streetloop.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.count(str(installed)) == 2


def test_cameras_and_the_shipped_model_are_checked_outside_of_a_checkout(
    installed: Path, tmp_path: Path
) -> None:
    path = camera_file(tmp_path, {"id": "a", "uri": "sim://kingsport/crossing?size=160x96"})
    done = run(installed, tmp_path, "check", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout
