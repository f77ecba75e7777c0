"""The sizes and names that docs/contributing.md asks of the source."""

import ast
from collections import Counter, defaultdict
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.tree import PACKAGES

FOLDERS = (*PACKAGES, "tests", "benchmarks")


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_a_class_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in _sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_source_file_is_longer_than_400_lines() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in _sources(*FOLDERS)}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_function_of_the_product_is_longer_than_60_lines() -> None:
    long = {}
    for path in _sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 60:
                    long[f"{path.relative_to(ROOT)}: {node.name}"] = length
    assert long == {}


def test_no_folder_of_source_has_more_than_15_modules() -> None:
    counts = Counter(str(p.parent.relative_to(ROOT)) for p in _sources(*FOLDERS) if p.name != "__init__.py")
    # Alembic reads the migrations from one folder, and each version of the ledger adds one.
    del counts["streetloop/ledger/migrations/versions"]
    assert {folder: count for folder, count in counts.items() if count > 15} == {}
