"""The code of docs/extending.md passes the contract suites that the page names."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from streetloop.errors import ConfigError
from tests.docs.pages import DOCS, ROOT, blocks
from tests.drift.statistics import test_distances as distances

PAGE = DOCS["extending.md"]
WRITTEN = re.findall(r"^\d\. Write `([\w/]+\.py)`", PAGE, re.MULTILINE)


def module(path: str) -> ModuleType:
    """A file of the page as a module, importable by the next one."""
    name = path.removesuffix(".py").replace("/", ".")
    made = ModuleType(name)
    exec(compile(blocks(PAGE, "python")[WRITTEN.index(path)], path, "exec"), made.__dict__)
    sys.modules[name] = made
    return made


image_folder = module("flows/stream/sources/image_folder.py")
energy = module("drift/statistics/energy.py")
folder_labeler = module("labeling/folder_labeler.py")
TestImageFolderSource = module("tests/flows/stream/sources/test_image_folder.py").TestImageFolderSource
TestFolderLabeler = module("tests/labeling/test_folder_labeler.py").TestFolderLabeler


def test_the_page_shows_each_file_that_it_has_written() -> None:
    assert len(WRITTEN) == len(blocks(PAGE, "python")) == 5


@pytest.mark.parametrize("fps", ["0", "-1", "fast", "1.5"])
def test_a_bad_rate_is_refused(tmp_path: Path, fps: str) -> None:
    (tmp_path / "0.jpg").touch()
    with pytest.raises(ConfigError, match=f"fps={fps} is not"):
        image_folder.ImageFolderSource(f"images://{tmp_path}?fps={fps}", None)


def test_the_labeler_reads_pixels() -> None:
    frame: Any = type("Frame", (), {"width": 64, "height": 36})
    boxes = folder_labeler.FolderLabeler._boxes(None, "2 0.5 0.5 0.25 0.5\n", frame)
    assert boxes.xyxy.tolist() == [[24.0, 9.0, 40.0, 27.0]]


CONTRACT = [
    test
    for name, test in inspect.getmembers(distances, callable)
    if name.startswith("test_") and "distance" in inspect.signature(test).parameters
]


@pytest.mark.parametrize("test", CONTRACT, ids=lambda test: test.__name__)
def test_the_energy_distance_holds_the_contract(test: Callable[..., None]) -> None:
    asked = inspect.signature(test).parameters
    test(distance=energy.Energy(), **({"constant": 3.5} if "constant" in asked else {}))


def test_the_contract_of_distances_is_found() -> None:
    assert len(CONTRACT) >= 5


def test_the_page_names_files_that_are_there() -> None:
    named = set(re.findall(r"\b((?:tests|drift|labeling|flows|streetloop)/[\w/.]+\.py)\b", PAGE))
    assert set(WRITTEN) <= named
    assert [path for path in named - set(WRITTEN) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("flows/stream/sources/registry.py", "        return ClipSource("),
        ("labeling/open_labeler.py", "    url, token = _label_studio(settings)"),
        ("streetloop/cameras/camera_address.py", "SCHEMES = ("),
        ("streetloop/settings.py", "PEOPLE = ("),
        ("tests/drift/statistics/test_distances.py", "each = pytest.mark.parametrize("),
    ],
)
def test_the_places_that_the_page_changes_are_there(path: str, before: str) -> None:
    assert path in PAGE
    assert before in (ROOT / path).read_text()
