"""The tree of modules in docs/architecture.md: read, compared, and brought up to date.

    python -m tests.docs.tree

writes the tree anew. It keeps the description of every path, and of every file that has moved. A
new module gets the first line of its docstring, for you to shorten.
"""

import ast
import re
from collections import Counter

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("flows", "serve", "train", "labeling", "drift", "streetloop")
_BLOCK = re.compile(r"(?<=^```\n)flows/.*?(?=^```$)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^( *)(\S+)(?: +(.*))?$")
_WIDTH = 34


def modules() -> list[str]:
    """Every module of the product, but for files that only make a package."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [str(p.relative_to(ROOT)) for p in found if p.name != "__init__.py"]


def shown(text: str) -> str:
    """The block of the page that is the tree."""
    found = _BLOCK.search(text)
    assert found is not None, "docs/architecture.md has no block that begins with flows/"
    return found.group()


def parse(tree: str) -> dict[str, str]:
    """Descriptions by path; a folder's path ends with ``/``."""
    found: dict[str, str] = {}
    folders: list[str] = []
    for line in tree.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        indent, name, description = match.groups()
        del folders[len(indent) // 2 :]
        found["".join(folders) + name] = description or ""
        if name.endswith("/"):
            folders.append(name)
    return found


def render(paths: list[str], known: dict[str, str]) -> str:
    """The tree of these files, with a line for each folder above them."""
    moved = _by_name({path: said for path, said in known.items() if path not in paths})
    lines = []
    for path in _with_folders(paths):
        depth = path.rstrip("/").count("/")
        name = path.rstrip("/").rsplit("/", 1)[-1] + ("/" if path.endswith("/") else "")
        said = known.get(path) or moved.get(name) or _docstring(path)
        lines.append(f"{'  ' * depth + name:<{_WIDTH}}{said}".rstrip())
    return "\n".join(lines) + "\n"


def _with_folders(paths: list[str]) -> list[str]:
    """Files before folders in each folder, packages from top to bottom."""
    folders = {"/".join(p.split("/")[:k]) + "/" for p in paths for k in range(1, p.count("/") + 1)}

    def place(path: str) -> list[tuple[int, int, str]]:
        parts = path.rstrip("/").split("/")
        is_file = not path.endswith("/")
        ranks = [(0, PACKAGES.index(parts[0]), "")]
        return ranks + [(0 if k == len(parts) - 1 and is_file else 1, 0, p) for k, p in enumerate(parts) if k]

    return sorted([*paths, *folders], key=place)


def _by_name(known: dict[str, str]) -> dict[str, str]:
    names = {path: path.rsplit("/", 1)[-1] for path in known if path.endswith(".py")}
    counts = Counter(names.values())
    return {name: known[path] for path, name in names.items() if counts[name] == 1}


def _docstring(path: str) -> str:
    if path.endswith("/"):
        path = f"{path}__init__.py"
    if not (ROOT / path).exists():
        return ""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
    return text.splitlines()[0].rstrip(".") if text else ""


def main() -> None:
    """Write the tree of today into the page."""
    text = PAGE.read_text()
    old = shown(text)
    PAGE.write_text(text.replace(old, render(modules(), parse(old))))


if __name__ == "__main__":
    main()
