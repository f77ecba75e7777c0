"""Puts the pages of the site together: those of docs/, and those that are made from the code.

python docs/site/make_pages.py FOLDER
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = {
    "Settings": ("streetloop.settings",),
    "Errors": ("streetloop.errors",),
    "Values that travel": ("streetloop.types", "streetloop.boxes"),
    "A source of pictures": ("flows.stream.sources.source",),
    "What is done with results": ("flows.stream.analysis.results",),
    "Trackers": ("flows.stream.tracking.tracker", "flows.stream.tracking.association"),
    "Drift": ("drift.comparison", "drift.causes"),
    "Labelers": ("labeling.labeler",),
    "Models": ("train.model.model_file", "train.model.predictor"),
    "The judge": ("train.evaluation.judge",),
    "Rollouts": ("serve.rollout.policy", "serve.rollout.decision"),
    "The control service": ("streetloop.control.port",),
}
_OUTWARDS = re.compile(r"\[([^\]]+)\]\((?:\.\./)[^)]*\)")
_FROM_ROOT = re.compile(r"\]\((?:docs/)([^)]*)\)")
_ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?!https?:|#|[\w-]+\.md|img/)[^)]*\)")


def write_pages(folder: Path) -> None:
    """Write all pages, and the pictures that they show; what was in the folder goes."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_ROOT / "docs" / "img", folder / "img", ignore=shutil.ignore_patterns("*.py"))
    pages = {
        **{path.name: path.read_text() for path in (_ROOT / "docs").glob("*.md")},
        "CHANGELOG.md": (_ROOT / "CHANGELOG.md").read_text(),
        "index.md": _front_page(),
        "commands.md": _commands(),
        "http.md": _http(),
        "python.md": _python(),
    }
    for name, text in pages.items():
        # Files of the source are no pages: their names stay, without links.
        (folder / name).write_text(_OUTWARDS.sub(r"\1", text))


def _front_page() -> str:
    text = _FROM_ROOT.sub(r"](\1)", (_ROOT / "README.md").read_text())
    text = re.sub(r'src(set)?="docs/', r'src\1="', text)
    return _ELSEWHERE.sub(r"\1", text)


def _commands() -> str:
    import typer
    from typer.cli import get_docs_for_click

    from flows.cli.main import app

    command = typer.main.get_command(app)
    _say_it_whole(command)
    context = command.make_context("streetloop", ["--help-not"], resilient_parsing=True)
    return str(get_docs_for_click(obj=command, ctx=context, name="streetloop", title="Commands"))


def _say_it_whole(command: Any) -> None:
    """Lists of commands have whole sentences, and not their first words."""
    command.short_help = (command.help or "").strip().partition("\n")[0]
    for one in getattr(command, "commands", {}).values():
        _say_it_whole(one)


def _http() -> str:
    from http_reference import http_page  # beside this script

    from flows.service.control_service import ControlService
    from serve.web.access.roles import AccessTokens, Guard
    from serve.web.api.create import create_api
    from streetloop.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        control = ControlService(Settings(home=Path(home)), ())
        return http_page(create_api(_nobody, (), 0.25, Guard(AccessTokens()), control).openapi())


async def _nobody(_: Any) -> Any:
    raise NotImplementedError


def _python() -> str:
    lines = ["# Python", "", "What extensions and notebooks import.", ""]
    for title, modules in _MODULES.items():
        lines += [f"## {title}", ""]
        for module in modules:
            lines += [f"::: {module}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
