"""The documentation as a site: it builds without a warning, and fetches nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    maker = ROOT / "docs" / "site" / "make_pages.py"
    subprocess.run([sys.executable, str(maker), str(folder / "docs")], check=True, cwd=ROOT)
    config = (ROOT / "mkdocs.yml").read_text()
    here = {"build/docs": "docs", "build/site": "site", "paths: [.]": f"paths: [{ROOT}]"}
    for before, after in here.items():
        assert before in config
        config = config.replace(before, after)
    (folder / "mkdocs.yml").write_text(config)
    build = [
        str(Path(sys.executable).with_name("zensical")),
        "build",
        "--strict",
        "--config-file",
        "mkdocs.yml",
    ]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_every_page_is_in_it_and_in_its_contents(site: Path) -> None:
    front = (site / "index.html").read_text()
    for name in (*DOCS, "commands.md", "http.md", "python.md"):
        page = name.replace(".md", ".html")
        assert (site / page).is_file()
        assert f'href="./{page}"' in front, f"{name} is missing in the contents"


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        text = page.read_text()
        loaded = re.findall(r'<(?:script|img|source|iframe)[^>]+src="(https?:)?//', text)
        styles = [
            tag for tag in re.findall(r"<link[^>]+>", text) if 'rel="stylesheet"' in tag and "//" in tag
        ]
        assert not loaded + styles, page.name


def test_the_reference_has_the_words_of_the_code(site: Path) -> None:
    commands, http, python = ((site / f"{name}.html").read_text() for name in ("commands", "http", "python"))
    assert "streetloop rollout start" in commands
    assert commands.count("Run cameras, train new models on drift and labels, and serve the app") == 2
    assert "/cameras/{camera_id}" in http
    assert "its secrets are never shown again" in http, "fields of bodies"
    assert "largest number of items to return" in http, "parameters"
    assert "CameraTracker" in python
    assert "Higher bridges longer occlusions" in " ".join(re.sub(r"<[^>]+>", "", python).split())
