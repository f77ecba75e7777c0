"""docs/architecture.md and the README name the modules that there are, and what is in them."""

import ast
import re

import pytest

from tests.docs.pages import PAGES, ROOT, rows
from tests.docs.tree import PAGE, modules, parse, render, shown

_PLACE = re.compile(r"`([A-Za-z_.]+)` in \[[^\]]+\]\(([^)]+\.py)\)")
PLACES = sorted(
    {
        (name, target.removeprefix("../"))
        for text in PAGES.values()
        for row in rows(text)
        for cell in row
        for name, target in _PLACE.findall(cell)
    }
)


def test_the_tree_names_every_module_and_no_other() -> None:
    named = {path for path in parse(shown(PAGE.read_text())) if path.endswith(".py")}
    assert named == set(modules()), "python -m tests.docs.tree brings it up to date"


def test_the_tree_says_something_of_every_module_in_one_line() -> None:
    tree = shown(PAGE.read_text())
    silent = [path for path, said in parse(tree).items() if not said]
    assert silent == []
    assert [line for line in tree.splitlines() if len(line) > 100] == []


def test_a_tree_that_is_written_anew_is_the_same() -> None:
    tree = shown(PAGE.read_text())
    assert render(modules(), parse(tree)) == tree


def test_a_file_that_moved_keeps_what_is_said_of_it() -> None:
    known = {"drift/": "drift", "drift/old/tail.py": "how rare"}
    assert "tail.py" in render(["drift/tail.py"], known)
    assert "how rare" in render(["drift/tail.py"], known)


@pytest.mark.parametrize(("name", "path"), PLACES)
def test_what_a_walk_names_is_in_its_file(name: str, path: str) -> None:
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for part in name.split("."):
        found = [
            node
            for node in body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == part
        ]
        assert found, f"{part} of {name}"
        body = found[0].body


def test_the_three_places_of_the_readme_are_in_the_walks() -> None:
    walks = {name for name, _ in _PLACE.findall(PAGES["architecture.md"])}
    asked = {name for name, _ in _PLACE.findall(PAGES["README.md"])}
    assert len(asked) == 3
    assert asked <= walks
