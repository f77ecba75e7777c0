"""The pages of the documentation, and the code blocks in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DOCS = {
    path.name: path.read_text()
    for path in sorted((ROOT / "docs").glob("*.md"), key=lambda p: (p.name != "quickstart.md", p.name))
}
"""The quickstart first: other pages go on with the cameras that it adds."""

PAGES = {"README.md": README, **DOCS}


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language; ``""`` for blocks without one."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [body for kind, body in fences if kind == language]


def commands() -> list[str]:
    """Every shell command of every page, without comments, each once."""
    lines = [line for text in PAGES.values() for b in blocks(text, "sh") for line in b.splitlines()]
    cleaned = [re.sub(r"\s+#.*", "", line).strip() for line in lines]
    return list(dict.fromkeys(line for line in cleaned if line and not line.startswith("#")))


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without headers' rules; a ``|`` in backticks parts nothing."""
    found = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|--")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found]
