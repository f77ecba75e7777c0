"""The notebooks run from top to bottom, import what they use, and define nothing."""

import ast
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 220_000
NO_RAY = "import sys; assert 'ray' not in sys.modules or not sys.modules['ray'].is_initialized()"

SAID = {
    "01_tour": (r"night .* 95 % of the gain \+", "accepted: True"),  # better by night, as good by day
    "02_drift_anatomy": (
        "the watch: 0 findings in 180 minutes",
        r"Student: alarm in [1-9]\d+",
        "causes: night",
    ),
    "03_detection_log": (r"detected=480", r"\d+ tracks, \d+ of them went"),
    "04_labels": (r"chosen: 16 frames of \d cameras", r"chosen .* mAP50 by night"),
    "05_two_models": (r"night .* 95 % of the gain \+", r"harmful .* rolled back 100%"),
    "06_own_camera_and_model": ("problem: None", r"lanes: \{'in': [1-9]"),
}
"""What a notebook must print, by its name."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _code(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == list(SAID)


@each
def test_it_imports_and_never_defines(path: Path) -> None:
    for cell in _code(path):
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("%"))
        nodes = list(ast.walk(ast.parse(source)))
        assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda)]


@each
def test_it_keeps_small_outputs_of_no_particular_machine(path: Path) -> None:
    text = path.read_text()
    assert len(text) < LARGEST_BYTES
    assert str(ROOT) not in text
    assert "/streetloop-" not in "".join(str(cell.outputs) for cell in _code(path))
    assert all(cell.outputs for cell in _code(path) if "print(" in cell.source), "make notebooks fills them"


@each
def test_its_text_pair_says_the_same(path: Path) -> None:
    pair = jupytext.read(path.with_suffix(".py"))
    cells = nbformat.read(path, as_version=4).cells
    assert [(c.cell_type, c.source) for c in pair.cells] == [(c.cell_type, c.source) for c in cells]


@each
@pytest.mark.slow
@pytest.mark.timeout(1800)  # beside tests with servers it gets what time they leave
def test_it_runs_offline_without_ray(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(NO_RAY))
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=1500, kernel_name="python3", resources=where).execute()
    said = "".join(str(cell.get("outputs", "")) for cell in notebook.cells)
    for pattern in SAID[path.stem]:
        assert re.search(pattern, said), pattern
